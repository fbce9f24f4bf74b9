"""Schema migrations of the record and of auth, one history for SQLite and PostgreSQL."""
