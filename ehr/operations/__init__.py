"""One file per operation (R4 §3.2)."""
