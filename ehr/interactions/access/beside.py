"""What the server writes beside a write of its caller, in the same transaction: Tasks, alerts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ehr.interactions.access.letting_in import Claimed, alert_of
from ehr.interactions.access.rows import keep_access
from ehr.interactions.drafting import make
from ehr.record import Record
from ehr.store.commit import Numbers, commit
from ehr.store.drafts import Author, Method, Write, Written
from fhir_profiles import json_format

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.principal import Principal
    from ehr.interactions.changes import Change
    from ehr.messages import Resource

# How many resources there may be beside a write: an alert; a Task and an alert.
_MOST = {"CareTeam": 1, "Encounter": 1, "Task": 1, "Patient": 2}


def numbers_of(record: Record, changes: Sequence["Change"]) -> Numbers | None:
    """Take numbers for as much as these changes may cause, before the transaction."""
    most = sum(_MOST.get(change.type, 0) for change in changes)
    if not most:
        return None
    allocator = record.database.allocator
    return Numbers((), allocator.reserve("rid", most), allocator.reserve("txn", 1)[0])


def put_beside(
    record: Record,
    principal: "Principal",
    author: Author,
    connection: "Connection",
    claimed: Iterable[Claimed],
    numbers: Numbers | None,
) -> list[Written]:
    """Write what goes with claims: a Task where there is none yet, and an alert of each."""
    once = {(one.patient_key, one.name): one for one in claimed}
    writes: list[Write] = []
    for one in once.values():
        told = one
        if one.task is not None:
            writes.append(_write(record, author, one.task))
            told = replace(one, name=f"Task/{writes[-1].id}")
        alert = alert_of(record, principal, connection, told)
        if alert is not None:
            writes.append(_write(record, author, alert))
    if not writes or numbers is None:
        return []
    done = commit(connection, writes, numbers, record.settings.references)
    keep_access(record, connection, writes, [done])
    return done


def _write(record: Record, author: Author, resource: "Resource") -> Write:
    raw = json_format.serialise(resource)
    draft = make(record, json_format.reparse(raw), raw)
    return Write(Method.POST, draft.type, record.new_id(), draft=draft, author=author)
