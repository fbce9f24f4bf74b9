"""Whole sets in and out: loading files, exporting, checking every row. For the command line only."""
