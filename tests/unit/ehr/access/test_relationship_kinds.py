"""Each kind of relationship: what gives rise to it, until when, and what does not."""

from typing import Any

import pytest

from ehr.access.relationships import Ceiling, Kind
from ehr.access.terms import DAY, FOREVER, HOUR
from fhir_profiles.own_names import ACCESS, BASIS, HELD_BY
from tests.unit.ehr.access.access_documents import (
    NOON,
    access_task,
    concept,
    day,
    encounter,
    live,
    made,
    proxy,
    request,
    task,
    team,
    to,
)

FULL, MINIMAL, PLAN = Ceiling.ROLE, Ceiling.MINIMAL, Ceiling.PLAN
NHS = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "A81001"}


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (to("Organization/leith"), "Organization/leith"),
        (to("https://own.example/fhir/Practitioner/ann/_history/3"), "Practitioner/ann"),
        (to("https://far.example/r4/Practitioner/7"), "https://far.example/r4/Practitioner/7"),
        (
            {"type": "Organization", "identifier": NHS},
            f"Organization?identifier={NHS['system']}|A81001",
        ),
        ({"identifier": NHS}, f"?identifier={NHS['system']}|A81001"),
        ({**to("Organization/leith"), "identifier": NHS}, "Organization/leith"),
        ({"identifier": {"value": "A81001"}}, None),
        ({"type": "Patient", "identifier": NHS}, None),
        (to("#contained"), None),
        (to("urn:uuid:8a1c"), None),
        (to("Patient/somebody"), None),
        ({"display": "Dr Reid"}, None),
    ],
)
def test_a_practice_is_named_as_the_patient_names_it(reference: Any, name: str | None) -> None:
    found = live(made({"resourceType": "Patient", "generalPractitioner": [reference]}))

    assert found.pop("Patient/x") == (Kind.SELF, FULL)
    assert found == ({name: (Kind.REGISTERED, FULL)} if name else {})


@pytest.mark.parametrize(
    ("participant", "team_more", "is_live"),
    [
        ({}, {}, True),
        ({"period": {"start": "2025-06-15", "end": "2025-06-15"}}, {}, True),
        ({"period": {"end": "2025-06-14"}}, {}, False),
        ({"period": {"start": "2025-06-16"}}, {}, False),
        ({"period": {"start": "2025-07-01", "end": "2025-05-01"}}, {}, False),
        ({}, {"period": {"end": "2025-06-14"}}, False),
        ({}, {"status": "suspended"}, False),
        ({}, {"status": "entered-in-error"}, False),
        ({"onBehalfOf": {"display": "somebody"}}, {}, False),
    ],
)
def test_a_member_of_an_active_team_in_its_period(
    participant: Any, team_more: Any, is_live: bool
) -> None:
    found = live(made(team({"member": to("Practitioner/ann"), **participant}, **team_more)))

    assert found == ({"Practitioner/ann": (Kind.TEAM, FULL)} if is_live else {})


def test_patients_and_carers_in_a_team_get_nothing_by_it() -> None:
    members = [{"member": to(f"{type}/a")} for type in ("Patient", "RelatedPerson")]

    assert made(team(*members)) == ()


def test_a_member_for_an_organisation_acts_for_it() -> None:
    (one,) = made(team({"member": to("Practitioner/ann"), "onBehalfOf": to("Organization/o")}))

    assert (one.grantee, one.behalf, one.to) == ("Practitioner/ann", "Organization/o", FOREVER)


@pytest.mark.parametrize("status", ["arrived", "triaged", "in-progress", "onleave"])
def test_an_open_encounter(status: str) -> None:
    expected = {
        "Practitioner/con": (Kind.ENCOUNTER, FULL),
        "Organization/hospital": (Kind.ENCOUNTER, FULL),
    }

    assert live(made(encounter(status))) == expected


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error", "unknown"])
def test_an_encounter_that_is_none(status: str) -> None:
    assert made(encounter(status)) == ()


@pytest.mark.parametrize(
    ("period", "ends"),
    [
        ({"start": "2025-06-01", "end": "2025-06-10"}, "2025-07-11"),
        ({"start": "2025-06-01", "end": "2025-06"}, None),  # not over yet: until now, and 30 days
        ({"start": "2025-01-01", "end": "2025-01-02"}, "2025-02-02"),
    ],
)
def test_a_finished_encounter_ends_thirty_days_later(period: Any, ends: str | None) -> None:
    expected = day(ends) if ends else NOON + 30 * DAY

    assert {one.to for one in made(encounter("finished", period=period))} == {expected}


@pytest.mark.parametrize(
    "period", [None, {"start": "2025-06-01"}, {"start": "2025-06-03", "end": "2025-06-01"}]
)
def test_what_came_as_finished_without_a_proper_end_never_opens(period: Any) -> None:
    assert made(encounter("finished", period=period)) == ()


def test_an_encounter_that_was_open_ends_with_the_write_that_finishes_it() -> None:
    before = made(encounter())
    after = made(encounter("finished"), before=before)
    again = made(encounter("finished"), at=NOON + DAY, before=after)

    assert {one.to for one in after} == {NOON + 30 * DAY}
    assert again == after


def test_a_finished_encounter_is_not_made_longer_by_another_end() -> None:
    over = encounter("finished", period={"start": "2025-06-01", "end": "2025-06-02"})
    later = encounter(
        "finished",
        period={"start": "2025-06-01", "end": "2025-06-14"},
        participant=[{"individual": to("Practitioner/new")}],
    )
    after = made(later, before=made(over))

    assert {one.grantee: one.to for one in after} == dict.fromkeys(
        ("Organization/hospital", "Practitioner/new"), day("2025-07-03")
    )


def test_emergency_access_is_not_prolonged() -> None:
    before = made(access_task("break-glass"))
    later = access_task("break-glass", executionPeriod={"start": "2025-06-15T18:00:00Z"})

    (one,) = made(later, before=before)

    assert one.to == before[0].to


def test_a_participant_leaves_before_the_encounter_ends() -> None:
    gone = {"individual": to("Practitioner/old"), "period": {"end": "2025-05-01"}}

    assert "Practitioner/old" not in live(made(encounter(period={}, participant=[gone])))


@pytest.mark.parametrize("type", ["Practitioner", "HealthcareService", "CareTeam"])
def test_an_active_request_opens_to_its_performers(type: str) -> None:
    found = made(request(performer=[to(f"{type}/a"), to("Patient/b"), to("RelatedPerson/c")]))

    assert live(found) == {f"{type}/a": (Kind.REFERRAL, FULL)}
    assert found[0].basis == "ServiceRequest/x"


@pytest.mark.parametrize(
    "more",
    [
        {"intent": "proposal"},
        {"intent": "plan"},
        {"doNotPerform": True},
        {"status": "draft"},
        {"status": "unknown"},
        {"status": "completed"},
    ],
)
def test_a_request_that_asks_nobody(more: Any) -> None:
    assert made({**request(), **more}) == ()


@pytest.mark.parametrize("status", ["completed", "revoked"])
def test_a_request_ends_fourteen_days_after_it_is_over(status: str) -> None:
    (one,) = made(request(status), before=made(request()))

    assert (one.to, one.ceiling, one.ended) == (NOON + 14 * DAY, FULL, True)


@pytest.mark.parametrize(
    ("status", "ceiling"),
    [
        ("draft", None),
        ("requested", MINIMAL),
        ("received", MINIMAL),
        ("ready", FULL),
        ("accepted", FULL),
        ("in-progress", FULL),
        ("on-hold", FULL),
        ("rejected", None),
        ("cancelled", None),
        ("entered-in-error", None),
    ],
)
def test_a_task_opens_the_minimum_until_it_is_accepted(
    status: str, ceiling: Ceiling | None
) -> None:
    found = made(task(status))

    expected = {"Organization/physio": (Kind.REFERRAL, ceiling)} if ceiling else {}
    assert live(found) == expected
    is_told = status != "entered-in-error"
    assert [(one.basis, one.from_task) for one in found] == [("ServiceRequest/x", True)] * is_told


def test_a_task_about_a_request_is_told_where_nobody_owns_it() -> None:
    (one,) = made({**task("requested"), "owner": {"display": "anybody"}})

    assert (one.grantee, one.ceiling, one.from_task) == ("", Ceiling.NOTHING, True)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_who_is_done_keeps_the_plan_for_fourteen_days(status: str) -> None:
    (one,) = made(task(status), before=made(task("in-progress")))

    assert (one.to, one.ceiling) == (NOON + 14 * DAY, PLAN)


def test_who_never_accepted_gets_nothing_by_being_done() -> None:
    (one,) = made(task("completed"), before=made(task("requested")))

    assert one.ceiling is Ceiling.NOTHING


@pytest.mark.parametrize(
    ("code", "kind", "longest"),
    [
        ("delegation", Kind.DELEGATED, 30 * DAY),
        ("self-claim", Kind.SELF_CLAIMED, 24 * HOUR),
        ("break-glass", Kind.BREAK_GLASS, 4 * HOUR),
    ],
)
def test_what_was_asked_for_lasts_as_long_as_its_kind_may(
    code: str, kind: Kind, longest: int
) -> None:
    held = {"type": concept(ACCESS, HELD_BY), "valueReference": to("Organization/leith")}
    period = {"start": "2025-06-15T15:00:00Z", "end": "2031-01-01"}
    (one,) = made(access_task(code, executionPeriod=period, input=[held]))

    begun = day("2025-06-15T15:00:00Z")
    assert (one.kind, one.grantee, one.from_, one.to) == (
        kind, "Practitioner/ann", begun, begun + longest,
    )  # fmt: skip
    assert one.basis == ("Organization/leith" if kind is Kind.DELEGATED else "")


@pytest.mark.parametrize(
    "more",
    [
        {"code": concept(ACCESS, "review")},
        {"code": concept(ACCESS, "break-glass", "delegation")},
        {"owner": to("Organization/leith")},
        {"executionPeriod": {"end": "2025-06-16"}},
        {"status": "requested"},
        {"status": "entered-in-error"},
        {"code": concept(ACCESS, "delegation")},  # nobody delegates
    ],
)
def test_a_task_of_access_that_opens_nothing(more: Any) -> None:
    assert made({**access_task("break-glass"), **more}) == ()


def test_emergency_access_that_is_closed_early_is_over() -> None:
    before = made(access_task("break-glass"))
    (one,) = made(access_task("break-glass", "completed"), before=before)

    assert (one.to, one.ended) == (NOON, True)


@pytest.mark.parametrize(
    ("more", "is_there"),
    [({}, True), ({"active": False}, False), ({"period": {"end": "2024"}}, False)],
)
def test_a_related_person_opens_nothing_alone(more: Any, is_there: bool) -> None:
    found = made({"resourceType": "RelatedPerson", "patient": to("Patient/mary"), **more})

    assert live(found) == {}
    assert any(one.from_ <= NOON < one.to for one in found) is is_there


def test_a_proxy_has_permissions_and_an_end() -> None:
    (one,) = made(proxy())

    assert (one.kind, one.grantee, one.basis) == (
        Kind.PROXY, "RelatedPerson/ben", "RelatedPerson/ben",
    )  # fmt: skip
    assert (one.from_, one.to) == (day("2025-01-01"), day("2026-01-01"))
    assert one.permits == "read:medicines read:plan"


@pytest.mark.parametrize(
    "more",
    [
        {"status": "inactive"},
        {"status": "proposed"},
        {"provision": {"code": []}},
        {"provision": {"actor": [{"reference": to("Practitioner/ann")}]}},
        {"provision": {"type": "deny"}},
        {"provision": {"period": {"start": "2025-06-01", "end": "2025-05-01"}}},
    ],
)
def test_a_consent_that_makes_no_proxy(more: Any) -> None:
    assert made(proxy(**more)) == ()


def test_a_parent_sees_less_from_thirteen_and_nothing_from_sixteen() -> None:
    parent = [{"url": BASIS, "valueCode": "parental-responsibility"}]
    code = [concept("https://shared-care-record.example.org/fhir/CodeSystem/proxy-area", area)
            for area in ("plan", "messages")]  # fmt: skip
    document = proxy(extension=parent, provision={"code": code, "period": {}})

    first, second = made(document, birth="2012-02-29")
    assert (first.to, first.permits) == (day("2025-03-01"), "read:messages read:plan")
    assert (second.from_, second.to) == (day("2025-03-01"), day("2028-02-29"))
    assert second.permits == "read:messages"
    assert made(document) == ()  # no birth date, no age


def test_a_grant_of_unknown_basis_is_taken_for_a_parent_s() -> None:
    document = proxy(performer=[to("RelatedPerson/ben")])

    assert made(document, birth="1950-01-01") == ()
    assert made(document, birth="2020") != ()
