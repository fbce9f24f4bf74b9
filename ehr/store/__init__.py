"""Where the record is kept: tables, connections, rows, history, feed. The only room that writes SQL rows."""
