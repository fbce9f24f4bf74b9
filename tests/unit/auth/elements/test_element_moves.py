"""Moves of a status: each legal one, who makes it, and what the refusal of another says."""

from typing import Any

import pytest

from auth.elements import Writer, judge
from auth.elements.moves import MOVES, NEW
from fhir_profiles.definitions import codes, type_definition
from tests.element_cases import (
    ANN,
    BEN,
    CARER,
    CONSULTANT,
    COORDINATOR,
    GP,
    MINE,
    NURSE,
    PATIENT,
    SOCIAL_WORKER,
    SYSTEM,
    WARD,
    faults,
    of_mary,
    ref,
    refused,
)

# Type → (element, state → what may follow it), written by hand from the sources.
ERROR = "entered-in-error"
LEGAL: dict[str, tuple[str, dict[str, str]]] = {
    "CarePlan": ("status", {
        "draft": "active", "active": "on-hold completed revoked", "on-hold": "active",
        "completed": "", "revoked": "", ERROR: "",
        "unknown": "draft active on-hold completed revoked",
    }),
    "Goal": ("lifecycleStatus", {
        "proposed": "planned accepted active rejected cancelled",
        "planned": "accepted active on-hold rejected cancelled",
        "accepted": "active on-hold cancelled", "active": "on-hold completed cancelled",
        "on-hold": "active cancelled", "completed": "", "cancelled": "", "rejected": "", ERROR: "",
    }),
    "Encounter": ("status", {
        "planned": "arrived in-progress cancelled", "arrived": "triaged in-progress cancelled",
        "triaged": "in-progress cancelled", "in-progress": "onleave finished",
        "onleave": "in-progress finished", "finished": "", "cancelled": "", ERROR: "",
        "unknown": "planned arrived triaged in-progress onleave finished cancelled",
    }),
    "ServiceRequest": ("status", {
        "draft": "active revoked", "active": "on-hold completed revoked",
        "on-hold": "active revoked", "completed": "", "revoked": "", ERROR: "",
        "unknown": "draft active on-hold completed revoked",
    }),
    "Consent": ("status", {
        "draft": "proposed active rejected", "proposed": "active rejected", "active": "inactive",
        "inactive": "active", "rejected": "", ERROR: "",
    }),
    "Task": ("status", {
        "draft": "requested", "requested": "received accepted rejected cancelled",
        "received": "accepted rejected cancelled", "accepted": "ready in-progress cancelled",
        "ready": "in-progress", "in-progress": "on-hold completed failed",
        "on-hold": "in-progress", "completed": "", "failed": "", "cancelled": "", "rejected": "",
        ERROR: "",
    }),
}  # fmt: skip
PAIRS = [
    (type, was, becomes)
    for type, (_, steps) in LEGAL.items()
    for was in steps
    for becomes in steps
    if was != becomes
]
VALUE_SETS = {
    "CarePlan": "request-status", "ServiceRequest": "request-status", "Goal": "goal-status",
    "Encounter": "encounter-status", "Consent": "consent-state-codes", "Task": "task-status",
}  # fmt: skip


def _in(type: str, state: str, **more: Any) -> dict[str, Any]:
    """Return a resource of Mary's in a state; who writes is its requester, owner and provider."""
    more = {"sourceReference": ref("DocumentReference/1")} if type == "Consent" else more
    if type == "Task":
        more = {"requester": ref(ANN), "owner": ref(ANN), "statusReason": {"text": "So"}, **more}
    if type == "Encounter":
        more = {"serviceProvider": ref("Organization/practice"), **more}
    return of_mary(type, **{LEGAL[type][0]: state}, **more)


def _is_legal(type: str, was: str, becomes: str) -> bool:
    steps = LEGAL[type][1]
    return becomes in steps[was].split() or (becomes == ERROR and was != ERROR)


@pytest.mark.parametrize(("type", "was", "becomes"), PAIRS)
def test_a_move_of_a_person_is_legal_or_names_those_that_are(
    type: str, was: str, becomes: str
) -> None:
    element, steps = LEGAL[type]
    # GPs write all of these types, but for one move that is the patient's alone.
    is_patients = (type, was, becomes) == ("Consent", "inactive", "active")
    writer = PATIENT if is_patients else GP

    found = judge(writer, _in(type, was), _in(type, becomes), words=MINE)

    if _is_legal(type, was, becomes):
        assert found == ()
        return
    assert [(one.expression, one.status, one.code) for one in found] == [
        (f"{type}.{element}", 409, "business-rule")
    ]
    told = found[0].text.rpartition(": ")[2].rstrip(".").split(", ")
    also = [ERROR] if was != ERROR else ["nothing"]
    assert sorted(told) == sorted([*steps[was].split(), *also])


@pytest.mark.parametrize("type", LEGAL)
def test_every_state_of_r4_is_known(type: str) -> None:
    states = codes(f"http://hl7.org/fhir/ValueSet/{VALUE_SETS[type]}|4.0.1")

    assert states is not None
    assert set(states) == set(LEGAL[type][1])
    assert MOVES[type].element in type_definition(type).fields
    assert {*MOVES[type].steps, ERROR} - {NEW} == set(states)


@pytest.mark.parametrize("type", LEGAL)
def test_no_move_is_the_same_state_again(type: str) -> None:
    for state in LEGAL[type][1]:
        assert refused(GP, _in(type, state), MINE, language="en") in (
            [],
            [(f"{type}.language", 403)],
        )


@pytest.mark.parametrize(
    ("type", "was", "becomes", "is_legal"),
    [
        ("Task", "requested", "completed", True),
        ("Task", "draft", "failed", True),
        ("Task", "completed", "in-progress", False),
        ("Task", "in-progress", "requested", False),
        ("Encounter", "planned", "finished", True),
        ("Encounter", "finished", "in-progress", False),
        ("CarePlan", "draft", "revoked", True),
        ("CarePlan", "completed", "active", False),
        ("Goal", "proposed", "completed", True),
        ("Goal", "cancelled", "active", False),
        ("Consent", "draft", "inactive", True),
        ("ServiceRequest", "draft", "completed", True),
        ("ServiceRequest", "revoked", ERROR, True),
    ],
)
def test_a_system_tells_of_several_moves_at_once(
    type: str, was: str, becomes: str, is_legal: bool
) -> None:
    found = judge(SYSTEM, _in(type, was), _in(type, becomes))

    assert faults(found) == ([] if is_legal else [(f"{type}.{LEGAL[type][0]}", 409)])


# Ann asked, Ben's ward is to do it.
TASK = of_mary("Task", requester=ref(ANN), owner=ref(WARD), statusReason={"text": "So"})


@pytest.mark.parametrize(
    ("was", "becomes", "writer", "status"),
    [
        ("draft", "requested", GP, None),
        ("draft", "requested", NURSE, 403),
        ("requested", "received", NURSE, None),
        ("requested", "accepted", NURSE, None),
        ("requested", "rejected", NURSE, None),
        ("requested", "accepted", GP, 403),
        ("requested", "rejected", GP, 403),
        ("requested", "cancelled", GP, None),
        ("requested", "cancelled", NURSE, None),
        ("requested", "cancelled", SOCIAL_WORKER, 403),
        ("requested", "accepted", COORDINATOR, 403),
        ("accepted", "in-progress", GP, 403),
        ("accepted", "ready", NURSE, None),
        ("in-progress", "completed", NURSE, None),
        ("in-progress", "completed", GP, 403),
        ("in-progress", "failed", GP, 403),
        ("in-progress", "on-hold", NURSE, None),
        ("on-hold", "in-progress", NURSE, None),
        ("completed", ERROR, GP, None),
        ("completed", ERROR, NURSE, 403),
        ("requested", "accepted", PATIENT, 403),
    ],
)
def test_a_task_is_moved_by_who_asked_and_who_owns_it(
    was: str, becomes: str, writer: Writer, status: int | None
) -> None:
    found = refused(writer, {**TASK, "status": was}, status=becomes)

    assert found == ([] if status is None else [("Task.status", status)])


@pytest.mark.parametrize("state", ["rejected", "cancelled", "failed", "on-hold"])
def test_a_task_says_why_it_ends_or_rests(state: str) -> None:
    was = "in-progress" if state in ("failed", "on-hold") else "requested"
    before = {**TASK, "status": was}
    del before["statusReason"]

    assert refused(CONSULTANT, before, status=state) == [("Task.statusReason", 422)]
    assert refused(CONSULTANT, before, status=state, statusReason={"text": "Away"}) == []
    assert refused(SYSTEM, before, status=state) == []


@pytest.mark.parametrize(
    ("writer", "owner", "state", "expected"),
    [
        (GP, BEN, "draft", []),
        (GP, BEN, "requested", []),
        (GP, BEN, "accepted", [("Task.status", 403)]),
        (GP, BEN, "completed", [("Task.status", 403)]),
        (GP, ANN, "accepted", []),
        (PATIENT, "Patient/mary", "in-progress", []),
        (PATIENT, ANN, "in-progress", [("Task.status", 403)]),
        (GP, BEN, "received", [("Task.status", 409)]),
        (GP, BEN, "rejected", [("Task.status", 409)]),
        (GP, BEN, ERROR, [("Task.status", 409)]),
        (SYSTEM, BEN, "accepted", []),
        (SYSTEM, BEN, ERROR, []),
    ],
)
def test_a_task_begins_as_asked_for_unless_it_is_ones_own(
    writer: Writer, owner: str, state: str, expected: list[tuple[str, int]]
) -> None:
    task = of_mary("Task", status=state, owner=ref(owner))

    assert faults(judge(writer, None, task)) == expected


def test_who_takes_what_nobody_owns_owns_it() -> None:
    before = of_mary("Task", status="requested", requester=ref(ANN))

    assert refused(NURSE, before, status="accepted", owner=ref(BEN)) == []
    assert refused(NURSE, before, status="accepted") == [("Task.status", 403)]


@pytest.mark.parametrize(
    ("was", "becomes", "is_patients"),
    [
        ("proposed", "cancelled", True),
        ("proposed", "active", False),
        ("proposed", "accepted", False),
        ("proposed", "rejected", False),
        ("planned", "active", False),
        ("active", "on-hold", True),
        ("on-hold", "active", True),
        ("active", "completed", True),
        ("active", ERROR, True),
    ],
)
def test_a_goal_is_accepted_by_staff_and_ended_by_the_patient_too(
    was: str, becomes: str, is_patients: bool
) -> None:
    goal = of_mary("Goal", lifecycleStatus=was)
    expected = [] if is_patients else [("Goal.lifecycleStatus", 403)]

    assert refused(PATIENT, goal, lifecycleStatus=becomes) == expected
    assert refused(NURSE, goal, lifecycleStatus=becomes) == []


def test_only_the_patient_sets_a_choice_in_force_again() -> None:
    choice = of_mary("Consent", status="inactive", sourceReference=ref("DocumentReference/1"))

    assert refused(PATIENT, choice, status="active") == []
    assert refused(GP, choice, status="active") == [("Consent.status", 403)]
    assert refused(CARER, choice, status="active") == [("Consent.status", 403)]
