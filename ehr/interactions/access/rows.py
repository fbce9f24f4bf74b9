"""Who may see a record, kept true by the writes that change it (`ehr/access/relationships/`).

In the transaction of the write: what a CareTeam, Encounter, Task … gives rise to is made anew, and
a patient's proxies when the birth date changes, for what parents may do depends on it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ehr.access.relationships import SOURCES
from ehr.access.relationships.rebuilding import Origin, rebuild
from ehr.interactions.access.terms import terms_of
from ehr.interactions.drafting import resource_of
from ehr.record import Record
from ehr.store import read
from ehr.store.drafts import Current, Write, Written
from fhir_profiles import json_format

if TYPE_CHECKING:
    from sqlalchemy import Connection

Births = dict[int, str | None]


def keep_access(
    record: Record,
    connection: "Connection",
    writes: Sequence[Write],
    outcome: Iterable[Sequence[Written]],
) -> None:
    """Make anew what these writes change of who may see whom."""
    done = [one for some in outcome for one in some]
    changed = [
        (write, one)
        for write, one in zip(writes, done, strict=True)
        if write.type in SOURCES and one.patient_key > 0 and _is_changed(write, one)
    ]
    if not changed:
        return
    births = {one.patient_key: _birth(write) for write, one in changed if write.type == "Patient"}
    reborn = [one.patient_key for write, one in changed if _is_reborn(write)]
    consents = {one.patient_key for write, one in changed if write.type == "Consent"}
    unknown = consents - births.keys()
    if unknown:
        births |= _births(connection, unknown)
    origins = [_origin(write, one, births) for write, one in changed]
    rebuild(connection, [*_consents_of(connection, reborn, births), *origins], terms_of(record))


def keep_access_of(record: Record, connection: "Connection", rows: Sequence[Current]) -> None:
    """Make anew what rows that stand as they are give rise to."""
    some = [row for row in rows if row.type in SOURCES and row.patient_key > 0]
    keys = {row.patient_key for row in some if row.type == "Consent"}
    births = _births(connection, keys) if keys else {}
    rebuild(connection, [_standing(row, births) for row in some], terms_of(record))


def _is_changed(write: Write, done: Written) -> bool:
    return write.current is None or done.version != write.current.version


def _birth(write: Write) -> str | None:
    return write.draft.resource.get("birthDate") if write.draft is not None else None


def _is_reborn(write: Write) -> bool:
    """Tell whether a write changes the birth date of a patient who was there before."""
    if write.type != "Patient" or write.current is None or write.draft is None:
        return False
    before = None if write.current.deleted else resource_of(write.current).get("birthDate")
    return bool(before != _birth(write))


def _births(connection: "Connection", keys: Collection[int]) -> Births:
    found = read.of_patients(connection, "Patient", keys)
    return {row.patient_key: json_format.reparse(row.json()).get("birthDate") for row in found}


def _consents_of(
    connection: "Connection", keys: Collection[int], births: Births
) -> Iterable[Origin]:
    found = read.of_patients(connection, "Consent", keys) if keys else ()
    for row in found:
        document = json_format.reparse(row.json())
        yield Origin(
            row.patient_key, row.rid, row.type, row.id, document, row.last_updated,
            births.get(row.patient_key),
        )  # fmt: skip


def _origin(write: Write, done: Written, births: Births) -> Origin:
    document = write.draft.resource if write.draft is not None else None
    return Origin(
        done.patient_key, done.rid, done.type, done.id, document, done.last_updated,
        births.get(done.patient_key), is_new=write.current is None,
    )  # fmt: skip


def _standing(row: Current, births: Births) -> Origin:
    document = None if row.deleted else resource_of(row)
    return Origin(
        row.patient_key, row.rid, row.type, row.id, document, row.last_updated,
        births.get(row.patient_key),
    )  # fmt: skip
