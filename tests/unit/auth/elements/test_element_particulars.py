"""Whose a resource is, which nobody changes, and the rules that one type has alone."""

from typing import Any

import pytest

from auth.elements import Writer, judge
from fhir_profiles.owners import OWNER_PATHS
from tests.element_cases import (
    ADMIN,
    ANN,
    BEN,
    CARER,
    CARLA,
    CONSULTANT,
    COORDINATOR,
    EVERYBODY,
    GP,
    LEAD,
    MARY,
    NURSE,
    OFFICER,
    PATIENT,
    PETER,
    PRACTICE,
    SOCIAL_WORKER,
    SYSTEM,
    WARD,
    Resource,
    faults,
    mary,
    of_mary,
    ref,
    refused,
)


@pytest.mark.parametrize("type", sorted(OWNER_PATHS))
def test_whose_it_is_stays_for_everybody(type: str) -> None:
    path = OWNER_PATHS[type][0]

    def about(name: str) -> Resource:
        value: Any = ref(name)
        for step in reversed(path.replace("[0]", "").split(".")):
            value = {step: [value] if step in ("participant", "entry", "target") else value}
        return {"resourceType": type, "id": "x", **value}

    for writer in EVERYBODY:
        place = (f"{type}.{path}", 422)
        assert place in faults(judge(writer, about(MARY), about(PETER)))
        assert place not in faults(judge(writer, about(MARY), {**about(MARY), "language": "en"}))
    found = judge(SYSTEM, about(MARY), about(PETER))
    assert [one.code for one in found] == ["business-rule"]


@pytest.mark.parametrize(
    ("was", "becomes", "is_permitted"),
    [
        (ref(MARY), ref(PETER), False),
        (ref(MARY), None, False),
        (ref(MARY), {"display": "Mary"}, False),
        (ref(MARY), {"identifier": {"value": "1"}}, False),
        (ref("Group/1"), ref(MARY), False),
        (ref(MARY), {**ref(MARY), "display": "Mary"}, True),
        (ref(MARY), ref(f"{MARY}/_history/2"), True),
        (ref(MARY), ref(f"https://ehr.example/fhir/{MARY}"), True),
        (ref(MARY), ref(f"https://other.example/fhir/{MARY}"), False),
        (None, ref(MARY), True),
        ({"display": "Mary"}, ref(MARY), True),
        ({"identifier": {"value": "1"}}, ref(MARY), True),
        ({"identifier": {"value": "1"}}, {"identifier": {"value": "2"}}, False),
        ({"identifier": {"value": "1"}}, {"identifier": {"value": "1"}, "display": "M"}, True),
    ],
)
def test_what_names_nobody_yet_is_filed_once(was: Any, becomes: Any, is_permitted: bool) -> None:
    def about(subject: Any) -> Resource:
        found = {"resourceType": "Flag", "id": "x", "status": "active"}
        return found if subject is None else {**found, "subject": subject}

    found = judge(SYSTEM, about(was), about(becomes), bases=("https://ehr.example/fhir",))

    assert faults(found) == ([] if is_permitted else [("Flag.subject", 422)])


def test_only_patients_count_among_many() -> None:
    def booked(*names: str) -> Resource:
        return {
            "resourceType": "Appointment",
            "participant": [{"actor": ref(one)} for one in names],
        }

    assert judge(GP, booked(MARY, ANN), booked(BEN, MARY)) == ()
    assert faults(judge(GP, booked(MARY, ANN), booked(ANN))) == [
        ("Appointment.participant.actor", 422)
    ]


def test_the_type_stays() -> None:
    found = judge(SYSTEM, of_mary("Flag"), of_mary("Goal"))

    assert faults(found) == [("Resource", 422)]


@pytest.mark.parametrize("code", ["R", "V"])
def test_the_address_of_a_sensitive_record_is_frozen(code: str) -> None:
    sensitive = mary(meta={"security": [{"code": code}]}, address=[{"city": "Leith"}])

    for writer in (GP, PATIENT, SOCIAL_WORKER, COORDINATOR):
        assert refused(writer, sensitive, address=[]) == [("Patient.address", 403)]
        assert refused(writer, sensitive, address=None) == [("Patient.address", 403)]
        assert refused(writer, sensitive, telecom=[{"value": "1"}]) == []
    for writer in (ADMIN, SYSTEM):
        assert refused(writer, sensitive, address=[]) == []
    assert refused(PATIENT, mary(meta={"security": [{"code": "N"}]}), address=[]) == []


TAGGED = {"tag": [{"system": "urn:x", "code": "patient-reported"}]}


@pytest.mark.parametrize("writer", [PATIENT, CARER, NURSE])
def test_what_a_patient_reported_is_never_final(writer: Writer) -> None:
    place = [("Observation.status", 422)]
    for status in ("final", "amended", "corrected"):
        told = of_mary("Observation", meta=TAGGED, status=status)
        assert faults(judge(writer, None, told)) == place
        assert refused(writer, {**told, "status": "preliminary"}, status=status) == place
        assert judge(SYSTEM, None, told) == ()
        assert refused(NURSE, told, language="en") == []
    assert judge(writer, None, of_mary("Observation", meta=TAGGED, status="preliminary")) == ()
    assert judge(writer, None, of_mary("Observation", status="final")) == ()
    measured = of_mary("Observation", status="final")
    assert refused(writer, measured, meta=TAGGED) == place


def test_staff_record_a_choice_with_its_evidence() -> None:
    choice = of_mary("Consent", status="active")

    for evidence in (
        {"sourceReference": ref("DocumentReference/1")},
        {"sourceAttachment": {"url": "Binary/1"}},
        {"verification": [{"verified": True}]},
    ):
        assert judge(OFFICER, None, {**choice, **evidence}) == ()
    for writer in (GP, CONSULTANT, SOCIAL_WORKER, OFFICER, LEAD):
        assert faults(judge(writer, None, choice)) == [("Consent", 422)]
    assert judge(PATIENT, None, choice) == ()
    assert judge(SYSTEM, None, choice) == ()
    assert refused(GP, choice, status="inactive") == [("Consent", 422)]


def _task(status: str, owner: str | None = WARD) -> Resource:
    owned = {} if owner is None else {"owner": ref(owner)}
    return of_mary("Task", status=status, requester=ref(ANN), **owned)


@pytest.mark.parametrize(
    ("writer", "status", "owner", "is_permitted"),
    [
        (GP, "requested", "Organization/other", True),
        (GP, "received", CARLA, True),
        (GP, "accepted", CARLA, False),
        (GP, "accepted", ANN, True),
        (CONSULTANT, "accepted", BEN, True),
        (CONSULTANT, "in-progress", "Practitioner/sara", True),
        (CONSULTANT, "in-progress", "PractitionerRole/sara", True),
        (CONSULTANT, "in-progress", PRACTICE, False),
        (CONSULTANT, "requested", PRACTICE, False),
        (CONSULTANT, "in-progress", "CareTeam/1", False),
        (CONSULTANT, "in-progress", MARY, False),
        (SYSTEM, "in-progress", PRACTICE, True),
    ],
)
def test_a_task_is_passed_on_by_who_asked_or_inside_the_owners_organisation(
    writer: Writer, status: str, owner: str, is_permitted: bool
) -> None:
    found = refused(writer, _task(status), owner=ref(owner))

    assert found == ([] if is_permitted else [("Task.owner", 403)])


def test_who_neither_asked_nor_owns_passes_nothing_on() -> None:
    assert refused(SOCIAL_WORKER, _task("requested"), owner=ref(CARLA)) == [("Task.owner", 403)]
    assert refused(NURSE, _task("requested"), owner=None) == [("Task.owner", 403)]
    assert refused(GP, _task("requested", None), owner=ref("Organization/other")) == []
    assert refused(GP, _task("accepted", None), owner=ref("Organization/other")) == []
