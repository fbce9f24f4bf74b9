"""Whole sets in and out: loading files, exporting, copying, checking every row."""
