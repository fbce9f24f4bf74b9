"""Every row held against what it was made from: bodies, labels, owners, index rows, feed, content.

Runs on one snapshot, a few hundred versions at a time, beside a record in use. Only index rows can
be repaired (`repair.py`): a body or a version that is wrong can only come from a backup.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from ehr.bulk.checking.bodies import Bodies
from ehr.bulk.checking.findings import Report
from ehr.bulk.checking.indexes import Indexes
from ehr.record import Record
from ehr.store import integrity
from ehr.store.locator import Name
from ehr.store.rules import RULES
from ehr.store.scan import snapshot, stream

Advance = Callable[[int, int], None]
Repair = Callable[[Sequence[Name]], int]
_REINDEX = "Run `ehr reindex`, or `POST [base]/$reindex`."
# Versions that are held in memory together.
_SLICE = 250
# What one rule counts for on the bar, as a part of all versions.
_SHARE = 50
_VERSIONS = (
    "SELECT v.patient_key, v.rid, v.version, v.type, v.id, v.last_updated, v.method, v.conf, "
    "v.sens, v.blob_id, v.dict_id, v.body, r.version, r.deleted, r.care_date, r.index_version, "
    "v.release_at "
    "FROM version v JOIN resource r ON r.patient_key = v.patient_key AND r.rid = v.rid "
    "ORDER BY v.patient_key, v.rid, v.version"
)


def steps(record: Record) -> int:
    """Return how many steps `check` will tell of."""
    with record.database.read() as connection:
        versions, contents = integrity.sizes(connection)
    return versions + contents + len(RULES) * _rule_steps(versions)


def check(record: Record, advance: Advance, repair: Repair | None = None) -> Report:
    """Hold everything against everything.

    `advance` is told of (steps, versions). `repair` gets the names of resources whose index rows
    are wrong, slice by slice, and returns how many it mended.
    """
    report = Report()
    with snapshot(record.database) as connection:
        _check_versions(record, connection, report, advance, repair)
        _note_definitions(record, report)
        weight = _rule_steps(report.versions)
        for rule in RULES:
            finding = report.rule(rule.name, rule.remedy)
            finding.count, finding.examples = integrity.broken(connection, rule)
            advance(weight, 0)
        content = report.rule("content is whole and has the digest it came with")
        for fault in integrity.contents(connection):
            if fault is not None:
                content.add(fault)
            advance(1, 0)
    return report


def _note_definitions(record: Record, report: Report) -> None:
    note = report.rule("all search parameters can be searched by", _REINDEX, is_note=True)
    record.definitions.refresh()
    for url in sorted(set(record.definitions.custom.waiting.values())):
        note.add(url)


def _rule_steps(versions: int) -> int:
    return 1 + versions // _SHARE


def _check_versions(
    record: Record, connection: Connection, report: Report, advance: Advance, repair: Repair | None
) -> None:
    bodies = Bodies(record, report)
    indexes = Indexes(record, connection, report)
    for rows in stream(connection, _VERSIONS, size=_SLICE):
        current = [one for row in rows if (one := bodies.check(row)) is not None]
        stale = indexes.check(current)
        report.versions += len(rows)
        report.resources += len(current)
        if stale and repair is not None:
            report.repaired += repair(stale)
        advance(len(rows), len(rows))
