"""The table of relationships, a test for each row: what permits, and what does not."""

from datetime import timedelta

import pytest

from tests.policy.cases import (
    ANN,
    BEN,
    CARER,
    MARY,
    PATIENT,
    PRACTICE,
    SYSTEM,
    WARD,
    ben,
    encounter,
    kinds,
    labelled,
    mary,
    of_mary,
    proxy,
    record,
    registered,
    row,
    sees,
    staff,
)
from tests.policy.naive import Caller, Fact, Version, names, shown
from tests.policy.world.making import NOW, concept, instant, period, ref

NOTE = of_mary(status="final")


def _team(*participants: dict[str, object], **more: object) -> dict[str, object]:
    given = {"status": "active", "participant": list(participants)}
    return of_mary("CareTeam", "team", **{**given, **more})


def _task(status: str, **more: object) -> dict[str, object]:
    given = {"intent": "order", "for": ref(MARY), "owner": ref(WARD)}
    return {"resourceType": "Task", "id": "task", "status": status, **given, **more}


def _history(*some: tuple[dict[str, object], float]) -> tuple[Version, ...]:
    """Return versions, each with how many days ago it was sent."""
    return tuple(Version(one, NOW - timedelta(days=ago)) for one, ago in some)


def test_names_are_person_organisation_and_places_in_force() -> None:
    place = {
        "resourceType": "PractitionerRole",
        "practitioner": ref(ANN),
        "organization": ref(WARD),
    }
    found = record(
        {**place, "id": "now"},
        {**place, "id": "left", "period": period(-9, -1)},
        {**place, "id": "shut", "active": False},
        {**place, "id": "elsewhere", "organization": ref(PRACTICE)},
        {**place, "id": "somebody", "practitioner": ref("Practitioner/other")},
    )

    assert names(found, staff(), NOW) == {ANN, WARD, "PractitionerRole/now"}
    assert names(found, PATIENT, NOW) == {MARY}


@pytest.mark.parametrize("name", [PRACTICE, ANN])
def test_registered_while_it_stands_there(name: str) -> None:
    gp = staff("gp", PRACTICE)

    assert kinds(record(registered(name)), gp) == {"registered"}
    assert sees(record(registered(name), NOTE), gp)
    assert kinds(record(registered("Organization/other")), gp) == set()
    assert not sees(record(NOTE), gp)


@pytest.mark.parametrize(
    "participant",
    [
        {"member": ref(ANN)},
        {"member": ref(WARD)},
        {"member": ref(ANN), "onBehalfOf": ref(WARD)},
        {"member": ref(ANN), "period": period(-9, 1)},
    ],
    ids=str,
)
def test_team_opens_to_its_members(participant: dict[str, object]) -> None:
    assert kinds(record(_team(participant)), staff()) == {"team"}
    assert sees(record(_team(participant), NOTE), staff())


@pytest.mark.parametrize(
    "team",
    [
        _team({"member": ref(ANN)}, status="inactive"),
        _team({"member": ref(ANN)}, period=period(-9, -1)),
        _team({"member": ref(ANN), "period": period(-9, -0.01)}),
        _team({"member": ref(ANN), "period": period(1)}),
        _team({"member": ref(ANN), "onBehalfOf": ref(PRACTICE)}),
        _team({"member": ref("Practitioner/other"), "onBehalfOf": ref(WARD)}),
        _team({"member": {"display": "Ann"}}),
    ],
    ids=["inactive", "over", "left", "to come", "for others", "somebody", "in words"],
)
def test_team_opens_to_nobody_else(team: dict[str, object]) -> None:
    assert kinds(record(team), staff()) == set()
    assert not sees(record(team, NOTE), staff())


@pytest.mark.parametrize("status", ["arrived", "triaged", "in-progress", "onleave"])
def test_encounter_opens_while_it_is_live(status: str) -> None:
    assert kinds(record(encounter(status)), staff()) == {"encounter"}
    assert kinds(
        record(encounter(status, "Organization/other", participant=[{"individual": ref(ANN)}])),
        staff(),
    ) == {"encounter"}
    assert sees(record(encounter(status), NOTE), staff())


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error", "unknown"])
def test_encounter_that_is_not_live_opens_nothing(status: str) -> None:
    assert not sees(record(encounter(status), NOTE), staff())


def test_encounter_opens_until_thirty_days_after_its_end() -> None:
    def finished(end: float) -> dict[str, object]:
        return encounter("finished", period=period(-90, end))

    assert sees(record(finished(-29.99), NOTE), staff())
    assert not sees(record(finished(-30.01), NOTE), staff())
    # Longer than that is no more open because somebody forgot to finish it.
    assert not sees(record(encounter(period=period(-90, -31)), NOTE), staff())
    assert not sees(record(encounter(period=period(1)), NOTE), staff())


def test_encounter_lets_those_go_earlier_who_left_earlier() -> None:
    def took_part(end: float) -> dict[str, object]:
        part = {"individual": ref(ANN), "period": period(-80, end)}
        return encounter(organisation=PRACTICE, participant=[part], period=period(-90))

    assert sees(record(took_part(-29), NOTE), staff())
    assert not sees(record(took_part(-31), NOTE), staff())


def test_encounter_that_is_over_is_not_over_later_by_a_rewrite() -> None:
    over = encounter("finished", period=period(-90, -40))
    rewritten = encounter("finished", period=period(-90, -1))

    assert not sees(record(_history((over, 39), (rewritten, 1)), NOTE), staff())
    assert sees(record(_history((rewritten, 1)), NOTE), staff())


def test_encounter_without_an_end_ended_when_it_was_written_as_over() -> None:
    live, over = encounter(period=period(-90)), encounter("finished", period=period(-90))

    assert sees(record(_history((live, 80), (over, 29)), NOTE), staff())
    assert not sees(record(_history((live, 80), (over, 31)), NOTE), staff())
    assert not sees(record(_history((over, 1)), NOTE), staff())


@pytest.mark.parametrize("status", ["accepted", "in-progress", "ready", "on-hold"])
def test_referral_opens_once_it_is_accepted(status: str) -> None:
    assert kinds(record(_task(status)), staff()) == {"referral"}
    assert sees(record(_task(status), NOTE), staff())
    assert not sees(record(_task(status, owner=ref(PRACTICE)), NOTE), staff())
    assert not sees(record(_task(status, intent="plan"), NOTE), staff())


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_done_opens_the_plan_until_fourteen_days_after_its_end(status: str) -> None:
    accepted, over = _task("accepted"), _task(status)
    goal = of_mary("Goal", lifecycleStatus="active")

    found = record(_history((accepted, 40), (over, 13.9)), NOTE, goal)
    assert kinds(found, staff()) == {"done"}
    assert sees(found, staff(), "Goal/x")
    assert not sees(found, staff())
    assert not sees(record(_history((accepted, 40), (over, 14.1)), goal), staff(), "Goal/x")
    said = _task(status, executionPeriod=period(-40, -15))
    assert not sees(record(_history((accepted, 40), (said, 1)), goal), staff(), "Goal/x")


def test_referral_that_was_never_accepted_opens_nothing() -> None:
    asked, over = _task("requested"), _task("cancelled")
    others = _task("accepted", owner=ref(PRACTICE))

    assert not sees(record(_history((asked, 9), (over, 1)), NOTE), staff())
    assert not sees(record(_history((over, 1)), NOTE), staff())
    assert not sees(record(_history((others, 9), (_task("completed"), 1)), NOTE), staff())


@pytest.mark.parametrize("status", ["draft", "rejected", "entered-in-error"])
def test_task_in_another_state_opens_nothing(status: str) -> None:
    assert kinds(record(_task(status)), staff()) == set()


def test_asked_opens_who_the_patient_is_and_what_names_the_caller() -> None:
    order = of_mary("ServiceRequest", status="active", intent="order", performer=[ref(WARD)])
    about = _task("requested", owner=ref(PRACTICE), focus=ref("ServiceRequest/x"))
    others = of_mary(
        "ServiceRequest", "other", status="draft", intent="order", performer=[ref(PRACTICE)]
    )
    for one, *more in ((_task("requested"),), (_task("received"),), (order, about)):
        found = record(one, *more, NOTE, others)

        assert kinds(found, staff()) == {"asked"}
        assert sees(found, staff(), f"{one['resourceType']}/{one['id']}")
        assert not sees(found, staff())
        assert not sees(found, staff(), "ServiceRequest/other")
        assert shown(found, staff(), row(found, MARY), "r", NOW) == {
            "resourceType": "Patient",
            "id": "mary",
            "name": [{"family": "Murray"}],
            "birthDate": "1950-03-02",
            "gender": "female",
        }


@pytest.mark.parametrize("more", [{"status": "draft"}, {"intent": "proposal"}, {"performer": []}])
def test_asked_no_more_opens_nothing(more: dict[str, object]) -> None:
    given = {"status": "active", "intent": "order", "performer": [ref(WARD)]}
    found = record(of_mary("ServiceRequest", **{**given, **more}))

    assert not sees(found, staff(), MARY)
    assert not sees(found, staff(), "ServiceRequest/x")


def _fact(kind: str, start: float, end: float, held_by: str = "") -> Fact:
    day = timedelta(days=1)
    return Fact(kind, ANN, MARY, NOW + start * day, NOW + end * day, held_by)


def test_delegated_for_thirty_days_and_as_long_as_the_giver_has_it() -> None:
    def given(held_by: str = PRACTICE, start: float = -1, end: float = 20) -> list[Fact]:
        return [_fact("delegated", start, end, held_by)]

    assert kinds(record(registered(), facts=given()), staff()) == {"delegated"}
    assert sees(record(registered(), NOTE, facts=given()), staff())
    assert not sees(record(NOTE, facts=given()), staff())  # the giver has nothing
    assert not sees(record(registered(), NOTE, facts=given(start=-31)), staff())
    assert not sees(record(registered(), NOTE, facts=given(end=-0.5)), staff())
    asked = record(_task("requested", owner=ref(PRACTICE)), NOTE, facts=given())
    assert not sees(asked, staff())  # who is only asked has nothing to give


def test_self_opens_own_rows() -> None:
    other = {**mary(), "id": "other"}
    theirs = {**NOTE, "id": "theirs", "subject": ref("Patient/other")}
    found = record(NOTE, other, theirs)

    assert kinds(found, PATIENT) == {"self"}
    assert sees(found, PATIENT)
    assert not sees(found, PATIENT, "Observation/theirs")
    assert not sees(found, PATIENT, "Patient/other")
    assert kinds(found, Caller("patient", "patient", "Patient/other", None, MARY)) == set()


def test_proxy_opens_what_the_consent_permits() -> None:
    found = record(ben(), proxy("measurements"), NOTE, of_mary("Condition", "y"))

    assert kinds(found, CARER) == {"proxy"}
    assert sees(found, CARER)
    assert not sees(found, CARER, "Condition/y")
    assert not sees(found, CARER, BEN)


@pytest.mark.parametrize(
    "said",
    [
        [ben()],
        [proxy("measurements")],
        [ben(active=False), proxy("measurements")],
        [ben(period=period(-9, -1)), proxy("measurements")],
        [ben(patient=ref("Patient/other")), proxy("measurements")],
        [ben(), proxy("measurements", period=period(-9, -1))],
        [ben(), proxy("measurements", type="deny")],
        [ben(), proxy("measurements", actor=[])],
        [ben(), {**proxy("measurements"), "status": "inactive"}],
        [ben(), {**proxy("measurements"), "category": [concept("sharing")]}],
        [ben(), {**proxy("measurements"), "scope": concept("research")}],
    ],
    ids=lambda said: str(len(said)),
)
def test_proxy_that_is_not_in_force_opens_nothing(said: list[dict[str, object]]) -> None:
    found = record(*said, NOTE)

    assert kinds(found, CARER) == set()
    assert not sees(found, CARER)


def test_proxy_of_a_parent_ends_with_childhood() -> None:
    def child(born: str) -> dict[str, object]:
        return mary(birthDate=born)

    by_ben = {**proxy("measurements"), "performer": [ref(BEN)]}

    assert sees(record(ben(), by_ben, NOTE, child("2012-06-16")), CARER)
    assert not sees(record(ben(), by_ben, NOTE, child("2012-06-14")), CARER)
    assert not sees(record(ben(), by_ben, NOTE, child("2020")), CARER)


def test_claimed_opens_rows_without_a_label_above_n_for_a_day() -> None:
    def found(start: float, *codes: str) -> bool:
        note = {**NOTE, **labelled(*codes)} if codes else NOTE
        return sees(record(note, facts=[_fact("claimed", start, start + 1)]), staff())

    assert found(-0.99)
    assert not found(-1.01)
    assert not found(0.01)
    assert found(-0.5, "N")
    assert not found(-0.5, "R")
    assert not found(-0.5, "MH")


def test_broken_glass_opens_all_but_what_is_locked_for_four_hours() -> None:
    def found(start: float, *codes: str, type: str = "Observation") -> bool:
        note = {**NOTE, "resourceType": type, **labelled(*codes)}
        facts = [_fact("broken glass", start, start + 1)]
        return sees(record(note, facts=facts), staff(), f"{type}/x")

    assert found(-0.16)
    assert not found(-0.17)
    assert found(-0.1, "R")
    assert not found(-0.1, "V")
    assert not found(-0.1, "V", type="Flag")


def test_facts_are_of_one_person_and_one_patient() -> None:
    facts = [_fact("broken glass", -0.1, 1)]
    other = {**mary(), "id": "other"}
    theirs = {**NOTE, "id": "theirs", "subject": ref("Patient/other")}
    found = record(NOTE, other, theirs, facts=facts)

    assert sees(found, staff())
    assert not sees(found, staff(person="Practitioner/other"))
    assert not sees(found, staff(), "Observation/theirs")


def test_systems_need_no_relationship() -> None:
    assert kinds(record(), SYSTEM) == {"system"}
    assert sees(record(NOTE), SYSTEM)


def test_a_moment_within_a_day_that_ends_it_is_in_it() -> None:
    """The end of a Period is part of it, by its precision (R4 §2.24.0.11)."""

    def until(end: str) -> bool:
        return sees(record(_team({"member": ref(ANN)}, period={"end": end}), NOTE), staff())

    assert until("2025-06-15")
    assert not until("2025-06-14")
    assert until("2025-06")
    assert not until("2025-05")
    assert until("2025")
    assert until(instant(0))
    assert not until(instant(-1 / 86400))
