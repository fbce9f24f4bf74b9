"""The record as one value, handed down: settings, database, definitions, clock, ids and trail."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from ehr.audit.trail import Trail
from ehr.messages import Instant
from ehr.search.definitions import Definitions
from ehr.search.indexer import Indexer
from ehr.settings import Settings
from ehr.store.engine import Database
from ehr.store.opening import open_database


@dataclass(frozen=True, slots=True)
class Record:
    """What an interaction needs besides the caller and what was asked."""

    settings: Settings
    database: Database
    definitions: Definitions
    clock: Callable[[], Instant]
    new_id: Callable[[], str]
    trail: Trail

    @property
    def indexer(self) -> Indexer:
        """Return what makes the index rows of what is written now."""
        return self.definitions.indexer


def open_record(settings: Settings, *, migrate: bool = False) -> Record:
    """Open the database that the settings name; `migrate` makes an empty one ready first.

    Raises NoSchema, OutdatedSchema, WrongSecret.
    """
    database = open_database(
        settings.database_url,
        secret=settings.secret,
        migrate=migrate,
        pool_size=settings.threads,
        timeout=settings.request_timeout,
    )
    base_urls = database.own_bases(settings.base_url)
    definitions = Definitions(database, settings.record_timezone, base_urls)
    # It starts with the first event: a server may fork its workers after this.
    trail = Trail(database, settings, now)
    database.before_close(trail.close)
    return Record(settings, database, definitions, now, time_ordered_id, trail)


def now() -> Instant:
    """Return this machine's time in milliseconds."""
    return time.time_ns() // 1_000_000


def time_ordered_id() -> str:
    """Return a fresh id: 48 bits of time, then randomness (UUID version 7, RFC 9562)."""
    random = int.from_bytes(os.urandom(10), "big")
    high = now() << 16 | 0x7000 | random >> 68
    low = 0x8000000000000000 | random & 0x3FFFFFFFFFFFFFFF
    text = f"{high << 64 | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
