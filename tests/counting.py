"""Which statements a budget counts: those of a request itself."""

_FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")
# What can be searched by is asked once a second: a request that meets that moment is no dearer.
_BY_THE_CLOCK = "SELECT database_fact.name, "
# Whether a caller's token is in force is one statement of every request.
_OF_EVERY_REQUEST = "FROM access_token"
# What is audited of a request is counted by itself, in tests/api/test_audit_statements.py; what was
# committed is sealed by the clock.
_AUDIT = ("INTO audit_event", "INTO audit_batch")
_SEALING = (
    "FROM audit_event",
    "FROM audit_batch",
    "audit_seal",
    "pg_try_advisory_xact_lock(24225)",
)


def is_asked_by_the_clock(sql: str) -> bool:
    """Tell whether a statement comes now and then, whatever is asked."""
    words = " ".join(sql.split())
    return _BY_THE_CLOCK in words or any(named in words for named in _SEALING)


def is_of_audit(sql: str) -> bool:
    """Tell whether a statement adds events to the trail."""
    return any(named in " ".join(sql.split()) for named in _AUDIT)


def is_counted(sql: str) -> bool:
    """Tell whether a statement is one that budgets count."""
    words = " ".join(sql.split())
    frame = words.upper().startswith(_FRAME)
    if frame or is_of_audit(words) or is_asked_by_the_clock(words):
        return False
    return _OF_EVERY_REQUEST not in words
