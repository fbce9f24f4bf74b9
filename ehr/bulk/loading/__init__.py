"""Whole sets in: files cut into units, loaded side by side, noted so that a stop loses nothing."""
