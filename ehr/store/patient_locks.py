"""Locks on the patients that rows are about, so that none goes while rows come.

On PostgreSQL (ehr/README.md, *Races*); SQLite has one writer at a time.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ehr.store.drafts import LostRace, Write
from ehr.store.engine import is_postgres
from ehr.store.locator import Name
from ehr.store.statements import query

if TYPE_CHECKING:
    from ehr.store.resolve import Keys

_LOCK = (
    "SELECT r.patient_key, r.deleted FROM resource r "
    "JOIN unnest(%b::bigint[], %b::bigint[]) AS u (patient_key, rid) "
    "ON r.patient_key = u.patient_key AND r.rid = u.rid "
    "ORDER BY r.patient_key FOR"
)
# A key share lets others change the patient meanwhile, and only a full lock waits for it.
_KEEP, _CLEAR = f"{_LOCK} KEY SHARE OF r", f"{_LOCK} UPDATE OF r"


def lock_patients(connection: Connection, writes: Sequence[Write], keys: "Keys") -> None:
    """Keep the patients that rows are filed under, or unfiled rows name, from being deleted
    meanwhile, and wait for those who write such rows about a patient that is deleted here."""
    if not is_postgres(connection):
        return
    gone = sorted(keys.own[name] for name in keys.deleted if name[0] == "Patient")
    if gone:
        query(connection, _CLEAR, [list(column) for column in zip(*gone, strict=True)])
    filed = {keys.own[w.type, w.id][0] for w in writes if w.draft is not None}
    named = _named_in_unfiled(writes, keys)
    places = sorted(
        (located.patient_key, located.rid)
        for name, located in keys.known.items()
        if name[0] == "Patient"
        and (located.patient_key in filed or name in named)
        and not located.reserved
    )
    if not places:
        return
    columns = [[key for key, _ in places], [rid for _, rid in places]]
    rows = query(connection, _KEEP, columns)
    known_deleted = {k.patient_key for k in keys.known.values() if k.deleted}
    if any(deleted and key not in known_deleted for key, deleted in rows):
        raise LostRace


def _named_in_unfiled(writes: Sequence[Write], keys: "Keys") -> set[Name]:
    return {
        (row.type, row.id)
        for write in writes
        if write.draft is not None and keys.own[write.type, write.id][0] <= 0
        for row in write.draft.rows.reference
        if row.type == "Patient" and row.id is not None
    }
