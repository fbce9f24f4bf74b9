"""Which statements a budget counts: those of a request itself."""

_FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")
# What can be searched by is asked once a second: a request that meets that moment is no dearer.
_BY_THE_CLOCK = "SELECT database_fact.name, "
# Whether a caller's token is in force is one statement of every request.
_OF_EVERY_REQUEST = "FROM access_token"


def is_asked_by_the_clock(sql: str) -> bool:
    """Tell whether a statement comes now and then, whatever is asked."""
    return _BY_THE_CLOCK in " ".join(sql.split())


def is_counted(sql: str) -> bool:
    """Tell whether a statement is one that budgets count."""
    words = " ".join(sql.split())
    frame = words.upper().startswith(_FRAME)
    return not frame and _OF_EVERY_REQUEST not in words and not is_asked_by_the_clock(words)
