"""The statements that run on one connection, kept to be explained: which, with what, asked by whom.

A connection that nobody traces pays one look into its dictionary.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ehr.store.sessions.time_limit import Info

_TRACE = "trace"
_CARRIERS = ("ehr.store.engine", "ehr.store.statements", "ehr.store.templates", __name__)


@dataclass(frozen=True, slots=True)
class Traced:
    """A statement as the driver got it; `asked_by` is the module and function that asked."""

    sql: str
    parameters: Any
    asked_by: tuple[str, str]


@contextmanager
def traced(connection: Connection) -> Iterator[list[Traced]]:
    """Give a list that all statements are added to which run on the connection meanwhile."""
    found: list[Traced] = []
    connection.info[_TRACE] = found
    try:
        yield found
    finally:
        connection.info.pop(_TRACE, None)


def note(info: Info, sql: str, parameters: Any) -> None:
    """Add a statement to the trace of its connection, where there is one."""
    found = info.get(_TRACE)
    if found is not None:
        found.append(Traced(sql, parameters, _asked_by()))


def _asked_by() -> tuple[str, str]:
    frame = sys._getframe(2)
    while frame.f_back is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("ehr.") and module not in _CARRIERS:
            return module, frame.f_code.co_name
        frame = frame.f_back
    return "", ""
