"""Where the record is kept: tables, connections, history, feed. Only here rows are written."""
