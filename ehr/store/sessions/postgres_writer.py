"""Writes to PostgreSQL run side by side; one that met another is run again, out of sight."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ehr.store.drafts import LostRace
from ehr.store.sessions.failures import busy, collided, is_collision, told

T = TypeVar("T")
_ATTEMPTS = 8


class PostgresWriter:
    """Runs each write in a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and return what it returns, once that is durable."""
        for attempt in range(_ATTEMPTS):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except LostRace:
                pass
            except PoolTimeout:
                raise busy() from None
            except (DBAPIError, psycopg.Error) as error:
                if not is_collision(error):
                    raise told(error) from error
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  no secret: jitter
        raise collided()

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()
