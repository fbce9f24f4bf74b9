"""A record of any size for benches of search: the Synthea sets, loaded once and copied again.

Made once for each engine, size and schema, kept in a folder outside the checkout, and taken again.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Index, text

from ehr.bulk.transfer import copy
from ehr.record import Record, open_record
from ehr.settings import DEVELOPMENT_SECRET, load
from ehr.store import tables
from ehr.store.contents import put_rows
from ehr.store.drafts import INDEX_VERSION
from ehr.store.engine import Database
from ehr.store.locator import Located
from ehr.store.migrate import newest_revision
from ehr.store.opening import open_database
from ehr.store.scan import stream
from ehr.store.upkeep import settle
from fhir_profiles.definitions import type_name
from tests.bench import synthea
from tests.bench.measuring import say
from tests.bench.search_copies import Copier, Place, Rows

_MADE_BY = 2  # raised when copies are made otherwise
_CHECKOUT = Path(__file__).parents[2]
_PER_PATIENT = 170  # so that a million resources are more than 5,000 patients
_SLICE = 20_000
_DAYS = (-10 * 364, 364)
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def stem(size: int) -> str:
    """Return what the database of this size is called, as this release makes it."""
    return f"search-{newest_revision()}-{INDEX_VERSION}-{_MADE_BY}-{size}"


def make(url: str, size: int, cache: Path) -> None:
    """Fill a new database with at least this many resources."""
    began = time.monotonic()
    base = _base(cache)
    source = open_database(base, secret=DEVELOPMENT_SECRET)
    target = open_database(url, secret=DEVELOPMENT_SECRET, migrate=True)
    copy(source, target, lambda _table, _rows: None)
    source.close()
    target.close()
    record = open_record(load({"EHR_DATABASE_URL": url, "EHR_LOG": "warning"}))
    indexes = _indexes(record.database)
    record.database.write(partial(_drop, indexes))
    made, patients = _multiply(record, size)
    record.database.write(partial(_create, indexes))
    settle(record.database)
    record.database.close()
    if url.startswith("postgresql"):  # as autovacuum would have done in time
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
    say(f"   made {made:,} resources of {patients:,} patients in {time.monotonic() - began:.0f} s")


def _base(cache: Path) -> str:
    """Return the URL of the loaded Synthea sets."""
    path = cache / f"{stem(0)}.db"
    url = f"sqlite:///{path}"
    if not path.exists():
        part = path.with_suffix(".part.db")
        for old in cache.glob(f"{part.name}*"):
            old.unlink()
        archives = [str(synthea.archive_of(name)) for name in synthea.SETS]
        command = [sys.executable, "-m", "ehr", "load", "--rejects", os.devnull, "--json"]
        environment = os.environ | {"EHR_DATABASE_URL": f"sqlite:///{part}"}
        done = subprocess.run(
            [*command, *archives], env=environment, cwd=_CHECKOUT, capture_output=True, check=False
        )
        if not part.exists() or json.loads(done.stdout)["created"] < 20_000:
            raise RuntimeError(f"the Synthea sets were not loaded: {done.stderr[-2000:]!r}")
        part.rename(path)
        part.with_name(f"{part.name}.lock").unlink(missing_ok=True)
    return url


def _indexes(database: Database) -> list[Index]:
    """Return the indexes beside the primary keys, which are built faster when all rows are in."""
    return [
        index
        for table in tables.metadata.sorted_tables
        for index in table.indexes
        if index.info.get("engine", database.dialect) == database.dialect
    ]


def _drop(indexes: list[Index], connection: Connection) -> None:
    for index in indexes:
        connection.execute(text(f"DROP INDEX IF EXISTS {index.name}"))


def _create(indexes: list[Index], connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
    for index in indexes:
        index.create(connection)


def _multiply(record: Record, size: int) -> tuple[int, int]:
    with record.database.read() as connection:
        copiers = _copiers(record, connection)
        start = {
            name: connection.execute(text(f"SELECT max({column}) FROM {table}")).scalar_one()
            for name, column, table in _COUNTERS
        }
        stamp, at = connection.execute(text("SELECT max(commit_seq), max(at) FROM txn")).one()
    made = sum(len(one) for one in copiers)
    batch: Rows = {}
    held = number = 0
    for copier, days in _order(copiers):
        if made >= size:
            break
        number += 1
        place = Place(
            number, start["patient"] + number, start["rid"] + 1, days, start["txn"] + number,
            at + number,
        )  # fmt: skip
        for table, rows in copier.copy(place).items():
            batch.setdefault(table, []).extend(rows)
        batch[tables.txn][-1] = (place.txn_id, place.at, None, stamp + number)
        start["rid"] += len(copier)
        made, held = made + len(copier), held + len(copier)
        if held >= _SLICE:
            record.database.write(partial(_put, batch))
            batch, held = {}, 0
    record.database.write(partial(_put, batch))
    ahead = {
        "patient": start["patient"] + number,
        "rid": start["rid"],
        "txn": start["txn"] + number,
    }
    record.database.write(partial(_advance, ahead))
    return made, len(copiers) + number


_COUNTERS = (("patient", "patient_key", "locator"), ("rid", "rid", "locator"),
             ("txn", "txn_id", "txn"))  # fmt: skip


def _copiers(record: Record, connection: Connection) -> list[Copier]:
    known = {
        (type_name(number), id): Located(key, rid, False, False)
        for rows in stream(connection, "SELECT type, id, patient_key, rid FROM locator")
        for number, id, key, rid in rows
    }
    found: dict[int, list[tuple[Any, Any]]] = {}
    resources = _all(connection, "resource")
    versions = _all(connection, "version")
    shared: set[str] = {id for (_, id), one in known.items() if one.patient_key == 0}
    for (key, rid), version in versions.items():
        if key > 0:
            found.setdefault(key, []).append((resources[key, rid], version))
            continue
        v = dict(zip(tables.version.columns.keys(), version, strict=True))
        stored = record.database.compressor.decompress(bytes(v["body"]), v["dict_id"])
        shared.update(one.decode() for one in _UUID.findall(stored))
    return [Copier(record, one, frozenset(shared), known) for one in found.values()]


def _all(connection: Connection, name: str) -> dict[tuple[int, int], tuple[Any, ...]]:
    table = tables.metadata.tables[name]
    columns = ", ".join(table.columns.keys())
    return {
        (row[0], row[1]): tuple(row)
        for rows in stream(connection, f"SELECT {columns} FROM {name} ORDER BY patient_key, rid")
        for row in rows
    }


def _order(copiers: list[Copier]) -> Iterator[tuple[Copier, int]]:
    """Yield whom to copy next, and by how many days: large records as often as the mean allows."""
    chance = random.Random(5)
    ordered = sorted(copiers, key=len)
    small, large = ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]
    given = people = 0
    while True:
        one = chance.choice(large if given < people * _PER_PATIENT else small)
        given, people = given + len(one), people + 1
        yield one, chance.randrange(*_DAYS, 7)


def _put(batch: Rows, connection: Connection) -> None:
    for table in tables.metadata.sorted_tables:
        if table in batch:
            put_rows(table, batch[table], connection)


def _advance(numbers: dict[str, int], connection: Connection) -> None:
    for name, highest in numbers.items():
        connection.execute(
            tables.counter.update().where(tables.counter.c.name == name).values(next=highest + 1)
        )
