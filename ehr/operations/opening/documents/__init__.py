"""What the operations write and tell: Tasks, Communications, parts of answers. Pure."""
