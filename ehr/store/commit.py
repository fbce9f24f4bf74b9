"""The one way into the tables: a list of writes becomes versions, rows and index rows.

Runs inside a write transaction. The number of statements does not depend on the number of writes:
look-up, patient locks, txn row, deletes, inserts, updates; `ehr/README.md` has the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table

from ehr.errors import Conflict
from ehr.store import directory_mark, feed, index_rows
from ehr.store.bodies import CURRENT_DICTIONARY
from ehr.store.drafts import Method, OutdatedIndex, Write, Written
from ehr.store.engine import is_postgres
from ehr.store.filing import move_rows
from ehr.store.index_stamps import stamp
from ehr.store.insert import delete_rows, insert_rows, update_rows
from ehr.store.left_rows import clear_left
from ehr.store.provenance import facts_rows
from ehr.store.references import adopt
from ehr.store.resolve import Keys, resolve
from ehr.store.statements import query
from ehr.store.tables import locator, provenance_fact, resource, version
from fhir_profiles.definitions import type_number

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Fresh numbers taken before the transaction began."""

    patient_keys: Sequence[int]
    rids: Sequence[int]
    txn_id: int


def commit(
    connection: Connection, writes: Sequence[Write], numbers: Numbers, mode: str
) -> list[Written]:
    """Write every version and return what became of each, in the same order.

    `mode` is EHR_REFERENCES. Raises Unprocessable for references that must resolve, Conflict for
    the deletion of a patient who has data, OutdatedIndex where others than the definitions in force
    made the index rows.
    """
    changed = [write for write in writes if not _is_unchanged(write)]
    if not changed:
        return [_unchanged(write) for write in writes]
    keys = resolve(
        connection,
        changed,
        mode=mode,
        patient_keys=numbers.patient_keys,
        rids=numbers.rids,
    )
    at, generation = feed.open_txn(connection, numbers.txn_id)
    current = stamp(generation)
    if any(write.draft is not None and write.draft.rows.stamp != current for write in changed):
        raise OutdatedIndex
    move_rows(connection, changed, keys)
    written = {id(write): _written(write, keys, at) for write in changed}
    _store(connection, changed, keys, numbers.txn_id, written, current)
    _refuse_orphans(connection, changed, keys)
    if directory_mark.concerns(write.type for write in changed):
        directory_mark.change(connection)
    return [written.get(id(write)) or _unchanged(write) for write in writes]


def _is_unchanged(write: Write) -> bool:
    """Tell whether an update carries what is there already: it makes no new version."""
    current, draft = write.current, write.draft
    return (
        current is not None
        and draft is not None
        and not current.deleted
        and current.stored == draft.stored
        and current.blob_id == draft.blob_id
    )


def _unchanged(write: Write) -> Written:
    row = write.current
    assert row is not None
    return Written(
        200, row.type, row.id, row.version, row.last_updated, row.patient_key, row.rid, row.stored
    )


def _written(write: Write, keys: Keys, at: int) -> Written:
    patient_key, rid = keys.own[write.type, write.id]
    before = write.current
    if write.draft is None:
        status, stored = 204, b""
    else:
        status = 200 if before is not None and not before.deleted else 201
        stored = write.draft.stored
    return Written(
        status,
        write.type,
        write.id,
        before.version + 1 if before else 1,
        max(at, before.last_updated) if before else at,
        patient_key,
        rid,
        stored,
    )


def _store(
    connection: Connection,
    writes: Sequence[Write],
    keys: Keys,
    txn_id: int,
    written: dict[int, Written],
    stamped: int,
) -> None:
    gone: dict[Table, list[Row]] = {}
    rows: dict[Table, list[Row]] = {locator: _locators(writes, keys), resource: []}
    updates: list[Row] = []
    versions: list[Row] = []
    for write in writes:
        done = written[id(write)]
        access = _access(write, txn_id)
        if write.current is None:
            rows[resource].append(_resource_row(write, done, (*access, stamped)))
        else:
            updates.append(_resource_update(write, done, (*_entered(write, access), stamped)))
        versions.append(_version_row(write, done, access))
        index_rows.difference(write, done, keys, gone, rows)
    rows[version] = versions
    rows[provenance_fact] = facts_rows(
        txn_id, [(write.author, written[id(write)]) for write in writes if write.author]
    )
    delete_rows(connection, gone)
    back = [one for one in writes if one.current is not None and one.current.deleted]
    clear_left(connection, [(written[id(one)].patient_key, written[id(one)].rid) for one in back])
    for write in writes:
        if write.clears:
            done = written[id(write)]
            index_rows.clear(connection, done.patient_key, done.rid)
    update_rows(connection, resource, _UPDATED, updates)
    insert_rows(connection, rows)
    _settle_locators(connection, writes, keys)
    adopt(connection, [w for w in writes if w.client_id and w.current is None], keys)


_UPDATED = (
    "version", "last_updated", "deleted", "care_date", "conf", "sens", "release_at",
    "author_organisation", "author", "txn_id", "index_version",
)  # fmt: skip


def _access(write: Write, txn_id: int) -> Row:
    """Return the access columns of a version; a tombstone keeps its predecessor's labels."""
    labelled, author = write.draft or write.current, write.author
    assert labelled is not None
    assert author is not None
    labels = (labelled.conf, labelled.sens, labelled.release_at)
    return (*labels, author.organisation, author.id, txn_id)


def _entered(write: Write, access: Row) -> Row:
    """Return the access columns of the current row: its author is who entered the first version."""
    assert write.current is not None
    conf, sens, release_at, _, _, txn_id = access
    entered_by = (write.current.author_organisation, write.current.author)
    return (conf, sens, release_at, *entered_by, txn_id)


def _resource_row(write: Write, done: Written, access: Row) -> Row:
    assert write.draft is not None
    head = (done.patient_key, done.rid, type_number(write.type), write.id, done.version)
    return (*head, done.last_updated, False, write.draft.care_date, *access)


def _resource_update(write: Write, done: Written, access: Row) -> Row:
    care_date = write.draft.care_date if write.draft else None
    head = (done.patient_key, done.rid, done.version, done.last_updated, write.draft is None)
    return (*head, care_date, *access)


def _version_row(write: Write, done: Written, access: Row) -> Row:
    head = (done.patient_key, done.rid, done.version, type_number(write.type), write.id)
    if write.draft is None:
        return (*head, done.last_updated, int(write.method), *access, None, 0, b"")
    draft = write.draft
    body = (draft.blob_id, CURRENT_DICTIONARY, draft.body)
    return (*head, done.last_updated, int(write.method), *access, *body)


def _locators(writes: Sequence[Write], keys: Keys) -> list[Row]:
    made: list[Row] = [
        (type_number(write.type), write.id, *keys.own[write.type, write.id], False)
        for write in writes
        if write.current is None and (write.type, write.id) not in keys.known
    ]
    mentioned: list[Row] = [
        (type_number(type), id, *place, True) for (type, id), place in keys.reserved.items()
    ]
    return made + mentioned


def _settle_locators(connection: Connection, writes: Sequence[Write], keys: Keys) -> None:
    """Mark reserved places as taken by the resources that now fill them."""
    taken = [
        (type_number(write.type), write.id, *keys.own[write.type, write.id], False)
        for write in writes
        if write.current is None and (write.type, write.id) in keys.known
    ]
    update_rows(connection, locator, ("patient_key", "rid", "reserved"), taken)


# What is a patient's: rows under the key, and unfiled ones that name the patient among others.
_ROWS_OF = (
    "SELECT patient_key, count(*), 0 FROM resource "
    "WHERE patient_key IN ({marks}) AND deleted = false GROUP BY patient_key "
    "UNION ALL SELECT member_key, 0, count(*) FROM member "
    "WHERE member_key IN ({marks}) AND owner_key <= 0 GROUP BY member_key"
)


def _refuse_orphans(connection: Connection, writes: Sequence[Write], keys: Keys) -> None:
    """Refuse to delete a patient who has data, judged on the state at the end."""
    patients = [w for w in writes if w.type == "Patient" and w.method is Method.DELETE]
    if not patients:
        return
    places = {keys.own[w.type, w.id][0]: w for w in patients}
    marks = ", ".join(["%b" if is_postgres(connection) else "?"] * len(places))
    for key, own, _ in query(connection, _ROWS_OF.format(marks=marks), [*places, *places]):
        data = (
            f"has {own} other resources in the record"
            if own
            else "is named in resources that are filed under nobody, such as an Appointment"
        )
        raise Conflict(
            f"The patient {data}, so deleting is refused. "
            "Delete or correct those first, or mark the patient as inactive.",
            code="business-rule",
            expression=places[key].at or "Patient",
        )
