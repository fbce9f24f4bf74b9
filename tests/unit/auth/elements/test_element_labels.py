"""Who may set labels: each role on what is made, on what they wrote, and on what others wrote."""

import pytest

from auth.elements import Writer, judge, may_label
from auth.elements.labelling import ALL, LABELS
from auth.roles.known import WORDS
from fhir_profiles.own_names import RELEASE_TIME
from tests.element_cases import (
    ADMIN,
    ANALYST,
    CARER,
    CONSULTANT,
    COORDINATOR,
    EVERYBODY,
    GP,
    MINE,
    NURSE,
    OFFICER,
    OTHER,
    OWN,
    PATIENT,
    RECEPTIONIST,
    SOCIAL_WORKER,
    SYSTEM,
    THIRD_SECTOR,
    URGENT_CARE,
    Resource,
    faults,
    mary,
    of_mary,
    refused,
)

WRITING = (CONSULTANT, NURSE, SOCIAL_WORKER, COORDINATOR, URGENT_CARE)
NONE: frozenset[str] = frozenset()


def labelled(*codes: str, type: str = "Flag") -> Resource:
    """Return a resource of Mary's with labels."""
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    return of_mary(type, meta={"security": [{"system": system, "code": code} for code in codes]})


def _may(writer: Writer, before: Resource | None, after: Resource, words: frozenset[str]) -> bool:
    found = judge(writer, before, after, words=words)
    assert not found or faults(found) == [("Flag.meta.security", 403)]
    return not found


@pytest.mark.parametrize("code", ["R", "V", "N", "PSY", "TBOO", "PHY"])
def test_staff_label_what_they_make_and_gps_all(code: str) -> None:
    plain, sealed = of_mary("Flag"), labelled(code)
    makes = {one for one in EVERYBODY if _may(one, None, sealed, NONE)}
    of_theirs = {one for one in EVERYBODY if _may(one, plain, sealed, MINE | OWN)}
    of_others = {one for one in EVERYBODY if _may(one, plain, sealed, NONE)}
    opens = {one for one in EVERYBODY if _may(one, sealed, plain, NONE)}

    assert {one.role for one in makes} == {one.role for one in (*WRITING, GP, OFFICER, SYSTEM)}
    assert of_theirs == makes
    assert of_others == {GP, OFFICER, SYSTEM}
    assert opens == of_others


def test_patients_and_carers_set_what_says_who_asked_or_told() -> None:
    for code, people in (("PRS", {PATIENT}), ("PATRPT", {PATIENT, CARER})):
        found = {one for one in (PATIENT, CARER) if _may(one, None, labelled(code), NONE)}
        assert found == people
        assert not _may(PATIENT, of_mary("Flag"), labelled(code), NONE)
        assert _may(PATIENT, of_mary("Flag"), labelled(code), OWN)
        assert _may(PATIENT, labelled(code), of_mary("Flag"), OWN)
    assert not _may(PATIENT, None, labelled("PRS", "R"), NONE)
    assert not _may(PATIENT, labelled("R"), labelled("R", "PRS"), NONE)


@pytest.mark.parametrize("writer", [THIRD_SECTOR, RECEPTIONIST, ANALYST, OTHER])
def test_others_set_none(writer: Writer) -> None:
    assert may_label(writer, "Flag") == frozenset()
    assert not _may(writer, None, labelled("N"), NONE)


def test_a_refusal_names_the_labels() -> None:
    (fault,) = judge(PATIENT, None, labelled("R", "PRS"))

    assert fault.text == (
        "R: you may set PATRPT, PRS only. Send `meta.security` as it is, or none."
    )


def test_labels_that_stay_are_nobodys_change() -> None:
    before = labelled("R", "PSY", type="Observation")
    after = {**labelled("PSY", "R", type="Observation"), "status": "amended"}

    assert judge(NURSE, before, after) == ()


def test_a_code_that_nobody_knows_needs_the_right_to_all() -> None:
    assert _may(GP, None, labelled("LOCAL"), NONE)
    assert not _may(PATIENT, None, labelled("LOCAL"), NONE)


def test_the_same_code_of_another_system_is_another_label() -> None:
    before = of_mary("Flag", meta={"security": [{"system": "urn:a", "code": "X"}]})
    after = of_mary("Flag", meta={"security": [{"system": "urn:b", "code": "X"}]})

    assert not _may(NURSE, before, after, NONE)


def test_a_release_time_is_a_label() -> None:
    released = [{"url": RELEASE_TIME, "valueDateTime": "2025-01-01"}]
    before = of_mary("Observation", status="final")
    after = {**before, "meta": {"extension": released}}

    assert faults(judge(NURSE, before, after)) == [("Observation.meta.extension", 403)]
    assert judge(NURSE, before, after, words=MINE) == ()
    assert judge(GP, after, before) == ()
    assert faults(judge(PATIENT, after, before, words=OWN)) == [("Observation.meta.extension", 403)]
    assert faults(judge(PATIENT, None, after)) == [("Observation.meta.extension", 403)]


def test_labels_of_a_patient_are_no_change_of_other_elements() -> None:
    meta = {"security": [{"code": "R"}]}

    assert refused(GP, mary(), meta=meta) == []
    assert refused(SOCIAL_WORKER, mary(), meta=meta) == [("Patient.meta.security", 403)]


def test_what_all_share_is_labelled_by_who_keeps_it() -> None:
    assert may_label(ADMIN, "Organization") == may_label(SYSTEM, "Organization") == ALL
    assert may_label(GP, "Organization") == frozenset()
    assert may_label(ADMIN, "Patient") == frozenset()
    assert (
        judge(ADMIN, None, {"resourceType": "Organization", "meta": {"security": [{"code": "N"}]}})
        == ()
    )


def test_roles_of_the_table_are_roles() -> None:
    assert set(LABELS) <= set(WORDS)
