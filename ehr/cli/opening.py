"""Open the database or record of the settings in force; a new embedded one is made first."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ehr.cli import output
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
    new = is_new(settings)
    database = open_database(
        settings.database_url, secret=settings.secret, migrate=new, pool_size=2
    )
    if new:
        _tell_of_new(settings)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def opened_record(environment: Mapping[str, str], *, tell: bool = True) -> Iterator["Record"]:
    """Give the record of the settings in an environment; close it afterwards.

    Without `tell` nothing is said of a database that was made.
    """
    from ehr.record import open_record

    settings = load(environment)
    new = is_new(settings)
    record = open_record(settings, migrate=new)
    if new and tell:
        _tell_of_new(settings)
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


def _tell_of_new(settings: Settings) -> None:
    """Say which database was made: who meant another one reads an empty record otherwise."""
    output.say(
        f"There was no {settings.database_url}, so an empty record was made there. "
        "EHR_DATABASE_URL names another."
    )
