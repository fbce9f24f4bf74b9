"""Search: text to SearchRequest to one SELECT; one file per parameter type (R4 §3.1.1)."""
