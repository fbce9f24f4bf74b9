"""Every row held against what it was made from: index rows, versions, addresses, feed, content.

Runs on one snapshot, in slices, beside a record in use. `repair` rebuilds index rows; nothing else
is ever changed, because a body or a version that is wrong can only come from a backup.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

from sqlalchemy import Connection

from ehr.interactions.drafting import resource_of
from ehr.record import Record
from ehr.store import index_rows, integrity, read
from ehr.store.drafts import Current, Draft, Method, Write, Written
from ehr.store.insert import insert_rows
from ehr.store.locator import Name, locate
from ehr.store.resolve import Keys
from ehr.store.rows import IndexRows
from ehr.store.scan import snapshot, stream
from ehr.store.tables import identifier_locator, locator, member
from fhir_profiles.definitions import type_name

Advance = Callable[[int, int], None]
_SLICE = 1000
_SHOWN = 10
_TABLES = (*integrity.INDEX_TABLES, identifier_locator, member)
_NEWEST = (
    "SELECT r.patient_key, r.rid, r.type, r.id, r.version, r.last_updated, v.dict_id, v.body "
    "FROM resource r JOIN version v ON v.patient_key = r.patient_key AND v.rid = r.rid "
    "AND v.version = r.version WHERE r.deleted = false ORDER BY r.patient_key, r.rid"
)


@dataclass(slots=True)
class Finding:
    """One rule and what breaks it. `is_note`: worth knowing, no fault."""

    name: str
    count: int = 0
    examples: list[str] = field(default_factory=list)
    is_note: bool = False

    def add(self, example: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.examples) < _SHOWN:
            self.examples.append(example)


@dataclass(slots=True)
class Report:
    """What the check found: `stale` are the resources whose index rows are wrong."""

    findings: list[Finding]
    resources: int = 0
    stale: list[Name] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Tell whether no rule is broken."""
        return not any(one.count for one in self.findings if not one.is_note)


def check(record: Record, advance: Advance) -> Report:
    """Hold everything against everything."""
    bodies = Finding("every body can be read")
    indexes = Finding("index rows are what the body gives")
    dangling = Finding("references lead to a resource", is_note=record.settings.references != "all")
    report = Report([bodies, indexes, dangling])
    with snapshot(record.database) as connection:
        for rows in _slices(record, connection, bodies):
            _compare(record, connection, rows, report, indexes, dangling)
            report.resources += len(rows)
            advance(len(rows), len(rows))
        for rule in integrity.RULES:
            count, examples = integrity.broken(connection, rule)
            shown = [f"key {row[0]}, row {row[1]}" for row in examples]
            report.findings.append(Finding(rule.name, count, shown))
        content = Finding("content has the digest it came with")
        for key, blob_id in integrity.unsound_content(connection):
            content.add(f"key {key}, content {blob_id}")
        report.findings.append(content)
    return report


@dataclass(frozen=True, slots=True)
class _Row:
    """One resource, extracted again."""

    current: Written
    rows: IndexRows

    @property
    def label(self) -> str:
        return f"{self.current.type}/{self.current.id}"


def _slices(record: Record, connection: Connection, unreadable: Finding) -> Iterator[list[_Row]]:
    """Yield the resources in slices of one patient key, each with its rows extracted."""
    for rows in stream(connection, _NEWEST, size=_SLICE):
        for _, some in groupby(rows, key=lambda row: row[0]):
            slice = [_extracted(record, row, unreadable) for row in some]
            yield [one for one in slice if one is not None]


def _extracted(record: Record, row: tuple[object, ...], unreadable: Finding) -> _Row | None:
    key, rid, number, id, version, updated, dict_id, body = row
    type = type_name(number)  # type: ignore[arg-type]
    try:
        stored = record.database.compressor.decompress(bytes(body), dict_id)  # type: ignore[arg-type,call-overload]
        done = Written(200, type, id, version, updated, key, rid, stored)  # type: ignore[arg-type]
        return _Row(done, record.indexer.rows(resource_of(_as_current(done))))
    except Exception as error:
        unreadable.add(f"{type}/{id}: {error}")
        return None


def _as_current(done: Written) -> Current:
    return Current(
        done.patient_key, done.rid, done.type, done.id, done.version, done.last_updated, False,
        0, 0, None, None, None, 0, None, done.stored,
    )  # fmt: skip


def _compare(
    record: Record,
    connection: Connection,
    rows: list[_Row],
    report: Report,
    indexes: Finding,
    dangling: Finding,
) -> None:
    if not rows:
        return
    keys = _keys(record, connection, rows)
    rids = [one.current.rid for one in rows]
    there = {
        table: integrity.index_rows(connection, table, rows[0].current.patient_key, rids)
        for table in _TABLES
    }
    for one in rows:
        expected = _expected(one, keys)
        wrong = [
            table.name
            for table in _TABLES
            if there[table].get(one.current.rid, set()) != set(expected.get(table, ()))
        ]
        if wrong:
            indexes.add(f"{one.label}: {', '.join(wrong)}")
            report.stale.append((one.current.type, one.current.id))
        for row in one.rows.reference:
            if row.type and row.id and not keys.exists((row.type, row.id)):
                dangling.add(f"{one.label} refers to {row.type}/{row.id}")


def _keys(record: Record, connection: Connection, rows: list[_Row]) -> Keys:
    names = {
        (row.type, row.id)
        for one in rows
        for row in one.rows.reference
        if row.type is not None and row.id is not None
    }
    known = locate(connection, names)
    return Keys(record.database.hasher, iter(()), iter(()), known=known)


def _expected(one: _Row, keys: Keys) -> index_rows.Batch:
    """Return the index rows that writing this resource now would make."""
    done = one.current
    draft = Draft(done.type, {}, done.stored, b"", one.rows, 0, 0, None, None)
    made: index_rows.Batch = {}
    write = Write(Method.PUT, done.type, done.id, draft=draft)
    index_rows.difference(write, done, keys, {}, made)
    made.pop(locator, None)
    return made


def repair(record: Record, names: list[Name]) -> int:
    """Rebuild the index rows of these resources; return how many were rebuilt."""
    done = 0
    for first in range(0, len(names), _SLICE):
        some = names[first : first + _SLICE]
        done += record.database.write(partial(_rebuild, record, some))
    return done


def _rebuild(record: Record, names: list[Name], connection: Connection) -> int:
    rows = []
    for row in read.currents(connection, names).values():
        if not row.deleted:
            done = Written(
                200, row.type, row.id, row.version, row.last_updated, row.patient_key, row.rid,
                row.stored,
            )  # fmt: skip
            rows.append(_Row(done, record.indexer.rows(resource_of(row))))
    keys = _keys(record, connection, rows)
    for one in rows:
        integrity.clear_index(connection, one.current.patient_key, one.current.rid)
        insert_rows(connection, _expected(one, keys))
    return len(rows)
