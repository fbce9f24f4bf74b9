"""What callers are told when the database refuses, collides or goes away."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from ehr.errors import Busy, Conflict, TooCostly

# serialization failure, deadlock, lock timeout, unique violation (a race lost: look again), and a
# prepared statement that the session forgot
_RETRIED = {"40001", "40P01", "55P03", "23505", "26000"}
_LOCKED, _STOPPED = "55P03", "57014"
# no connection at all, stopped, fell, starting or recovering
_GONE = {None, "57P01", "57P02", "57P03"}
_MOST_VALUES = 65_535  # that a statement of PostgreSQL binds; libpq sends no more


def busy() -> Busy:
    """Return what a caller is told who waited in vain for a connection."""
    return Busy("All connections to the database are in use. Send the request again later.")


def collided() -> Conflict:
    """Return what a caller is told whose change lost every race."""
    return Conflict(
        "The change kept colliding with other changes. Send it again.", code="transient"
    )


def told(error: Exception) -> Exception:
    """Return what a caller is told of a driver's error: the error itself where it is a fault."""
    if is_too_long(error):
        return TooCostly("That took longer than the time limit. Ask for less at once.")
    if _has_too_many_values(error):
        return TooCostly(
            "That binds more values than the database takes in one statement "
            f"({_MOST_VALUES} on PostgreSQL). Ask for less at once."
        )
    if _state(error) == _LOCKED:
        return Busy("The database is being changed. Send the request again later.")
    if is_lost(error):
        return Busy("The database went away. Send the request again in a moment.")
    return error


@contextmanager
def stopping() -> Iterator[None]:
    """Raise TooCostly in place of the driver's error where the time limit stops a statement."""
    try:
        yield
    except (DBAPIError, psycopg.Error, sqlite3.Error) as error:
        if is_too_long(error):
            raise told(error) from error
        raise


def is_too_long(error: Exception) -> bool:
    """Tell whether a statement was stopped at the time limit."""
    cause = getattr(error, "orig", error)
    code = getattr(cause, "sqlite_errorcode", None)
    return _state(error) == _STOPPED or code == sqlite3.SQLITE_INTERRUPT


def is_lost(error: BaseException) -> bool:
    """Tell whether PostgreSQL was stopped, fell, recovers or can't be reached."""
    cause = getattr(error, "orig", error)
    if not isinstance(cause, psycopg.OperationalError) or _has_too_many_values(error):
        return False
    return _state(error) in _GONE


def _has_too_many_values(error: BaseException) -> bool:
    """Tell whether the driver refused a statement for the number of its values, session intact."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
        error = error.orig
    if isinstance(error, sqlite3.Error):
        return "too many SQL variables" in str(error)
    # No state tells of it, and its words depend on the language.
    if not isinstance(error, DBAPIError) or error.ismulti or _state(error) is not None:
        return False
    return len(error.params or ()) > _MOST_VALUES


def is_collision(error: Exception) -> bool:
    """Tell whether a transaction met another one, so that it is worth another try."""
    return _state(error) in _RETRIED


def _state(error: BaseException) -> str | None:
    state: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state
