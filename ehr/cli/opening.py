"""Open the database or record of the settings in force; a new embedded one is made first."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.settings import Settings, load

if TYPE_CHECKING:
    from ehr.record import Record
    from ehr.store.engine import Database

_SQLITE = "sqlite:///"


@contextmanager
def opened_database(environment: Mapping[str, str]) -> Iterator["Database"]:
    """Give the database of the settings in an environment; close it afterwards."""
    from ehr.store.engine import open_database

    settings = load(environment)
    database = open_database(
        settings.database_url, secret=settings.secret, migrate=is_new(settings), pool_size=2
    )
    try:
        yield database
    finally:
        database.close()


@contextmanager
def opened_record(environment: Mapping[str, str]) -> Iterator["Record"]:
    """Give the record of the settings in an environment; close it afterwards."""
    from ehr.record import open_record

    settings = load(environment)
    record = open_record(settings, migrate=is_new(settings))
    try:
        yield record
    finally:
        record.database.close()


def is_new(settings: Settings) -> bool:
    """Tell whether the database is an embedded one that does not exist yet."""
    if not settings.database_url.startswith(_SQLITE):
        return False
    path = Path(settings.database_url.removeprefix(_SQLITE))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CommandError(
            f"The database {path} can't be opened.",
            "Its folder does not exist or may not be written to.",
            "Make the folder, or name another file in EHR_DATABASE_URL.",
            exit=Exit.DATABASE,
        )
    return not path.exists() or path.stat().st_size == 0
