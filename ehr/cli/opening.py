"""Open the database or record of the settings in force.

A command that writes makes an empty database ready first and says so. One that reads leaves a
mistyped address as it was: nothing is made there.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ehr.cli import output
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.settings import Settings, load
from ehr.settings.values import shown_url

if TYPE_CHECKING:
    from ehr.record import Record
    from ehr.store.engine import Database

_SQLITE = "sqlite:///"
DEMO_FILE = "ehr-demo.db"  # where `ehr demo` keeps its people


@contextmanager
def opened_database(environment: Mapping[str, str], *, make: bool = False) -> Iterator["Database"]:
    """Give the database of the settings in an environment; close it afterwards.

    With `make` one that is empty or not there is set up.
    """
    from ehr.store.opening import open_database

    settings = load(environment)
    _check_place(settings, make=make)
    database = open_database(
        settings.database_url, secret=settings.secret, migrate=make, pool_size=2
    )
    if database.is_new:
        _tell_of_new(settings)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def opened_record(
    environment: Mapping[str, str], *, make: bool = False, tell: bool = True
) -> Iterator["Record"]:
    """Give the record of the settings in an environment; close it afterwards.

    With `make` an empty database is set up; without `tell` nothing is said of that.
    """
    from ehr.record import open_record

    settings = load(environment)
    _check_place(settings, make=make)
    record = open_record(settings, migrate=make)
    if record.database.is_new and tell:
        _tell_of_new(settings)
    try:
        yield record
    finally:
        record.database.close()


def check_there(settings: Settings) -> None:
    """Raise CommandError where the database is an embedded one that does not exist."""
    file = embedded_file(settings)
    if file is not None and not file.exists():
        raise CommandError(
            f"There is no database {file}.",
            "EHR_DATABASE_URL names a file that does not exist; nothing was made there.",
            f"{_demo_beside(file)}Correct EHR_DATABASE_URL, or make one with `ehr serve`, "
            "`ehr load` or `ehr db upgrade`.",
            exit=Exit.DATABASE,
        )


def _demo_beside(file: Path) -> str:
    demo = file.with_name(DEMO_FILE)
    return f"For the demo's people set EHR_DATABASE_URL={_SQLITE}{demo}. " if demo.exists() else ""


def embedded_file(settings: Settings) -> Path | None:
    """Return the file of an embedded database, None for a server's."""
    if not settings.database_url.startswith(_SQLITE):
        return None
    return Path(settings.database_url.removeprefix(_SQLITE))


def _check_place(settings: Settings, *, make: bool) -> None:
    file = embedded_file(settings)
    if not make:
        check_there(settings)
    elif file is not None and not os.access(file.parent, os.W_OK | os.X_OK):
        raise CommandError(
            f"The database {file} can't be opened.",
            "Its folder does not exist or may not be written to.",
            "Make the folder, or name another file in EHR_DATABASE_URL.",
            exit=Exit.DATABASE,
        )


def _tell_of_new(settings: Settings) -> None:
    """Say which database was made: who meant another one reads an empty record otherwise."""
    output.say(
        f"There was nothing in {shown_url(settings.database_url)}, so an empty record was made "
        "there. EHR_DATABASE_URL names another."
    )
