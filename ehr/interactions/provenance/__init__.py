"""The Provenance of every version: told from its row, shown like any resource, and as sent."""
