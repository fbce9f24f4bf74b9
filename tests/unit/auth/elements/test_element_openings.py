"""Elements that open a record: who names whom, and who has named themself."""

from typing import Any

import pytest

from auth.elements import Claim, Writer, claims, judge
from tests.element_cases import (
    ANN,
    BEN,
    CARLA,
    CONSULTANT,
    COORDINATOR,
    COUNCIL,
    GP,
    LEAD,
    MARY,
    MINE,
    NURSE,
    PATIENT,
    PRACTICE,
    RECEPTIONIST,
    REGISTERED,
    SOCIAL_WORKER,
    SYSTEM,
    THIRD_SECTOR,
    WARD,
    Resource,
    concept,
    faults,
    mary,
    of_mary,
    ref,
)

NONE: frozenset[str] = frozenset()


def member(name: str, behalf: str | None = None, **more: Any) -> Resource:
    """Return a participant of a team."""
    found = {"member": ref(name), **more}
    return found if behalf is None else {**found, "onBehalfOf": ref(behalf)}


def team(*participants: Resource, status: str = "active", **more: Any) -> Resource:
    """Return a team of Mary's."""
    return of_mary("CareTeam", status=status, participant=list(participants), **more)


def _changed(
    writer: Writer, before: Resource | None, after: Resource, words: frozenset[str] = NONE
) -> tuple[list[tuple[str, int]], list[str]]:
    """Return the faults of a write and the names that it claims for its writer."""
    found = claims(writer, before, after, words=words)
    return faults(judge(writer, before, after, words=words)), [one.name for one in found]


ZOE, SARA = member("Practitioner/zoe"), member("Practitioner/sara", WARD)
LET: tuple[list[Any], list[Any]] = ([], [])
REFUSED = ([("CareTeam.participant[0]", 403)], [])


@pytest.mark.parametrize(
    ("writer", "words", "participant", "expected"),
    [
        (COORDINATOR, NONE, ZOE, LET),
        (LEAD, NONE, ZOE, LET),
        (GP, REGISTERED, ZOE, LET),
        (GP, NONE, ZOE, REFUSED),
        (GP, NONE, member("Practitioner/zoe", PRACTICE), LET),
        (CONSULTANT, NONE, ZOE, REFUSED),
        (CONSULTANT, NONE, SARA, LET),
        (SOCIAL_WORKER, NONE, SARA, REFUSED),
        (NURSE, NONE, member("Organization/other"), REFUSED),
        (NURSE, NONE, member("CareTeam/other"), REFUSED),
        (NURSE, NONE, member(MARY), LET),
        (NURSE, NONE, member("RelatedPerson/kim"), LET),
        (NURSE, NONE, {"role": [concept("a")]}, REFUSED),
        (THIRD_SECTOR, NONE, SARA, REFUSED),
        (SYSTEM, NONE, ZOE, LET),
        # Oneself, one's place, one's organisation.
        (CONSULTANT, NONE, member(BEN), ([], [BEN])),
        (CONSULTANT, NONE, member("PractitionerRole/ben"), ([], ["PractitionerRole/ben"])),
        (CONSULTANT, NONE, member(WARD), ([], [WARD])),
        (GP, NONE, member(ANN), ([], [ANN])),
        (THIRD_SECTOR, NONE, member(CARLA), ([], [CARLA])),
        (GP, REGISTERED, member(ANN), LET),
        (COORDINATOR, NONE, member(CARLA), LET),
        (LEAD, NONE, member(BEN), LET),
        (SYSTEM, NONE, member(WARD), LET),
    ],
)
def test_a_team_lets_in_whom_its_keepers_and_colleagues_name(
    writer: Writer, words: frozenset[str], participant: Resource, expected: Any
) -> None:
    assert _changed(writer, None, team(participant), words) == expected
    assert _changed(writer, team(), team(participant), words) == expected


def test_several_at_once_are_each_judged() -> None:
    after = team(member(BEN), SARA, ZOE, member("Organization/other"))

    assert _changed(CONSULTANT, None, after) == (
        [("CareTeam.participant[2]", 403), ("CareTeam.participant[3]", 403)],
        [BEN],
    )


def test_who_lets_in_takes_out() -> None:
    before = team(ZOE, SARA)

    assert _changed(CONSULTANT, before, team(ZOE)) == LET
    assert _changed(CONSULTANT, before, team(SARA)) == ([("CareTeam.participant", 403)], [])
    assert _changed(COORDINATOR, before, team()) == LET
    assert _changed(PATIENT, before, team(ZOE)) == ([("CareTeam.participant", 403)], [])


def test_nobody_takes_the_place_of_named_lead() -> None:
    leading = member(BEN, role=[concept("named-lead", "urn:x")])

    assert _changed(CONSULTANT, None, team(leading)) == (REFUSED[0], [BEN])
    assert _changed(CONSULTANT, team(leading), team())[0] == [("CareTeam.participant", 403)]
    assert _changed(GP, None, team(leading), REGISTERED) == LET
    assert _changed(COORDINATOR, team(leading), team()) == LET


def test_to_leave_is_no_claim_and_to_come_back_is_one() -> None:
    standing = member(BEN, period={"start": "2025-01-01"})
    ended = member(BEN, period={"start": "2025-01-01", "end": "2025-02-01"})
    longer = member(BEN, period={"start": "2025-01-01", "end": "2026-02-01"})

    assert _changed(CONSULTANT, team(standing), team(ended)) == LET
    assert _changed(CONSULTANT, team(member(BEN)), team(member(BEN, period={"end": "2025"}))) == LET
    assert _changed(CONSULTANT, team(ended), team(standing)) == ([], [BEN])
    assert _changed(CONSULTANT, team(ended), team(longer)) == ([], [BEN])
    assert _changed(CONSULTANT, team(standing), team()) == LET


def test_to_set_a_team_in_force_lets_in_all_who_are_in_it() -> None:
    mine = member(ANN)

    assert _changed(GP, team(mine, status="inactive"), team(mine)) == ([], [ANN])
    assert _changed(GP, team(mine), team(mine, status="inactive")) == LET
    assert _changed(GP, team(mine, period={"end": "2025"}), team(mine)) == ([], [ANN])
    assert _changed(GP, team(mine), team(mine, period={"end": "2025"})) == LET
    assert _changed(GP, team(mine, status="inactive"), team(mine), REGISTERED) == LET


def encounter(provider: str = WARD, *who: str, **more: Any) -> Resource:
    """Return a stay of Mary's."""
    taking_part = [{"individual": ref(name)} for name in who]
    return of_mary("Encounter", status="in-progress", participant=taking_part,
                   serviceProvider=ref(provider), **more)  # fmt: skip


def test_an_encounter_is_its_providers() -> None:
    assert _changed(CONSULTANT, None, encounter(WARD, BEN, "Practitioner/zoe")) == LET
    assert _changed(CONSULTANT, encounter(), encounter(WARD, BEN)) == LET
    assert _changed(GP, None, encounter(WARD, ANN)) == (
        [("Encounter.serviceProvider", 403)],
        [ANN],
    )
    assert _changed(GP, encounter(), encounter(WARD, "Practitioner/zoe")) == (
        [("Encounter.participant[0]", 403)],
        [],
    )
    assert _changed(GP, encounter(WARD, BEN), encounter()) == ([("Encounter.participant", 403)], [])
    assert _changed(GP, encounter(), encounter(WARD, ANN)) == ([], [ANN])
    assert _changed(SYSTEM, None, encounter(PRACTICE, BEN)) == LET


def test_to_make_oneself_the_gp_is_refused_and_told() -> None:
    after = mary(generalPractitioner=[ref(PRACTICE)])

    assert _changed(GP, mary(), after, MINE) == ([("Patient.generalPractitioner", 403)], [PRACTICE])
    assert _changed(RECEPTIONIST, None, after) == LET
    assert _changed(GP, after, after) == LET


def task(owner: str, requester: str | None, status: str) -> Resource:
    """Return a Task for Mary."""
    asked = {} if requester is None else {"requester": ref(requester)}
    return of_mary("Task", status=status, owner=ref(owner), **asked)


@pytest.mark.parametrize(
    ("before", "after", "is_claim"),
    [
        (None, task(CARLA, CARLA, "accepted"), True),
        (None, task(COUNCIL, CARLA, "in-progress"), True),
        (None, task(CARLA, None, "accepted"), True),
        (None, task(CARLA, CARLA, "requested"), False),
        (None, task(ANN, CARLA, "accepted"), False),
        (task(CARLA, CARLA, "requested"), task(CARLA, CARLA, "accepted"), True),
        (task(CARLA, ANN, "requested"), task(CARLA, ANN, "accepted"), False),
        (task(COUNCIL, ANN, "requested"), task(CARLA, ANN, "accepted"), False),
        (task(CARLA, CARLA, "accepted"), task(CARLA, CARLA, "in-progress"), False),
        (task(ANN, CARLA, "accepted"), task(CARLA, CARLA, "accepted"), True),
        (task(CARLA, CARLA, "in-progress"), task(CARLA, CARLA, "completed"), False),
    ],
)
def test_a_task_that_nobody_else_asked_for_is_a_claim(
    before: Resource | None, after: Resource, is_claim: bool
) -> None:
    found = claims(SOCIAL_WORKER, before, after)

    assert found == ((Claim("Task.owner", found[0].name),) if is_claim else ())
    assert all(one.name in SOCIAL_WORKER.names for one in found)


def test_only_professionals_claim() -> None:
    own = of_mary("Task", status="accepted", owner=ref(MARY), requester=ref(MARY))

    assert claims(PATIENT, None, own) == ()
    assert claims(SYSTEM, None, team(member(WARD))) == ()
    assert claims(GP, team(member(ANN)), None) == ()
