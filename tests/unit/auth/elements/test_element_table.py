"""Who changes which element of a resource that stands: each row of the table, by hand."""

from typing import Any

import pytest

from auth.elements import Writer, judge, needs_if_match
from auth.elements.who import ROWS, STANDINGS, TYPES, holds, row_of, said, who
from auth.roles.known import WORDS
from fhir_profiles.definitions import type_definition
from fhir_profiles.own_names import AGREEMENT
from tests.element_cases import (
    ADMIN,
    ANN,
    CARER,
    CONSULTANT,
    COORDINATOR,
    EVERYBODY,
    GP,
    LEAD,
    MINE,
    NURSE,
    OFFICER,
    PATIENT,
    PRACTICE,
    RECEPTIONIST,
    SOCIAL_WORKER,
    SYSTEM,
    THIRD_SECTOR,
    URGENT_CARE,
    WARD,
    Resource,
    concept,
    mary,
    of_mary,
    ref,
    refused,
)

NONE: frozenset[str] = frozenset()
CARE_PLAN = of_mary("CarePlan", status="active", intent="plan", author=ref(ANN))
ENCOUNTER = of_mary("Encounter", status="in-progress", serviceProvider=ref(WARD))
GOAL = of_mary("Goal", lifecycleStatus="active", description={"text": "Walk"})
TASK = of_mary("Task", status="requested", intent="order", requester=ref(ANN), owner=ref(WARD))
CONSENT = of_mary("Consent", status="active", sourceReference=ref("DocumentReference/1"))
TEAM = of_mary("CareTeam", status="active")
REQUEST = of_mary("ServiceRequest", status="active", intent="order")

# resource, change, who may
CASES: list[tuple[Resource, Resource, tuple[Writer, ...]]] = [
    (mary(), {"telecom": [{"value": "0131"}]},
     (GP, CONSULTANT, SOCIAL_WORKER, COORDINATOR, PATIENT, ADMIN, SYSTEM)),
    (mary(), {"photo": [{"url": "Binary/1"}]},
     (GP, CONSULTANT, SOCIAL_WORKER, COORDINATOR, PATIENT, ADMIN, SYSTEM)),
    (mary(), {"birthDate": "1951-01-01"}, (ADMIN, SYSTEM)),
    (mary(), {"_birthDate": {"id": "a"}}, (ADMIN, SYSTEM)),
    (mary(), {"deceasedBoolean": True}, (ADMIN, SYSTEM)),
    (mary(), {"generalPractitioner": [ref("Organization/other")]}, (ADMIN, SYSTEM)),
    (mary(), {"managingOrganization": ref("Organization/other")}, (ADMIN, SYSTEM)),
    (mary(), {"meta": {"profile": ["urn:x"]}}, (ADMIN, SYSTEM)),
    (CARE_PLAN, {"status": "completed"}, (GP, COORDINATOR, LEAD, SYSTEM)),
    (CARE_PLAN, {"title": "New"}, (GP, COORDINATOR, LEAD, SYSTEM)),
    (CARE_PLAN, {"extension": [{"url": "urn:x", "valueString": "a"}]},
     (GP, COORDINATOR, LEAD, SYSTEM)),
    (CARE_PLAN, {"extension": [{"url": AGREEMENT, "valueCode": "agreed"}]},
     (GP, COORDINATOR, LEAD, PATIENT, SYSTEM)),
    (CARE_PLAN, {"contributor": [ref(ANN)]}, (SYSTEM,)),
    (CARE_PLAN, {"goal": [ref("Goal/1")]},
     (GP, CONSULTANT, NURSE, SOCIAL_WORKER, COORDINATOR, LEAD, SYSTEM)),
    (TEAM, {"status": "inactive"}, (GP, COORDINATOR, LEAD, SYSTEM)),
    (TEAM, {"period": {"end": "2025-01-01"}}, (GP, COORDINATOR, LEAD, SYSTEM)),
    (TEAM, {"name": "Team"}, (GP, COORDINATOR, LEAD, SYSTEM)),
    (ENCOUNTER, {"status": "finished"}, (CONSULTANT, NURSE, LEAD, SYSTEM)),
    (ENCOUNTER, {"hospitalization": {"dischargeDisposition": concept("19")}},
     (CONSULTANT, NURSE, LEAD, SYSTEM)),
    (ENCOUNTER, {"serviceProvider": ref(PRACTICE)}, (SYSTEM,)),
    (GOAL, {"description": {"text": "Run"}},
     (GP, CONSULTANT, NURSE, SOCIAL_WORKER, COORDINATOR, LEAD, PATIENT, SYSTEM)),
    (GOAL, {"achievementStatus": concept("achieved")},
     (GP, CONSULTANT, NURSE, SOCIAL_WORKER, COORDINATOR, LEAD, SYSTEM)),
    (TASK, {"priority": "urgent"}, (GP, SYSTEM)),
    (TASK, {"businessStatus": concept("a")}, (GP, CONSULTANT, NURSE, LEAD, SYSTEM)),
    (CONSENT, {"status": "inactive"}, (GP, PATIENT, SYSTEM)),
    (CONSENT, {"sourceReference": ref("DocumentReference/2")}, (GP, PATIENT, SYSTEM)),
    (CONSENT, {"scope": concept("research")}, (PATIENT, SYSTEM)),
    (REQUEST, {"status": "completed"},
     (GP, CONSULTANT, NURSE, SOCIAL_WORKER, COORDINATOR, LEAD, THIRD_SECTOR, URGENT_CARE,
      SYSTEM)),
    (REQUEST, {"priority": "urgent"},
     (GP, CONSULTANT, NURSE, SOCIAL_WORKER, COORDINATOR, LEAD, URGENT_CARE, SYSTEM)),
]  # fmt: skip


def _id(value: Any) -> str | None:
    return "+".join(value) if isinstance(value, dict) and "id" not in value else None


@pytest.mark.parametrize(("before", "change", "permitted"), CASES, ids=_id)
def test_an_element_is_changed_by_those_of_its_row(
    before: Resource, change: Resource, permitted: tuple[Writer, ...]
) -> None:
    found = {one for one in EVERYBODY if not refused(one, before, **change)}

    assert found == set(permitted)


def test_a_refusal_says_who_may_and_is_of_the_element() -> None:
    (fault,) = judge(PATIENT, mary(), mary(birthDate="1951-01-01"))

    assert (fault.expression, fault.status, fault.code) == ("Patient.birthDate", 403, "forbidden")
    assert fault.text == "Patient.birthDate is changed by Administrator. Leave it as it is."


def test_each_element_that_may_not_be_changed_is_told() -> None:
    found = refused(PATIENT, mary(), gender="male", active=True, telecom=[])

    assert found == [("Patient.gender", 403), ("Patient.active", 403)]


def test_an_element_that_is_taken_away_is_changed() -> None:
    assert refused(PATIENT, mary(), birthDate=None) == [("Patient.birthDate", 403)]


def test_who_is_author_is_told_by_the_record_or_the_plan() -> None:
    plan = of_mary("CarePlan", status="active", author=ref(WARD))

    assert refused(GP, plan, title="New") == [("CarePlan.title", 403)]
    assert refused(GP, plan, MINE, title="New") == []
    assert refused(NURSE, plan, title="New") == []
    assert refused(NURSE, TEAM, name="Team") == [("CareTeam.name", 403)]
    assert refused(NURSE, TEAM, MINE, name="Team") == []


def test_a_place_of_named_lead_adds_to_the_role() -> None:
    assert refused(NURSE, TEAM, status="inactive") == [("CareTeam.status", 403)]
    assert refused(LEAD, TEAM, status="inactive") == []


def test_what_a_patient_agrees_to_is_one_extension() -> None:
    agreed = {"url": AGREEMENT, "valueCode": "agreed"}
    other = {"url": "urn:x", "valueString": "a"}
    plan = {**CARE_PLAN, "extension": [other]}

    assert refused(PATIENT, plan, extension=[other, agreed]) == []
    assert refused(PATIENT, plan, extension=[agreed]) == [("CarePlan.extension", 403)]


def test_notes_of_a_resource_are_for_more_people_than_the_resource() -> None:
    note = [{"text": "Hello", "authorReference": ref("RelatedPerson/kim")}]

    assert refused(CARER, CARE_PLAN, note=note) == []
    assert refused(CARER, TASK, note=note) == []
    assert refused(PATIENT, TASK, note=[{**note[0], "authorReference": ref("Patient/mary")}]) == []
    assert refused(CARER, GOAL, note=note) == [("Goal.note", 403)]


def test_a_privacy_officer_moves_reviews_only() -> None:
    review = {**TASK, "status": "accepted", "code": concept("break-glass-review")}

    assert refused(OFFICER, review, status="in-progress") == []
    assert refused(OFFICER, {**review, "code": concept("question")}, status="in-progress") == [
        ("Task.status", 403)
    ]
    assert refused(NURSE, review, status="in-progress") == [("Task.status", 403)]


def test_what_the_server_writes_is_no_change() -> None:
    before = mary(meta={"versionId": "1", "lastUpdated": "2025-01-01T00:00:00Z"})

    assert refused(THIRD_SECTOR, before, meta={"versionId": "2"}) == []
    assert refused(THIRD_SECTOR, before, meta=None) == []


def test_what_is_made_is_not_judged_by_the_table() -> None:
    assert judge(PATIENT, None, GOAL | {"lifecycleStatus": "proposed"}) == ()
    assert judge(RECEPTIONIST, None, mary(generalPractitioner=[ref(PRACTICE)])) == ()


def test_other_types_are_free_to_change() -> None:
    flag = of_mary("Flag", status="active")

    assert refused(SOCIAL_WORKER, flag, status="inactive", code=concept("a")) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.type}.{'+'.join(row.elements)}")
def test_a_row_is_of_elements_of_r4_and_of_known_words(row: Any) -> None:
    fields = type_definition(row.type).fields
    for element in row.elements:
        stem = element.removesuffix("[x]")
        assert element in ("*", "agreement") or any(name.startswith(stem) for name in fields)
        assert element.endswith("[x]") or element in ("*", "agreement") or element in fields
    known = {*WORDS, *(one.word for one in STANDINGS)}
    assert all(words <= known for words in row.who)


@pytest.mark.parametrize("type", sorted(TYPES))
def test_every_element_of_a_type_of_the_table_has_one_row(type: str) -> None:
    for element in type_definition(type).fields:
        named = [one for one in ROWS if one.type == type and element in one.elements]
        assert len(named) <= 1
        assert row_of(type, element) is not None
    assert row_of("Flag", "status") is None


def test_a_choice_has_the_row_of_all_its_forms() -> None:
    row = row_of("Consent", "sourceAttachment")

    assert row is not None
    assert "source[x]" in row.elements


@pytest.mark.parametrize("text", ["", "doctor", "gp+", "gp+nobody"])
def test_a_word_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not well formed"):
        who(text)


def test_alternatives_need_all_their_words() -> None:
    some = who("gp+registered lead")

    assert holds(some, frozenset({"lead"}))
    assert holds(some, frozenset({"gp", "registered"}))
    assert not holds(some, frozenset({"gp"}))
    assert said(who("-")) == "systems only"
    assert said(some) == "GP and of the registered practice or the named lead"


def test_what_many_write_at_once_needs_if_match() -> None:
    types = ("CarePlan", "CareTeam", "Goal", "Task", "Patient", "Observation")

    assert [type for type in types if needs_if_match(type)] == list(types[:4])
