"""Clients that others wrote, against a record that is served: they know nothing of our code."""
