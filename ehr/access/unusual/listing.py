"""What is unusual about the looks of staff into records, and why."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from ehr.access.unusual.alike import Resource, alike
from ehr.access.unusual.claimed import AT_ONCE, only_claimed
from ehr.access.unusual.looked import OF_STAFF, Looked, emergencies, looks
from ehr.access.unusual.told_late import told_late
from ehr.messages import Instant
from ehr.store import read
from fhir_profiles import json_format

MANY_EMERGENCIES = 3
MANY_CLAIMS = 10
ONLY_CLAIMED = "no relationship but their own claim or an emergency"
TOLD_LATE = "the patient is told of the emergency after {} hours"
EMERGENCIES = "many emergencies"
CLAIMS = "many claims"


@dataclass(frozen=True, slots=True)
class Unusual:
    """Looks that deserve a second look, and why; `looked` has no patient where it is about many."""

    looked: Looked
    why: tuple[str, ...]


def unusual(connection: Connection, since: Instant) -> list[Unusual]:
    """Return what is unusual about the looks of staff since a time, most reasons first."""
    looked = looks(connection, since)
    claimed = only_claimed(connection, looked, since)
    found: list[Unusual] = []
    for start in range(0, len(looked), AT_ONCE):
        some = looked[start : start + AT_ONCE]
        patients = _patients(connection, {one.patient_key for one in some})
        people = _people(connection, {one.agent for one in some})
        for one in some:
            why = list(alike(people.get(one.agent, {}), patients.get(one.patient_key, {})))
            why += [ONLY_CLAIMED] if (one.agent, one.patient_key) in claimed else []
            found += [Unusual(one, tuple(why))] if why else []
    found += _many(looked, claimed, emergencies(connection, since))
    late = told_late(connection, since)
    found += [Unusual(one, (TOLD_LATE.format(hours),)) for one, hours in late]
    return sorted(found, key=lambda one: (-len(one.why), one.looked.agent, -one.looked.last))


def _many(
    looked: list[Looked], claimed: frozenset[tuple[str, int]], opened: Iterator[Looked]
) -> Iterator[Unusual]:
    """Yield who opened many records by themselves."""
    for one in opened:
        if one.times >= MANY_EMERGENCIES:
            yield Unusual(one, (EMERGENCIES,))
    last_of = {one.agent: one.last for one in looked}
    for agent, times in Counter(agent for agent, _ in claimed).items():
        if times >= MANY_CLAIMS:
            yield Unusual(Looked(agent, "", 0, times, last_of[agent]), (CLAIMS,))


def _patients(connection: Connection, keys: set[int]) -> dict[int, Resource]:
    found = read.of_patients(connection, "Patient", keys)
    return {one.patient_key: json_format.reparse(one.json()) for one in found}


def _people(connection: Connection, names: set[str]) -> dict[str, Resource]:
    found = {}
    for name in names:
        row = read.newest(connection, "Practitioner", name.removeprefix(OF_STAFF))
        if row is not None and not row.deleted:
            found[name] = json_format.reparse(row.json())
    return found
