"""The table of labels, a test for each row, and what else the text says of rows."""

from dataclasses import replace

import pytest

from tests.policy.cases import (
    ANN,
    CARER,
    MARY,
    PATIENT,
    PRACTICE,
    SYSTEM,
    WARD,
    ben,
    encounter,
    labelled,
    of_mary,
    proxy,
    record,
    registered,
    row,
    sees,
    sent,
    staff,
)
from tests.policy.naive import Caller, Version, may_see_version, shown_version
from tests.policy.world.making import NOW, ref

GP = staff("gp", PRACTICE, "Practitioner/gp")
AREAS = ("measurements", "documents", "plan")


def _who(*codes: str, by: str | None = None, type: str = "Observation", **more: float) -> set[str]:
    """Return which roles on a ward, registered with, or at home see a row with these labels."""
    document = of_mary(type, **labelled(*codes, **more))
    found = record(sent(document, None, by), encounter(), registered(), ben(), proxy(*AREAS))
    asked: dict[str, Caller] = {
        "gp": GP,
        "consultant": staff(),
        "urgent care": staff("urgent-care"),
        "social worker": staff("social-worker"),
        "patient": PATIENT,
        "carer": CARER,
    }
    return {name for name, caller in asked.items() if sees(found, caller, f"{type}/x")}


ALL = {"gp", "consultant", "urgent care", "patient", "carer"}


@pytest.mark.parametrize("codes", [(), ("U",), ("L",), ("M",), ("N",)])
def test_up_to_n_everybody_with_a_relationship_sees_it(codes: tuple[str, ...]) -> None:
    assert _who(*codes) == ALL
    assert not sees(record(of_mary(**labelled(*codes))), staff())


@pytest.mark.parametrize("code", ["R", "PRS", "PHY"])
def test_sealed(code: str) -> None:
    assert _who(code) == {"gp", "patient"}
    assert _who(code, by=WARD) == {"gp", "patient", "consultant", "urgent care"}


def test_locked() -> None:
    assert _who("V") == set()
    assert _who("V", by=WARD) == {"consultant", "urgent care"}
    assert _who("V", "R", by=PRACTICE) == {"gp"}


def test_locked_flags_are_for_whom_the_role_table_lets() -> None:
    assert _who("V", type="Flag") == {"gp", "consultant", "urgent care", "social worker"}
    assert _who("V", type="Flag", release=-1) == {
        "gp", "consultant", "urgent care", "social worker", "patient",
    }  # fmt: skip
    assert _who("V", "PRS", type="Flag") == {"gp"}


@pytest.mark.parametrize("code", ["HIV", "STD", "SEX", "PSY", "GDIS"])
def test_not_for_urgent_care_and_social_care(code: str) -> None:
    assert _who(code) == {"gp", "consultant", "patient"}
    assert _who(code, type="Flag") == {"gp", "consultant", "patient"}


@pytest.mark.parametrize("code", ["SUD", "ETH"])
def test_not_for_social_care(code: str) -> None:
    assert _who(code) == {"gp", "consultant", "urgent care", "patient"}
    assert _who(code, type="Flag") == {"gp", "consultant", "urgent care", "patient"}


@pytest.mark.parametrize("code", ["MH", "SDV", "VIO", "ADOL"])
def test_not_for_the_third_sector_and_carers(code: str) -> None:
    assert _who(code) == {"gp", "consultant", "urgent care", "patient"}
    assert "social worker" in _who(code, type="Flag")


@pytest.mark.parametrize("code", ["HIV", "SUD", "MH"])
@pytest.mark.parametrize("role", ["third-sector", "care-coordinator"])
def test_the_third_sector_and_coordinators_see_no_sensitivity(code: str, role: str) -> None:
    plain, sensitive = of_mary("Task"), of_mary("Task", "y", **labelled(code))
    tasks = [
        {**one, "for": ref(MARY), "owner": ref(WARD), "status": "draft"}
        for one in (plain, sensitive)
    ]
    found = record(encounter(), *tasks)

    assert sees(found, staff(role), "Task/x")
    assert not sees(found, staff(role), "Task/y")


def test_not_for_patient_and_carers_until_it_is_released() -> None:
    staff_only = {"gp", "consultant", "urgent care"}

    assert _who("TBOO") == staff_only
    assert _who("THIRDPARTY") == staff_only
    assert _who(release=0.01) == staff_only
    assert _who(release=-0.01) == ALL
    # The label says so whatever the role's row says.
    document = of_mary("Procedure", **labelled("TBOO"))
    assert not sees(record(document), PATIENT, "Procedure/x")


def test_who_wrote_a_row_sees_it_whatever_its_sensitivity() -> None:
    assert _who("HIV", by=WARD) == {"gp", "consultant", "urgent care", "patient"}
    assert "social worker" in _who("SUD", type="Flag", by=WARD)


def test_a_carer_sees_nothing_above_n() -> None:
    assert "carer" in _who("N")
    assert "carer" not in _who("R") | _who("V") | _who("R", by=WARD)


def test_labels_bind_systems_that_did_not_write_the_row() -> None:
    found = record(sent(of_mary(**labelled("R")), None, WARD))

    assert sees(found, replace(SYSTEM, organisation=WARD))
    assert not sees(found, replace(SYSTEM, organisation=PRACTICE))
    assert not sees(found, SYSTEM)


def test_what_all_share_needs_the_role_only() -> None:
    found = record({"resourceType": "Organization", "id": "o", **labelled("V")})

    assert sees(found, staff("other-staff"), "Organization/o")
    assert not sees(found, Caller("professional", "unknown", ANN, WARD), "Organization/o")


def test_unfiled_rows_are_for_the_organisation_they_are_of() -> None:
    found = record(sent({"resourceType": "List", "id": "l"}, "Practitioner/other", WARD))

    assert sees(found, staff(), "List/l")
    assert not sees(found, staff("urgent-care"), "List/l")
    assert not sees(found, GP, "List/l")
    assert sees(found, SYSTEM, "List/l")
    assert not sees(found, replace(SYSTEM, organisation=PRACTICE), "List/l")


def test_a_binary_is_opened_by_who_refers_to_it() -> None:
    binary = sent({"resourceType": "Binary", "id": "b"}, None, PRACTICE)
    letter = of_mary(
        "DocumentReference", status="current", content=[{"attachment": {"url": "Binary/b"}}]
    )

    assert sees(record(binary, letter, encounter()), staff(), "Binary/b")
    assert sees(record(binary, letter), PATIENT, "Binary/b")
    assert not sees(record(binary, letter), staff(), "Binary/b")
    assert not sees(record(binary, encounter()), staff(), "Binary/b")
    sealed = {**letter, **labelled("R")}
    assert not sees(record(binary, sealed, encounter()), staff(), "Binary/b")
    locked = sent({"resourceType": "Binary", "id": "b", **labelled("V")}, None, PRACTICE)
    assert not sees(record(locked, letter, encounter()), staff(), "Binary/b")


def test_what_is_masked_in_a_referrer_opens_no_binary() -> None:
    binary = sent({"resourceType": "Binary", "id": "b"}, None, PRACTICE)
    report = of_mary("DiagnosticReport", presentedForm=[{"url": "Binary/b"}])
    found = record(binary, report, encounter())

    assert sees(found, staff(), "Binary/b")
    assert sees(found, staff("care-coordinator"), "DiagnosticReport/x")
    assert not sees(found, staff("care-coordinator"), "Binary/b")


def _versions(*meta: dict[str, object]) -> tuple[Version, ...]:
    return tuple(Version(of_mary(**one), NOW) for one in meta)


def test_a_version_is_judged_by_its_own_labels_and_by_what_is_current() -> None:
    def open_versions(*meta: dict[str, object]) -> list[bool]:
        found = record(_versions(*meta), encounter())
        note = row(found, "Observation/x")
        return [may_see_version(found, staff(), note, n, "h", NOW) for n in (1, 2)]

    assert open_versions({}, {}) == [True, True]
    assert open_versions(labelled("R"), {}) == [False, True]
    assert open_versions({}, labelled("R")) == [False, False]


def test_a_version_is_shown_as_it_was_and_a_deletion_is_not() -> None:
    deleted = (*_versions(labelled("R"), {}), Version(None, NOW))
    found = record(deleted, encounter(), registered())
    note = row(found, "Observation/x")

    assert not sees(found, staff())
    assert shown_version(found, staff(), note, 2, "h", NOW) == of_mary()
    assert shown_version(found, staff(), note, 1, "h", NOW) is None
    assert shown_version(found, staff(), note, 3, "h", NOW) is None
    assert may_see_version(found, staff(), note, 3, "h", NOW)
    assert shown_version(found, GP, note, 1, "h", NOW) is not None
