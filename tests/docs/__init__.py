"""Documentation that is run and compared with the code."""
