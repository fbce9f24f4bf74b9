"""What ended some time ago is removed: codes, launches, JWTs that were taken, tokens of clients.

Ended codes and refresh tokens stay for a while, so that one that comes again is known for what it
is. Tokens made by `ehr token` stay for ever, as a list of what was handed out.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, Table, delete

from auth.models import (
    access_grant,
    access_token,
    authorization_code,
    launch,
    pushed_request,
    refresh_token,
    used_jti,
)

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

_EVERY = 10 * 60_000
_DAY = 86_400_000

# How long after its end a row stays.
_STAYS: Sequence[tuple[Table, int]] = (
    (used_jti, 0),
    (pushed_request, 0),
    (launch, _DAY),
    (authorization_code, _DAY),
    (access_token, _DAY),
    (refresh_token, 30 * _DAY),
    (access_grant, 30 * _DAY),
)


class Sweeper:
    """Sweeps now and then, as long as something happens in this process."""

    def __init__(self) -> None:
        self._next = 0
        self._lock = threading.Lock()

    def sweep_if_due(self, surroundings: "Surroundings") -> None:
        """Remove what ended, if that was not done for ten minutes."""
        now = surroundings.clock()
        with self._lock:
            if now < self._next:
                return
            self._next = now + _EVERY
        surroundings.store.write(lambda connection: sweep(connection, now=now))


def sweep(connection: Connection, *, now: int) -> None:
    """Remove what ended so long ago that nobody asks for it any more."""
    for table, stays in _STAYS:
        connection.execute(delete(table).where(_ended(table, now - stays)))


def _ended(table: Table, before: int) -> ColumnElement[bool]:
    ended: ColumnElement[bool] = table.c.expires < before
    return ended & table.c.client_id.is_not(None) if table is access_token else ended
