"""Tests that kill processes and let many write at once."""
