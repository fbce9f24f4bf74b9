"""The counts of a `$reindex`, proven: what the bodies give against what the tables have.

On one snapshot. Each body is read and extracted once more, whoever wrote it; the rows that should
be there are counted by table and parameter, and so are those that are. Nothing of what the sweep
believes to have done goes into it.
"""

from collections import Counter
from dataclasses import dataclass, field

from ehr.interactions.reextraction import current_of, keys_of, rows_of, table_rows
from ehr.operations.reindexing.sweep import Tell
from ehr.record import Record
from ehr.store import reindexing
from ehr.store.drafts import Current, Written
from ehr.store.index_rows import Batch
from ehr.store.reindexing import UNRESOLVED, Counts, column_of
from ehr.store.rules import DERIVED_TABLES
from ehr.store.scan import Row, snapshot
from ehr.store.tables import reference
from fhir_profiles.definitions import type_name

_HASH = reference.columns.keys().index("target_hash")
# Where rows have the parameter or path that they are of.
_AT = {
    table: table.columns.keys().index(column) if (column := column_of(table)) else None
    for table in DERIVED_TABLES
}


@dataclass(slots=True)
class Proof:
    """How many resources there are, by type, and how many rows: by their bodies, by the tables.

    `behind` are resources whose rows earlier definitions made. `failed` counts, by expression, the
    resources that it does not fit.
    """

    resources: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    behind: Counter[str] = field(default_factory=Counter)
    expected: Counts = field(default_factory=Counter)
    counted: Counts = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def disagreements(self) -> dict[tuple[str, int | None], tuple[int, int]]:
        """Return the tables and parameters whose rows are not as many as they should be."""
        return {
            key: (self.expected[key], self.counted[key])
            for key in sorted(self.expected.keys() | self.counted.keys(), key=str)
            if self.expected[key] != self.counted[key]
        }

    @property
    def holds(self) -> bool:
        """Tell whether all the counts agree."""
        return not self.behind.total() and self.resources == self.read and not self.disagreements


def prove(record: Record, scope: str, behind: str, tell: Tell) -> Proof:
    """Count everything that meets a condition; `behind` is what no row of it may be any more."""
    proof = Proof()
    with snapshot(record.database) as connection:
        proof.resources = reindexing.count(connection, scope)
        proof.behind = reindexing.count(connection, f"{scope} AND {behind}")
        for some in reindexing.bodies(connection, scope):
            currents = [_current(record, row) for row in some]
            rows = [rows_of(record, one) for one in currents]
            keys = keys_of(record, connection, rows)
            for one, made in zip(currents, rows, strict=True):
                proof.read[one.type] += 1
                proof.failed.update(made.failed)
                _, batch = table_rows(one, made, keys)
                _count(batch, proof.expected)
            tell(len(some))
        proof.counted = reindexing.counted(connection, scope)
    return proof


def _current(record: Record, row: Row) -> Current:
    key, rid, number, id, version, updated, dict_id, body = row
    stored = record.database.compressor.decompress(bytes(body), dict_id)
    return current_of(Written(200, type_name(number), id, version, updated, key, rid, stored))


def _count(batch: Batch, expected: Counts) -> None:
    for table, rows in batch.items():
        name, at = table.name, _AT[table]
        if at is None:
            expected[name, None] += len(rows)
            continue
        for row in rows:
            expected[name, row[at]] += 1
        if table is reference:
            unresolved = sum(row[_HASH] is not None for row in rows)
            expected["unresolved", UNRESOLVED] += unresolved
