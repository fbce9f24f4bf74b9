"""Nobody edits another's entry: notes, progress, and whose the parts of a plan are."""

import time
from typing import Any

import pytest

from auth.elements import Writer, filled, judge
from auth.elements.entries import PATHS
from auth.roles.families import FAMILIES
from auth.roles.matrix import may
from fhir_profiles.definitions import type_definition
from tests.element_cases import (
    ANN,
    BEN,
    CARER,
    CONSULTANT,
    COORDINATOR,
    GP,
    LEAD,
    MARY,
    MINE,
    NURSE,
    PATIENT,
    SOCIAL_WORKER,
    SYSTEM,
    Resource,
    concept,
    faults,
    of_mary,
    ref,
    refused,
    said,
)

OLD = said("Old", BEN)
PLAIN = said("Nobody's")
WORDS = {"text": "Words", "authorString": "Ben"}


@pytest.mark.parametrize(
    ("was", "becomes", "is_permitted"),
    [
        ([OLD], [OLD, said("New", ANN)], True),
        ([OLD], [said("New", ANN), OLD], True),
        ([OLD], [OLD, said("New", "PractitionerRole/ann")], True),
        ([OLD], [OLD], True),
        ([], [said("New", ANN)], True),
        ([OLD], [], False),
        ([OLD], [said("Changed", BEN)], False),
        ([OLD], [said("Old", ANN)], False),
        ([OLD], [OLD, said("New", BEN)], False),
        ([OLD], [OLD, OLD], False),
        ([OLD], [OLD, said("New")], False),
        ([OLD], [OLD, {"text": "New", "authorString": "Ann"}], False),
        ([OLD], [OLD, {**said("New", ANN), "authorString": "Ben"}], False),
        ([OLD, PLAIN], [PLAIN, OLD], False),
        ([PLAIN], [], False),
        ([WORDS], [said("Words", ANN)], False),
        ([OLD, said("Mine", ANN)], [OLD, said("Better", ANN)], True),
        ([OLD, said("Mine", ANN)], [OLD], True),
    ],
)
def test_entries_of_others_stay_and_ones_own_are_added(
    was: list[Resource], becomes: list[Resource], is_permitted: bool
) -> None:
    for type in ("Condition", "Goal", "Task", "Observation"):
        before = {"requester": ref(ANN)} if type == "Task" else {}
        found = refused(GP, of_mary(type, note=was, **before), note=becomes)

        assert found == ([] if is_permitted else [(f"{type}.note", 403)])
        assert refused(SYSTEM, of_mary(type, note=was, **before), note=becomes) == []


def test_entries_of_what_is_made_are_the_writers() -> None:
    assert faults(judge(GP, None, of_mary("Condition", note=[said("A", ANN)]))) == []
    assert faults(judge(GP, None, of_mary("Condition", note=[said("A", BEN)]))) == [
        ("Condition.note", 403)
    ]


def test_notes_further_down_are_entries_too() -> None:
    before = of_mary("AllergyIntolerance", reaction=[{"note": [OLD]}, {"note": [said("A", ANN)]}])

    assert refused(GP, before, reaction=[{"note": [OLD]}]) == []
    assert refused(GP, before, reaction=[{"note": [said("A", ANN)]}]) == [
        ("AllergyIntolerance.reaction.note", 403)
    ]


def test_new_notes_further_down_get_their_author() -> None:
    standing = {"manifestation": [concept("1")], "note": [PLAIN]}
    before = of_mary("AllergyIntolerance", recorder=ref(ANN), reaction=[standing])
    sent = {**before, "reaction": [standing, {"note": [said("New")]}]}

    found = filled(GP, before, sent)

    assert found["reaction"] == [standing, {"note": [said("New", ANN)]}]
    assert judge(GP, before, found) == ()
    assert filled(GP, before, before) is before


def test_every_annotation_that_people_write_is_judged() -> None:
    found = set()

    def visit(path: str, seen: frozenset[str]) -> None:
        for field in type_definition(path).fields.values():
            if field.type == "Annotation" and not field.choice:
                found.add(field.path)
            elif field.type.startswith(f"{path.partition('.')[0]}.") and field.type not in seen:
                visit(field.type, seen | {field.type})

    people = ("gp", "nurse", "social-worker", "care-coordinator", "patient", "carer")
    for type in {type for family in FAMILIES for type in family.types}:
        if any(may(role, letter, type) for role in people for letter in "cu"):
            visit(type, frozenset({type}))

    assert len(found) > 10
    judged = {f"{path.partition('.')[0]}.{end}" for path in found for end in PATHS}
    assert found <= judged | {"CarePlan.activity.progress"}


def test_new_entries_get_their_author() -> None:
    before = of_mary("Goal", note=[OLD, PLAIN])
    sent = of_mary("Goal", note=[OLD, PLAIN, said("New"), said("Other", BEN)])

    found = filled(PATIENT, before, sent)

    assert found["note"] == [OLD, PLAIN, said("New", MARY), said("Other", BEN)]
    assert sent["note"][2] == said("New")
    assert filled(PATIENT, before, before) is before
    assert filled(SYSTEM, before, sent) is sent


def test_new_progress_gets_its_author_where_it_is_new() -> None:
    walk, rest = {"reference": ref("Task/1")}, {"reference": ref("Task/2")}
    before = of_mary("CarePlan", activity=[{**walk, "progress": [PLAIN]}, rest])
    sent = of_mary(
        "CarePlan", activity=[{**walk, "progress": [PLAIN]}, {**rest, "progress": [said("I did")]}]
    )

    found = filled(PATIENT, before, sent)

    assert found["activity"][0]["progress"] == [PLAIN]
    assert found["activity"][1]["progress"] == [said("I did", MARY)]
    assert judge(PATIENT, before, found) == ()


CARE = {"detail": {"status": "scheduled", "code": concept("60689008")}}
CLINICAL = {"detail": {"status": "scheduled", "code": concept("183301007")}}
LINKED = {"reference": ref("ServiceRequest/1")}
HELD = {"reference": ref("#care")}
INSIDE = {"resourceType": "ServiceRequest", "id": "care", "category": [concept("893451000000102")]}
TREATING = (GP, CONSULTANT, NURSE)
ALL = (*TREATING, SOCIAL_WORKER, COORDINATOR, LEAD)
KEEPING = (COORDINATOR, LEAD)


@pytest.mark.parametrize(
    ("row", "adds", "takes"),
    [
        (CARE, (SOCIAL_WORKER, *KEEPING), (SOCIAL_WORKER, *KEEPING)),
        (HELD, (SOCIAL_WORKER, *KEEPING), (SOCIAL_WORKER, *KEEPING)),
        (CLINICAL, (*TREATING, *KEEPING), (*TREATING, *KEEPING)),
        (LINKED, ALL, (*TREATING, *KEEPING)),
    ],
)
def test_a_part_of_a_plan_is_whose_its_kind_is(
    row: Resource, adds: tuple[Writer, ...], takes: tuple[Writer, ...]
) -> None:
    plan = of_mary("CarePlan", contained=[INSIDE])
    full = {**plan, "activity": [row]}
    people = (*ALL, PATIENT, CARER)

    assert [one for one in people if not refused(one, plan, activity=[row])] == [
        one for one in people if one in adds
    ]
    assert [one for one in people if not refused(one, full, activity=None)] == [
        one for one in people if one in takes
    ]
    changed = [{**row, "outcomeReference": [ref("Observation/1")]}]
    both = set(adds) & set(takes)
    assert {one for one in people if not refused(one, full, activity=changed)} == both


def test_the_place_of_what_is_refused_is_told() -> None:
    plan = of_mary("CarePlan", activity=[LINKED])

    assert refused(SOCIAL_WORKER, plan, activity=[LINKED, CARE, CLINICAL]) == [
        ("CarePlan.activity[2]", 403)
    ]
    assert refused(GP, plan, activity=[CARE, LINKED]) == [("CarePlan.activity[0]", 403)]


@pytest.mark.parametrize("element", ["goal", "addresses"])
def test_goals_and_problems_are_added_by_all_and_taken_away_by_some(element: str) -> None:
    plan = of_mary("CarePlan", **{element: [ref("Goal/1")]})
    more: Any = {element: [ref("Goal/1"), ref("Goal/2")]}

    assert refused(SOCIAL_WORKER, plan, **more) == []
    assert refused(SOCIAL_WORKER, plan, **{element: []}) == [(f"CarePlan.{element}", 403)]
    assert refused(GP, plan, **{element: []}) == []


def test_a_social_worker_takes_away_what_is_in_a_plan_of_theirs() -> None:
    plan = of_mary("CarePlan", activity=[LINKED])
    social = {**plan, "category": [concept("social-care", "urn:x")]}

    assert refused(SOCIAL_WORKER, plan, activity=[]) == [("CarePlan.activity", 403)]
    assert refused(SOCIAL_WORKER, plan, MINE, activity=[]) == []
    assert refused(SOCIAL_WORKER, social, activity=[]) == []
    assert refused(SOCIAL_WORKER, social, activity=[LINKED, CLINICAL]) == []


def _with(progress: list[Resource], **more: Any) -> list[Resource]:
    return [{**LINKED, **more, "progress": progress}]


@pytest.mark.parametrize(
    "writer",
    [PATIENT, CARER, NURSE, CONSULTANT, SOCIAL_WORKER, COORDINATOR, LEAD],
    ids=lambda one: one.role,
)
def test_progress_is_added_by_any_of_the_team(writer: Writer) -> None:
    plan = of_mary("CarePlan", activity=_with([said("Old", ANN)]))
    assert writer.person is not None
    mine = said("New", writer.person)

    assert refused(writer, plan, activity=_with([said("Old", ANN), mine])) == []
    for wrong in ([mine], [said("Changed", ANN)], [said("Old", ANN), said("New", ANN)]):
        assert refused(writer, plan, activity=_with(wrong)) == [("CarePlan.activity.progress", 403)]


def test_progress_of_a_plan_that_is_made_is_the_writers() -> None:
    def made(by: str | None) -> list[tuple[str, int]]:
        return faults(judge(GP, None, of_mary("CarePlan", activity=_with([said("New", by)]))))

    assert made(ANN) == []
    assert made(BEN) == made(None) == [("CarePlan.activity.progress", 403)]


def test_progress_stays_with_its_activity() -> None:
    other = {"reference": ref("Task/2")}
    plan = of_mary("CarePlan", activity=[*_with([OLD]), other])

    assert refused(GP, plan, activity=[LINKED, {**other, "progress": [OLD]}]) == [
        ("CarePlan.activity.progress", 403)
    ]
    assert refused(GP, plan, activity=[other, *_with([OLD])]) == []


def test_what_has_progress_of_others_is_changed_but_not_taken_away() -> None:
    plan = of_mary("CarePlan", activity=_with([OLD]))
    outcome = [ref("Observation/1")]

    assert refused(GP, plan, activity=_with([OLD], outcomeReference=outcome)) == []
    assert refused(GP, plan, activity=[]) == [("CarePlan.activity.progress", 403)]
    assert refused(NURSE, plan, activity=[]) == []


def test_a_large_plan_is_judged_in_time_that_grows_with_it() -> None:
    count = 10_000
    rows = [{"reference": ref(f"#{number}"), "progress": [OLD]} for number in range(count)]
    inside = [{"resourceType": "Task", "id": str(number)} for number in range(count)]
    plan = of_mary("CarePlan", contained=inside, activity=rows, note=[OLD] * count)
    later = [{**row, "outcomeReference": [ref("Observation/1")]} for row in rows]

    begun = time.process_time()
    found = refused(GP, plan, MINE, activity=later, note=[*plan["note"], said("New", ANN)])

    assert found == []
    alike = of_mary("CarePlan", activity=[{"progress": [PLAIN]}] * count)
    assert filled(GP, alike, alike) is alike
    assert time.process_time() - begun < 20  # each against each takes minutes
