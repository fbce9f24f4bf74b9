"""Backup, restore and copy: every table, row by row, proved by counts and digests on both sides.

What came in is read again and compared. Commit stamps, counters, keys and dictionaries travel as
they are; the epoch changes, so that cursors and cached pages of before are refused (410).
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Table

from ehr.bulk.archive import Manifest, Reader, Writer
from ehr.store import contents, keys, migrate
from ehr.store.contents import Digest
from ehr.store.engine import Database
from ehr.store.scan import Row, snapshot
from ehr.store.tables import database_fact, key_ring

Told = Callable[[str, int], None]  # (table, rows more)


class NotEmpty(Exception):
    """The target holds something already."""


class Differs(Exception):
    """What arrived is not what was sent: `str()` names the table."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One table, proved."""

    table: str
    rows: int
    digest: str


def backup(database: Database, path: Path, tell: Told) -> list[Moved]:
    """Write a portable backup of one committed state into a new file."""
    writer = Writer(path)
    moved = []
    with snapshot(database) as connection:
        revision = migrate.current_revision(connection) or ""
        for table in contents.tables():
            digest = Digest()
            writer.table(
                table.name, _told(contents.rows_of(connection, table), digest, table, tell)
            )
            moved.append(Moved(table.name, digest.rows, digest.text()))
    parts = {one.table: (one.rows, one.digest) for one in moved}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    writer.close(Manifest(revision, database.dialect, created, parts))
    return moved


def verify(path: Path, tell: Told) -> list[Moved]:
    """Read a backup whole and hold it against its manifest. Raises Differs, NotABackup."""
    reader = Reader(path)
    moved = []
    for table in contents.tables():
        digest = Digest()
        for rows in _told(reader.table(table.name), digest, table, tell):
            del rows
        rows_there, digest_there = reader.manifest.tables[table.name]
        _compare(table, digest, rows_there, digest_there)
        moved.append(Moved(table.name, digest.rows, digest.text()))
    reader.close()
    return moved


def check_secret(path: Path, secret: str) -> None:
    """Try the keys of a backup. Raises WrongSecret where another secret opens them, NotABackup."""
    place = list(key_ring.columns).index(key_ring.c.secret)
    reader = Reader(path)
    try:
        for rows in reader.table(key_ring.name):
            for row in rows:
                keys.unwrapped(row[place], secret)
    finally:
        reader.close()


def restore(path: Path, target: Database, tell: Told) -> list[Moved]:
    """Bring a backup into an empty, migrated database. Raises NotEmpty, Differs, NotABackup."""
    reader = Reader(path)
    try:
        return _fill(target, reader.table, tell, reader.manifest.tables)
    finally:
        reader.close()


def copy(source: Database, target: Database, tell: Told) -> list[Moved]:
    """Copy one committed state into an empty, migrated database. Raises NotEmpty, Differs."""
    with snapshot(source) as connection:
        by_name = {table.name: table for table in contents.tables()}
        return _fill(target, lambda name: contents.rows_of(connection, by_name[name]), tell, None)


def _fill(
    target: Database,
    slices: Callable[[str], Iterator[list[Row]]],
    tell: Told,
    proofs: dict[str, tuple[int, str]] | None,
) -> list[Moved]:
    _begin(target)
    sent: dict[str, Digest] = {}
    for table in contents.tables():
        digest = sent[table.name] = Digest()
        for rows in _told(slices(table.name), digest, table, tell):
            target.write(partial(contents.put_rows, table, rows))
        if proofs is not None:
            _compare(table, digest, *proofs[table.name])
    moved = _check(target, sent)
    target.write(_finish)
    return moved


def _told(
    slices: Iterator[list[Row]], digest: Digest, table: Table, tell: Told
) -> Iterator[list[Row]]:
    for rows in slices:
        digest.add(rows)
        tell(table.name, len(rows))
        yield rows


def _begin(target: Database) -> None:
    def work(connection: Connection) -> None:
        if not contents.is_empty(connection):
            raise NotEmpty
        contents.make_way(connection)
        contents.mark_unfinished(connection)

    target.write(work)


def _check(target: Database, sent: dict[str, Digest]) -> list[Moved]:
    """Read what arrived and compare."""
    moved = []
    with snapshot(target) as connection:
        for table in contents.tables():
            digest = contents.digest_of(connection, table)
            _compare(table, digest, sent[table.name].rows, sent[table.name].text())
            moved.append(Moved(table.name, digest.rows, digest.text()))
    return moved


def _compare(table: Table, found: Digest, rows: int, digest: str) -> None:
    if found.rows != rows or found.text() != digest:
        raise Differs(
            f"Table {table.name} has {found.rows:,} rows with digest {found.text()}; "
            f"{rows:,} with {digest} were expected."
        )


def _finish(connection: Connection) -> None:
    contents.settle_stamps(connection)
    contents.mark_finished(connection, migrate.newest_revision())
    epoch = database_fact.c.name == "epoch"
    connection.execute(database_fact.update().where(epoch).values(value=secrets.token_hex(8)))
