"""What SMART scopes permit, seen from outside: every way in, every way around."""
