"""Emergencies of which the patient is told later than usual: until then the feed shows no look."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ehr.access.terms import codes, extension
from ehr.access.unusual.looked import OF_STAFF, Looked
from ehr.audit.kinds import Kind
from ehr.messages import Instant, Resource
from ehr.store import read
from ehr.store.tables import audit_event
from ehr.store.templates import rows_of
from fhir_profiles import json_format
from fhir_profiles.own_names import ACCESS, RELEASE_TIME, REVIEW

# After how long the patient is told, where nobody says otherwise.
USUAL = timedelta(hours=24)


def told_late(connection: Connection, since: Instant) -> Iterator[tuple[Looked, int]]:
    """Yield who opened which record in an emergency since a time, and after how many hours the
    patient is told of it; those of which they are told within a day are left out."""
    c = audit_event.c
    opened = (c.at >= since, c.kind == int(Kind.BREAK_GLASS), c.outcome == 0, c.patient_key > 0)
    keys = {key for (key,) in rows_of(connection, select(c.patient_key).where(*opened).distinct())}
    for one in read.of_patients(connection, "Task", keys) if keys else ():
        task = json_format.reparse(one.json())
        begun, told = _moment(task.get("authoredOn")), _moment(_release(task))
        if REVIEW not in codes(task.get("code"), ACCESS) or begun is None or told is None:
            continue
        at = int(begun.timestamp() * 1000)
        if at >= since and told - begun > USUAL:
            hours = round((told - begun) / timedelta(hours=1))
            yield Looked(_who(task), _place(task), one.patient_key, 1, at), hours


def _release(task: Resource) -> Any:
    return extension(task.get("meta") or {}, RELEASE_TIME)


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC) if found is not None else None


def _who(task: Resource) -> str:
    who = str((task.get("requester") or {}).get("reference") or "")
    return who if who.startswith(OF_STAFF) else ""


def _place(task: Resource) -> str:
    return str((task.get("owner") or {}).get("reference") or "").removeprefix("Organization/")
