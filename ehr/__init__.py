"""The record: REST edge, interactions, operations, search, store, access, command line."""
