"""A resource extracted again from its body, and the rows that writing it now would make."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ehr.interactions.drafting import bases, resource_of
from ehr.interactions.reextraction import current_of, table_rows
from ehr.messages import Resource
from ehr.record import Record
from ehr.store import index_rows
from ehr.store.drafts import Written
from ehr.store.index_stamps import is_of_this_release
from ehr.store.locator import Name, locate
from ehr.store.resolve import Keys
from ehr.store.rows import IndexRows
from fhir_profiles.owners import SHARED, owner_reference
from fhir_profiles.references import type_and_id


@dataclass(slots=True)
class Extracted:
    """One version, extracted again; index rows of a current one only."""

    current: Written
    resource: Resource
    rows: IndexRows
    is_behind: bool = False

    @property
    def label(self) -> str:
        """Return the address, for people."""
        return f"{self.current.type}/{self.current.id}"


def extracted(
    record: Record, done: Written, *, is_current: bool = True, stamp: int | None = None
) -> Extracted:
    """Return what a stored body says and, of a current version, what the indexer makes of it.

    `stamp` tells by which definitions; those of an earlier release nobody knows any more.
    """
    resource = resource_of(current_of(done))
    is_known = stamp is not None and is_of_this_release(stamp)
    indexer = record.definitions.indexer_of(stamp) if stamp and is_known else record.indexer
    rows = indexer.rows(resource) if is_current else IndexRows()
    return Extracted(done, resource, rows, is_behind=stamp is not None and not is_known)


def keys_of(record: Record, connection: Connection, rows: Sequence[Extracted]) -> Keys:
    """Return the keys of what these resources refer to, and of whom they are about."""
    names = {
        (row.type, row.id)
        for one in rows
        for row in one.rows.links()
        if row.type is not None and row.id is not None
    }
    owners = {_owner(record, one) for one in rows}
    known = locate(connection, names | {name for name in owners if name is not None})
    return Keys(record.database.hasher, iter(()), iter(()), known=known)


def owner_key(record: Record, one: Extracted, keys: Keys) -> int | None:
    """Return the key that a resource belongs under, None where its body names no one patient."""
    if one.current.type in SHARED:
        return 0
    if one.current.type == "Patient":
        return one.current.patient_key  # its own, whatever it is
    name = _owner(record, one)
    place = keys.find(name) if name is not None else None
    return place[0] if place is not None else None


def _owner(record: Record, one: Extracted) -> Name | None:
    text = owner_reference(one.resource)
    found = type_and_id(text, bases(record)) if text else None
    return (found[0], found[1]) if found is not None and found[0] == "Patient" else None


def expected_rows(one: Extracted, keys: Keys) -> index_rows.Batch:
    """Return the index rows that writing this resource now would make."""
    return table_rows(current_of(one.current), one.rows, keys)[1]
