"""Current resources, slice by slice: whose record they are in, index rows, what they refer to."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection

from ehr.bulk.checking.findings import REBUILD, Report
from ehr.bulk.checking.reextraction import Extracted, expected_rows, keys_of, owner_key
from ehr.record import Record
from ehr.store import integrity
from ehr.store.locator import Name
from ehr.store.resolve import Keys

_OWNER = (
    "Others may see it, or those who should do not: restore it from a backup, or mark it "
    "entered-in-error and create it again for its patient."
)
_DANGLING = "Load what is missing, or correct the reference."


class Indexes:
    """The rules of current resources."""

    def __init__(self, record: Record, connection: Connection, report: Report) -> None:
        self._record, self._connection = record, connection
        self._unfiled = integrity.unfiled_keys(connection)
        self._owners = report.rule("each resource is in the record that its body names", _OWNER)
        self._rows = report.rule("index rows are what the body gives", REBUILD)
        self._dangling = report.rule(
            "references lead to a resource", _DANGLING, is_note=record.settings.references != "all"
        )

    def check(self, slice: Sequence[Extracted]) -> list[Name]:
        """Ask about resources in order of their keys; return those with wrong index rows."""
        keys = keys_of(self._record, self._connection, slice)
        stale: list[Name] = []
        for _, group in groupby(slice, key=lambda one: one.current.patient_key):
            stale += self._compare(list(group), keys)
        for one in slice:
            self._check_owner(one, keys)
            for row in one.rows.links():
                # That of an element is there a second time, for a composite parameter.
                is_copy = row.element != 0
                if row.type and row.id and not is_copy and not keys.exists((row.type, row.id)):
                    self._dangling.add(f"{one.label} refers to {row.type}/{row.id}")
        return stale

    def _check_owner(self, one: Extracted, keys: Keys) -> None:
        here, expected = one.current.patient_key, owner_key(self._record, one, keys)
        if expected is None and here not in self._unfiled:
            self._owners.add(f"{one.label} is under key {here}, its body names no one patient")
        if expected is not None and here != expected:
            self._owners.add(f"{one.label} is under key {here}, its body names that of {expected}")

    def _compare(self, rows: Sequence[Extracted], keys: Keys) -> list[Name]:
        key = rows[0].current.patient_key
        rids = [one.current.rid for one in rows]
        there = {
            table: integrity.index_rows(self._connection, table, key, rids)
            for table in integrity.DERIVED_TABLES
        }
        stale: list[Name] = []
        for one in rows:
            expected = expected_rows(one, keys)
            wrong = [
                table.name
                for table in integrity.DERIVED_TABLES
                if there[table].get(one.current.rid, set()) != set(expected.get(table, ()))
            ]
            if one.is_behind:
                wrong.append("made by an earlier release")
            if wrong:
                self._rows.add(f"{one.label}: {', '.join(wrong)}")
                stale.append((one.current.type, one.current.id))
        return stale
