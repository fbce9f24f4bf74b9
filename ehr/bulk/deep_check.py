"""Every row held against what it was made from: index rows, versions, addresses, feed, content.

Runs on one snapshot, in slices, beside a record in use. Only index rows can be repaired
(`index_repair.py`): a body or a version that is wrong can only come from a backup.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from sqlalchemy import Connection

from ehr.bulk.reextraction import Extracted, expected_rows, extracted, keys_of
from ehr.record import Record
from ehr.store import integrity
from ehr.store.drafts import Written
from ehr.store.locator import Name
from ehr.store.scan import snapshot, stream
from fhir_profiles.definitions import type_name

Advance = Callable[[int, int], None]
_SLICE = 1000
_SHOWN = 10
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


def _slices(
    record: Record, connection: Connection, unreadable: Finding
) -> Iterator[list[Extracted]]:
    """Yield the resources in slices of one patient key, each with its rows extracted."""
    for rows in stream(connection, _NEWEST, size=_SLICE):
        for _, some in groupby(rows, key=lambda row: row[0]):
            slice = [_read(record, row, unreadable) for row in some]
            yield [one for one in slice if one is not None]


def _read(record: Record, row: tuple[object, ...], unreadable: Finding) -> Extracted | None:
    key, rid, number, id, version, updated, dict_id, body = row
    type = type_name(number)  # type: ignore[arg-type]
    try:
        stored = record.database.compressor.decompress(bytes(body), dict_id)  # type: ignore[arg-type,call-overload]
        done = Written(200, type, id, version, updated, key, rid, stored)  # type: ignore[arg-type]
        return extracted(record, done)
    except Exception as error:
        unreadable.add(f"{type}/{id}: {error}")
        return None


def _compare(
    record: Record,
    connection: Connection,
    rows: list[Extracted],
    report: Report,
    indexes: Finding,
    dangling: Finding,
) -> None:
    if not rows:
        return
    keys = keys_of(record, connection, rows)
    rids = [one.current.rid for one in rows]
    there = {
        table: integrity.index_rows(connection, table, rows[0].current.patient_key, rids)
        for table in integrity.DERIVED_TABLES
    }
    for one in rows:
        expected = expected_rows(one, keys)
        wrong = [
            table.name
            for table in integrity.DERIVED_TABLES
            if there[table].get(one.current.rid, set()) != set(expected.get(table, ()))
        ]
        if wrong:
            indexes.add(f"{one.label}: {', '.join(wrong)}")
            report.stale.append((one.current.type, one.current.id))
        for row in one.rows.reference:
            if row.type and row.id and not keys.exists((row.type, row.id)):
                dangling.add(f"{one.label} refers to {row.type}/{row.id}")
