"""Reference rows: local targets by their keys, all others by a keyed hash until they appear."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ehr.store.contained import place as place_of
from ehr.store.drafts import Write
from ehr.store.engine import is_postgres, of
from ehr.store.hashing import Hasher
from ehr.store.resolve import Keys
from ehr.store.rows import ReferenceRow
from ehr.store.statements import query
from fhir_profiles.definitions import is_resource_type, type_number

Row = tuple[Any, ...]


def target_text(row: ReferenceRow) -> str | None:
    """Return the normalised text of a target: `Type/id`, or its url without a version."""
    return f"{row.type}/{row.id}" if row.id is not None else row.url


def reference_rows(
    found: Sequence[ReferenceRow], patient_key: int, rid: int, keys: Keys, *, nth: int = 0
) -> list[Row]:
    """Return the table rows of a resource's references, numbered as they stand in it.

    They are those of the `nth` resource that the row contains, its own where that is 0.
    """
    rows: list[Row] = []
    for n, row in enumerate(found):
        number = type_number(row.type) if row.type and is_resource_type(row.type) else None
        place = keys.find((row.type, row.id)) if row.type and row.id else None
        if row.contained is not None:
            place = (patient_key, place_of(rid, row.contained))
        if place is not None:
            target: Row = (number, *place, None)
        else:
            text = target_text(row)
            target = (number, None, None, keys.hasher.text(text) if text else None)
        identifier = (row.identifier_hash, row.identifier_system)
        here = (patient_key, place_of(rid, nth), n, row.path, row.element)
        rows.append((*here, *target, row.version, *identifier))
    return rows


def member_rows(found: Sequence[ReferenceRow], patient_key: int, rid: int, keys: Keys) -> list[Row]:
    """Return a row for each further patient that a resource names."""
    members: dict[Row, None] = {}
    for row in found:
        if row.type == "Patient" and row.id is not None:
            place = keys.find((row.type, row.id))
            if place is not None and place[0] != patient_key:
                members[(place[0], patient_key, rid, row.path)] = None
    return list(members)


_ADOPT_POSTGRES = (
    "UPDATE reference SET target_key = u.patient_key, target_rid = u.rid, target_hash = NULL "
    "FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[]) AS u (hash, patient_key, rid) "
    "WHERE reference.target_hash = u.hash"
)
_ADOPT_SQLITE = (
    "UPDATE reference SET target_key = ?, target_rid = ?, target_hash = NULL WHERE target_hash = ?"
)


def adopt(connection: Connection, writes: Sequence[Write], keys: Keys) -> None:
    """Point the references that waited for these resources at them."""
    if not writes:
        return
    hasher: Hasher = keys.hasher
    places = [
        (hasher.text(f"{write.type}/{write.id}"), *keys.own[write.type, write.id])
        for write in writes
    ]
    if is_postgres(connection):
        columns = [list(column) for column in zip(*places, strict=True)]
        query(connection, _ADOPT_POSTGRES, columns)
        return
    of(connection).announce(_ADOPT_SQLITE)
    cursor = connection.connection.cursor()
    cursor.executemany(_ADOPT_SQLITE, [(key, rid, hash) for hash, key, rid in places])
