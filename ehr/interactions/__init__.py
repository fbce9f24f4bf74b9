"""One file per REST interaction of R4 §3.1."""
