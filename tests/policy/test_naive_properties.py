"""What must hold of the evaluator whatever the record: denials take away, relationships give."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.naive import Caller, Fact, Record, Row, Version, may_see, relationships
from tests.policy.naive.labels import labels
from tests.policy.naive.vocabulary import (
    ACT_CODE,
    CONFIDENTIALITY,
    CONSENT_KIND,
    CONSENT_SCOPE,
    PRIVACY_GROUP,
    RESOURCE_TYPES,
)
from tests.policy.world import World, make_world
from tests.policy.world.callers import CLINICAL_DUTY
from tests.policy.world.making import concept, ref

PATIENTS = 4
SEEDS = st.integers(1, 5)
WORLDS = {seed: make_world(PATIENTS, seed=seed) for seed in range(1, 6)}
Versions = Mapping[str, tuple[Version, ...]]


def versions(record: Record) -> dict[str, tuple[Version, ...]]:
    """Return what a record was made of."""
    return {row.name: row.versions for row in record.rows()}


def visible(record: Record, caller: Caller, patient: str, now: Any) -> set[str]:
    """Return the names of the rows of a patient, and of the unfiled ones, that a caller reads."""
    return {
        row.name
        for row in record.rows()
        if row.patient in (patient, None) and not row.is_shared
        if may_see(record, caller, row, "r", now)
    }


def changed(
    world: World, caller: Caller, patient: str, versions: Versions, facts: tuple[Fact, ...]
) -> tuple[set[str], set[str]]:
    """Return what is seen before a change of the record, and after it."""
    after = Record(versions, facts)
    return (
        visible(world.record, caller, patient, world.now),
        visible(after, caller, patient, world.now),
    )


def chosen(data: st.DataObject, *, kind: str = "") -> tuple[World, Caller, str]:
    """Draw a world, a caller of a kind, and a patient to whom the caller may have some tie."""
    world = WORLDS[data.draw(SEEDS)]
    callers = [one for one in world.callers.values() if kind in ("", one.kind)]
    caller = data.draw(st.sampled_from(callers))
    every = [f"Patient/p{n}" for n in range(1, PATIENTS + 1)]
    tied = [one for one in every if relationships(world.record, caller, one, world.now)]
    return world, caller, data.draw(st.sampled_from(tied or every))


@st.composite
def denials(draw: st.DrawFn, caller: Caller) -> dict[str, Any]:
    """Return a provision that denies something, perhaps to this caller."""
    name = draw(st.sampled_from([caller.person, caller.organisation]))
    found: dict[str, Any] = {"type": "deny"}
    if name is not None and draw(st.booleans()):
        found["actor"] = [{"role": concept("PRCP"), "reference": ref(name)}]
    if draw(st.booleans()):
        types = ("Observation", "Patient", "Flag", "Binary", "DocumentReference", "Consent")
        found["class"] = [{"system": RESOURCE_TYPES, "code": draw(st.sampled_from(types))}]
    if draw(st.booleans()):
        label = ((ACT_CODE, "HIV"), (CONFIDENTIALITY, "M"), (PRIVACY_GROUP, "mental"))
        system, code = draw(st.sampled_from(label))
        found["securityLabel"] = [{"system": system, "code": code}]
    return found


@given(st.data())
def test_a_denial_more_never_shows_more(data: st.DataObject) -> None:
    world, caller, patient = chosen(data)
    consent = {
        "resourceType": "Consent",
        "id": "more",
        "status": "active",
        "scope": concept("patient-privacy", CONSENT_SCOPE),
        "category": [concept("sharing", CONSENT_KIND)],
        "patient": ref(patient),
        "provision": data.draw(denials(caller)),
    }
    more = {**versions(world.record), "Consent/more": (Version(consent, world.now),)}

    before, after = changed(world, caller, patient, more, world.record.facts)

    assert after - {"Consent/more"} <= before
    if caller.kind in ("patient", "system"):
        assert after - {"Consent/more"} == before


# Of what relationships come, and what it is like when it opens nothing.
SOURCES: dict[str, dict[str, Any]] = {
    "CareTeam": {"status": "inactive"},
    "Encounter": {"status": "entered-in-error"},
    "Task": {"status": "draft"},
    "ServiceRequest": {"status": "draft"},
    "RelatedPerson": {"active": False},
    "Patient": {"generalPractitioner": []},
}


def _is_source(row: Row) -> bool:
    return row.type in SOURCES and not row.is_deleted


@given(st.data())
def test_a_relationship_less_never_shows_more(data: st.DataObject) -> None:
    world, caller, patient = chosen(data)
    rows = [row for row in world.record.rows() if row.patient == patient and _is_source(row)]
    less = versions(world.record)
    for row in data.draw(st.lists(st.sampled_from(rows), min_size=1, unique_by=lambda r: r.name)):
        last = replace(row.versions[-1], document={**row.document, **SOURCES[row.type]})
        less[row.name] = (last,)
    facts = world.record.facts
    kept = data.draw(st.sets(st.sampled_from(facts))) if facts else set()

    before, after = changed(
        world, caller, patient, less, tuple(one for one in facts if one in kept)
    )

    assert after <= before


@given(st.data())
def test_without_a_relationship_nothing_of_a_patient_is_seen(data: st.DataObject) -> None:
    world, caller, patient = chosen(data)
    row = world.record.row(patient)
    assert row is not None
    person = replace(row.versions[-1], document={**row.document, **SOURCES["Patient"]})
    alone = {name: some for name, some in versions(world.record).items() if _stays(some)}
    after = Record({patient: (person,), **alone})

    seen = visible(after, caller, patient, world.now)

    if caller.kind not in ("patient", "system"):
        assert not seen & {row.name for row in after.rows() if row.patient == patient}


def _stays(some: tuple[Version, ...]) -> bool:
    """Tell whether a resource is nothing that relationships come of."""
    kinds = {*SOURCES, "Consent"}
    return all(one.document is None or one.document["resourceType"] not in kinds for one in some)


@given(st.data())
def test_broken_glass_opens_more_but_nothing_that_is_locked(data: st.DataObject) -> None:
    world, caller, patient = chosen(data, kind="professional")
    glass = _glass(world, caller, patient)

    before, after = changed(
        world, caller, patient, versions(world.record), (*world.record.facts, glass)
    )

    assert before <= after
    for name in after - before:
        row = world.record.row(name)
        assert row is not None
        assert "V" not in labels(row.document)


def _glass(world: World, caller: Caller, patient: str) -> Fact:
    hours = timedelta(hours=1)
    return Fact("broken glass", caller.person or "", patient, world.now, world.now + hours)


@given(st.data())
def test_broken_glass_does_not_pass_a_block_of_the_person(data: st.DataObject) -> None:
    world, caller, patient = chosen(data, kind="professional")
    block = {
        "resourceType": "Consent",
        "id": "block",
        "status": "active",
        "scope": concept("patient-privacy", CONSENT_SCOPE),
        "category": [concept("sharing", CONSENT_KIND)],
        "patient": ref(patient),
        "provision": {"type": "deny", "actor": [{"reference": ref(caller.person or "")}]},
    }
    blocked = {**versions(world.record), "Consent/block": (Version(block, world.now),)}
    after = Record(blocked, (*world.record.facts, _glass(world, caller, patient)))

    seen = visible(after, caller, patient, world.now)

    assert not seen & {row.name for row in after.rows() if row.patient == patient}


@pytest.mark.parametrize("seed", WORLDS)
def test_a_carer_never_sees_more_than_the_patient(seed: int) -> None:
    world = WORLDS[seed]
    carers = [one for one in world.callers.values() if one.kind == "carer" and one.patient]
    assert carers
    for carer in carers:
        assert carer.patient is not None
        patient = Caller("patient", "patient", carer.patient, None, carer.patient)
        for row in world.record.rows():
            for letter in "rsh":
                if may_see(world.record, carer, row, letter, world.now):
                    assert may_see(world.record, patient, row, letter, world.now), row.name


def test_some_carers_see_something_of_their_patient() -> None:
    """Else what is said of carers above would hold of an empty set."""
    seen = Counter(
        row.type
        for world in WORLDS.values()
        for carer in world.callers.values()
        if carer.kind == "carer"
        for row in world.record.rows()
        if row.patient is not None and may_see(world.record, carer, row, "r", world.now)
    )

    assert len(seen) >= 10


def test_those_with_a_duty_see_a_part_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    world = make_world(30, seed=30)
    asked, seen = Counter[str](), Counter[str]()
    for caller in world.callers.values():
        if caller.role in CLINICAL_DUTY:
            for row in world.record.rows():
                asked[caller.role] += 1
                seen[caller.role] += may_see(world.record, caller, row, "r", world.now)

    share = seen.total() / asked.total()

    with capsys.disabled():
        print(f"\n{_figures(world, asked, seen)}")  # noqa: T201
    assert 0.2 <= share <= 0.8
    assert all(0 < seen[role] < asked[role] for role in CLINICAL_DUTY)


def _figures(world: World, asked: Counter[str], seen: Counter[str]) -> str:
    lines = [f"seed {world.seed}: {seen.total()} of {asked.total()} reads are permitted"]
    lines += [f"  {role:20} {seen[role] / asked[role]:.1%} of {asked[role]}" for role in asked]
    return "\n".join(lines)
