"""How long a reading statement may take on SQLite: its virtual machine is stopped from inside.

PostgreSQL stops statements by itself (`connections.py`). SQLite asks after every so many of its
instructions whether to go on; a statement of fewer is never asked, so that a limit costs nothing
but to look at the clock when a statement begins.
"""

import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

Info = MutableMapping[Any, Any]  # what a pool keeps of a connection

# About 20 ms of work: more often would only make long statements wait for their turn.
_INSTRUCTIONS = 1_000_000
_COUNTED = 1_000


class TimeLimit:
    """The limit of one connection. `begin` starts it anew, for one statement."""

    __slots__ = ("ends", "is_lifted", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_lifted = False
        self.begin()

    def begin(self) -> None:
        """Give the statement that begins now the whole time."""
        self.ends = monotonic() + self.seconds

    def is_over(self) -> bool:
        """Tell SQLite whether to stop."""
        return monotonic() > self.ends and not self.is_lifted


def limit(connection: sqlite3.Connection, info: Info, seconds: float) -> None:
    """Limit the statements of a connection."""
    info[TimeLimit] = one = TimeLimit(seconds)
    connection.set_progress_handler(one.is_over, _INSTRUCTIONS)


def begin_statement(info: Info) -> None:
    """Start the time of a statement, on a connection that has a limit."""
    one = info.get(TimeLimit)
    if one is not None:
        one.begin()


@contextmanager
def unlimited(info: Info) -> Iterator[None]:
    """Let what is read in this block take as long as it takes."""
    one = info.get(TimeLimit) or TimeLimit(0)
    one.is_lifted = True
    try:
        yield
    finally:
        one.is_lifted = False
        one.begin()


@contextmanager
def instructions(connection: sqlite3.Connection, info: Info) -> Iterator[list[int]]:
    """Give a list of one number: the instructions done in this block, by the thousand."""
    one: TimeLimit = info.get(TimeLimit) or TimeLimit(float("inf"))
    done = [0]

    def count() -> bool:
        done[0] += _COUNTED
        return one.is_over()

    one.begin()
    connection.set_progress_handler(count, _COUNTED)
    try:
        yield done
    finally:
        connection.set_progress_handler(one.is_over, _INSTRUCTIONS)
