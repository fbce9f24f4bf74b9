"""Filing an unfiled resource under its patient: the one move between owners that there is."""

import logging
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, literal, select

from ehr.store import blobs
from ehr.store.contained import of_row
from ehr.store.drafts import Write
from ehr.store.insert import insert_rows
from ehr.store.resolve import Keys
from ehr.store.tables import (
    date,
    full_text,
    identifier_locator,
    locator,
    member,
    position,
    quantity,
    reference,
    resource,
    string,
    token,
    uri,
    version,
)
from fhir_profiles.definitions import type_number

_log = logging.getLogger("ehr.store")
# Parents first; deleted in the other order.
_TABLES = (resource, version, token, reference, date, string, quantity, uri, position)


def move_rows(connection: Connection, writes: Sequence[Write], keys: Keys) -> None:
    """Move the rows of resources that now have a patient from their unfiled key, in full."""
    for write in writes:
        if write.current is None or write.draft is None:
            continue
        patient_key, rid = keys.own[write.type, write.id]
        if write.current.patient_key != patient_key:
            _move(connection, write, patient_key)
            _log.info("filed %s rid=%s under key %s", write.type, rid, patient_key)


def _move(connection: Connection, write: Write, new: int) -> None:
    assert write.current is not None
    old, rid = write.current.patient_key, write.current.rid
    _move_blobs(connection, old, rid, new)
    for table in _TABLES:
        _copy(connection, table, old, new, of_row(table.c.rid, rid))
    for table in reversed(_TABLES):
        moved = delete(table).where(table.c.patient_key == old, of_row(table.c.rid, rid))
        connection.execute(moved)
    _move_words(connection, old, rid, new)
    named = (locator.c.type == type_number(write.type)) & (locator.c.id == write.id)
    connection.execute(locator.update().where(named).values(patient_key=new))
    hashes = [hash for hash, _ in write.previous.identifier] if write.previous else []
    same = (identifier_locator.c.hash.in_(hashes)) & (identifier_locator.c.rid == rid)
    connection.execute(identifier_locator.update().where(same).values(patient_key=new))
    pointing = of_row(reference.c.target_rid, rid)
    connection.execute(reference.update().where(pointing).values(target_key=new))
    owned = (member.c.owner_key == old) & (member.c.rid == rid)
    connection.execute(member.update().where(owned).values(owner_key=new))


def _move_words(connection: Connection, old: int, rid: int, new: int) -> None:
    # Removed before they are there again: FTS5 knows a row by its rid alone.
    t = full_text
    here = (t.c.patient_key == old, of_row(t.c.rid, rid))
    words = connection.execute(select(t.c.rid, t.c.narrative, t.c.content).where(*here)).all()
    if words:
        connection.execute(delete(t).where(*here))
        insert_rows(connection, {t: [(new, *row) for row in words]})


def _move_blobs(connection: Connection, old: int, rid: int, new: int) -> None:
    names = list(
        connection.execute(
            select(version.c.blob_id).where(
                version.c.patient_key == old, version.c.rid == rid, version.c.blob_id.isnot(None)
            )
        ).scalars()
    )
    if names:
        blobs.move(connection, names, old, new)


def _copy(
    connection: Connection, table: Table, old: int, new: int, which: ColumnElement[bool]
) -> None:
    columns = [
        literal(new).label("patient_key") if column.name == "patient_key" else column
        for column in table.columns
    ]
    rows = select(*columns).where(table.c.patient_key == old, which)
    connection.execute(insert(table).from_select([c.name for c in table.columns], rows))
