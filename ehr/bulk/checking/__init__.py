"""Every row held against what it was made from, and index rows built anew."""
