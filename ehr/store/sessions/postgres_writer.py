"""Writes to PostgreSQL: side by side, or several of one moment in one transaction.

A write that met another one is run again, out of its caller's sight.
"""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ehr.errors import FhirError
from ehr.store.drafts import LostRace
from ehr.store.sessions.failures import collided, is_collision, told
from ehr.store.sessions.gathering import Gathering, Part
from ehr.store.sessions.prepared import transaction
from ehr.store.sessions.ready import ReadyConnections

T = TypeVar("T")
# Writes parts on a connection and returns what came of each; nothing is durable yet.
WriteParts = Callable[[Connection, Sequence[Any]], Sequence[Any]]
_ATTEMPTS = 8


class PostgresWriter:
    """Runs writes; `shared` has the one session for writes that share a transaction.

    That session must wait for locks only shortly: others wait behind it.
    """

    def __init__(self, engine: Engine, shared: Engine, most: int) -> None:
        self._sessions = ReadyConnections(engine, most)
        self._shared = ReadyConnections(shared, 1)
        self._gathering = Gathering()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and return what it returns, once that is durable."""
        for attempt in range(_ATTEMPTS):
            try:
                with self._sessions.connection() as connection, transaction(connection):
                    return work(connection)
            except LostRace:
                pass
            except (DBAPIError, psycopg.Error) as error:
                if not is_collision(error):
                    raise told(error) from error
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  no secret: jitter
        raise collided()

    def run_shared(self, work: Callable[[Connection], T], part: Part, write_parts: WriteParts) -> T:
        """Do what `part` says together with the parts of others; `work` does it alone."""
        together = partial(self._together, write_parts)
        return self._gathering.run(part, together, partial(self.run, work))

    def _together(self, write_parts: WriteParts, parts: Sequence[Any]) -> Sequence[Any]:
        outcomes: Sequence[Any] | None = None
        try:
            with self._shared.connection() as connection, transaction(connection):
                outcomes = write_parts(connection, parts)
        except FhirError as refusal:
            if len(parts) > 1:
                raise
            return [refusal]
        except (DBAPIError, psycopg.Error) as error:
            if outcomes is None:
                raise
            # The COMMIT failed, and nobody knows whether it was done: never do it twice.
            return [told(error) for _ in parts]
        return outcomes

    def close(self) -> None:
        """Give all connections back."""
        self._sessions.close()
        self._shared.close()
