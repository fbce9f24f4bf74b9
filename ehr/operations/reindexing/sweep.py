"""Row after row made again, a few at a time, each few in one transaction with how far it came.

A resource is locked before its rows are looked at, so that what a writer makes of it meanwhile is
what is found here, or comes later and makes its own rows. A row that an earlier generation made is
changed by the difference to what that made; rows of unknown making are compared with what is there.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from ehr.interactions.access.rows import keep_access_of
from ehr.interactions.reextraction import keys_of, rows_of, table_rows
from ehr.record import Record
from ehr.store import directory_mark, index_rows, read, reindex_runs, reindexing
from ehr.store.drafts import Current
from ehr.store.index_stamps import is_of_this_release
from ehr.store.insert import delete_rows, insert_rows, update_rows
from ehr.store.reindex_runs import Run
from ehr.store.reindexing import START, Place
from ehr.store.rows import IndexRows
from ehr.store.tables import resource

if TYPE_CHECKING:
    from sqlalchemy import Connection

BATCH = 200
Tell = Callable[[int], None]  # so many resources more


@dataclass(slots=True)
class Swept:
    """How many resources were visited, how many of them had other rows than they should."""

    visited: int = 0
    changed: int = 0


@dataclass(slots=True)
class _Batch:
    gone: index_rows.Batch = field(default_factory=dict)
    made: index_rows.Batch = field(default_factory=dict)
    stamped: list[tuple[int, int, int]] = field(default_factory=list)
    changed: int = 0

    def add(self, gone: index_rows.Batch, made: index_rows.Batch) -> None:
        for batch, some in ((self.gone, gone), (self.made, made)):
            for table, rows in some.items():
                batch.setdefault(table, []).extend(rows)
        self.changed += any(gone.values()) or any(made.values())


def sweep(
    record: Record, run: Run, condition: str, after: Place, tell: Tell, *, compares: bool
) -> Swept:
    """Visit every resource behind a place that meets a condition; return how many there were."""
    swept = Swept()
    while True:
        with record.database.read() as connection:
            found = reindexing.following(connection, after, condition, BATCH)
        if not found:
            return swept
        after = found[-1][0]
        names = [name for _, name in found]
        changed = _write(record, run, names, after, swept, compares=compares)
        swept = Swept(swept.visited + len(found), swept.changed + changed)
        tell(len(found))


def _write(
    record: Record,
    run: Run,
    names: Sequence[tuple[str, str]],
    after: Place,
    swept: Swept,
    *,
    compares: bool,
) -> int:
    def work(connection: "Connection") -> int:
        changed = rebuild(record, connection, names, compares=compares)
        reindex_runs.change(
            connection,
            run,
            beat=record.clock(),
            at_key=after[0],
            at_rid=after[1],
            visited=run.visited + swept.visited + len(names),
            changed=run.changed + swept.changed + changed,
        )
        return changed

    return record.database.write(work)


def rebuild(
    record: Record,
    connection: "Connection",
    names: Collection[tuple[str, str]],
    *,
    compares: bool = True,
) -> int:
    """Make the rows of these resources by the definitions in force; return how many changed."""
    rows = read.currents(connection, names).values()
    held = sorted((one for one in rows if not one.deleted), key=attrgetter("patient_key", "rid"))
    stamp = record.indexer.stamp
    batch = _Batch()
    unknown: list[Current] = []
    known: list[Current] = []
    for one in held:
        if compares or not is_of_this_release(one.index_version):
            unknown.append(one)
        elif one.index_version != stamp:
            known.append(one)
    for _, group in groupby(unknown, key=attrgetter("patient_key")):
        _compare(record, connection, list(group), batch)
    _advance(record, connection, known, batch)
    batch.stamped += [
        (one.patient_key, one.rid, stamp) for one in held if one.index_version != stamp
    ]
    delete_rows(connection, batch.gone)
    insert_rows(connection, batch.made)
    update_rows(connection, resource, ("index_version",), batch.stamped)
    keep_access_of(record, connection, unknown)
    if directory_mark.concerns(one.type for one in held):
        directory_mark.change(connection)
    return batch.changed


def _advance(
    record: Record, connection: "Connection", rows: Sequence[Current], batch: _Batch
) -> None:
    """Add what differs between what rows were made by and what they are to be made by."""
    pairs: list[tuple[Current, IndexRows, IndexRows]] = [
        (one, rows_of(record, one, one.index_version), rows_of(record, one)) for one in rows
    ]
    keys = keys_of(record, connection, [made for _, *both in pairs for made in both])
    for one, before, now in pairs:
        batch.add(*table_rows(one, now, keys, before))


def _compare(
    record: Record, connection: "Connection", rows: Sequence[Current], batch: _Batch
) -> None:
    """Add what differs between the rows that are there and those that should be.

    What is there is read before what is referred to: a target that appears in between is then
    found, and the other way round its row would be taken for a wrong one.
    """
    rids = [one.rid for one in rows]
    there = reindexing.there(connection, rows[0].patient_key, rids)
    made = [rows_of(record, one) for one in rows]
    keys = keys_of(record, connection, made)
    for one, rows_made in zip(rows, made, strict=True):
        _, expected = table_rows(one, rows_made, keys)
        gone: index_rows.Batch = {}
        fresh: index_rows.Batch = {}
        for table, by_rid in there.items():
            found, wanted = by_rid.get(one.rid, set()), set(expected.get(table, ()))
            if found != wanted:
                gone[table] = [index_rows.primary_key(table, row) for row in found - wanted]
                fresh[table] = list(wanted - found)
        batch.add(gone, fresh)


def place_of(run: Run) -> Place:
    """Return where a run goes on."""
    if run.at_key is None or run.at_rid is None:
        return START
    return run.at_key, run.at_rid
