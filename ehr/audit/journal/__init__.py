"""EHR_AUDIT=journal: a file of the worker's own, a few µs an event, moved into the table later."""
