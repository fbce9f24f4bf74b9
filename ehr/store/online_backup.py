"""SQLite's own online backup: one consistent file while writes go on."""

import sqlite3
from pathlib import Path
from typing import cast

from ehr.store.engine import Database

_PAGES = 4096


def copy_file(database: Database, path: Path) -> None:
    """Copy an SQLite database into a new file and check that it is whole. Raises ValueError."""
    with database.read() as connection:
        source = cast(sqlite3.Connection, connection.connection.driver_connection)
        target = sqlite3.connect(path)
        try:
            source.backup(target, pages=_PAGES)
            answer = target.execute("PRAGMA integrity_check").fetchone()[0]
            target.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        finally:
            target.close()
    if answer != "ok":
        raise ValueError(str(answer))
