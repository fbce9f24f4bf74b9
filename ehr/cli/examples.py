"""The examples that end a command's help: one a line, so that each can be copied."""


def examples(*lines: str) -> str:
    """Return a click epilog that is printed as it stands, never wrapped."""
    return "\n".join(("\b", "For instance:", *(f"  {line}" for line in lines)))
