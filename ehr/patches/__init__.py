"""The four patch kinds of R4 §3.1.0.7 as pure functions on resources."""
