"""How readers and writers get connections, take turns, and are told of what fails."""
