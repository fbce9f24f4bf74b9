"""Writes judged before and after, the words about changes, and what is masked."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.policy import role_table
from tests.policy.cases import (
    ANN,
    BEN,
    CARER,
    COUNCIL,
    MARY,
    PATIENT,
    PRACTICE,
    SYSTEM,
    WARD,
    ben,
    encounter,
    for_mary,
    labelled,
    mary,
    of_mary,
    proxy,
    record,
    registered,
    row,
    sees,
    sent,
    staff,
)
from tests.policy.naive import SERVER, Caller, Record, may_write, shown
from tests.policy.naive.changes import CHANGES, Change
from tests.policy.naive.parts import WORDS as PARTS
from tests.policy.naive.vocabulary import AGREEMENT
from tests.policy.world.making import NOW, concept, period, ref

Resource = dict[str, Any]
LEAD = of_mary(
    "CareTeam", "team", status="active",
    participant=[{"member": ref(ANN), "role": [concept("named-lead")]}],
)  # fmt: skip
COUNCIL_STAFF = staff("social-worker", COUNCIL)
AT_COUNCIL = encounter(organisation=COUNCIL)
ANSWERS = of_mary("QuestionnaireResponse", status="in-progress")


def makes(found: Record, caller: Caller, document: Resource) -> bool:
    """Tell whether a caller may create a resource."""
    return may_write(found, caller, None, document, NOW)


def changes(found: Record, caller: Caller, name: str, **elements: Any) -> bool:
    """Tell whether a caller may change some elements of a resource."""
    before = row(found, name)
    return may_write(found, caller, before, {**before.document, **elements}, NOW)


def deletes(found: Record, caller: Caller, name: str) -> bool:
    """Tell whether a caller may delete a resource."""
    return may_write(found, caller, row(found, name), None, NOW)


def _said(text: str, who: str = MARY) -> Resource:
    return {"authorReference": ref(who), "text": text}


_PLAN = of_mary("CarePlan", note=[_said("Old", ANN)], activity=[{"progress": [_said("Old", ANN)]}])
# word -> (before, after), by Mary, that it permits, and that it refuses
CASES: Mapping[str, tuple[list[tuple[Any, Resource]], list[tuple[Any, Resource]]]] = {
    "proposed": (
        [(None, of_mary("Goal", lifecycleStatus="proposed"))],
        [(None, of_mary("Goal", lifecycleStatus="active")), (None, of_mary("Goal"))],
    ),
    "error": (
        [(of_mary(status="final"), of_mary(status="entered-in-error"))],
        [
            (of_mary(status="final"), of_mary(status="amended")),
            (of_mary(status="final"), of_mary(status="entered-in-error", issued="2025-01-01")),
            (None, of_mary(status="entered-in-error")),
        ],
    ),
    "contact": (
        [
            (mary(), mary(telecom=[], address=[{"city": "Leith"}], photo=[])),
            (mary(meta={"versionId": "1"}), mary(meta={"versionId": "2"}, contact=[])),
            (mary(), mary(communication=[])),
        ],
        [
            (mary(), mary(birthDate="1950-03-03")),
            (mary(), mary(telecom=[], active=True)),
            (mary(), mary(meta={"security": [{"code": "N"}]})),
            (None, mary()),
        ],
    ),
    "comment": (
        [
            (_PLAN, {**_PLAN, "note": [*_PLAN["note"], _said("New")]}),
            (_PLAN, {**_PLAN, "activity": [
                {"progress": [*_PLAN["activity"][0]["progress"], _said("New")]}
            ]}),
            (_PLAN, {**_PLAN, "extension": [{"url": AGREEMENT, "valueCode": "agreed"}]}),
            (of_mary("CarePlan"), of_mary("CarePlan", note=[_said("New")])),
        ],
        [
            (_PLAN, {**_PLAN, "note": [*_PLAN["note"], _said("New", ANN)]}),
            (_PLAN, {**_PLAN, "note": [*_PLAN["note"], {"text": "New"}]}),
            (_PLAN, {**_PLAN, "note": [_said("Changed", ANN)]}),
            (_PLAN, {**_PLAN, "note": []}),
            (_PLAN, {**_PLAN, "activity": [{"progress": []}]}),
            (_PLAN, {**_PLAN, "activity": [*_PLAN["activity"], {"progress": [_said("New")]}]}),
            (_PLAN, {**_PLAN, "activity": [{**_PLAN["activity"][0], "outcomeReference": []}]}),
            (_PLAN, {**_PLAN, "extension": [{"url": "urn:other", "valueCode": "agreed"}]}),
            (_PLAN, {**_PLAN, "title": "New"}),
            (None, _PLAN),
        ],
    ),
}  # fmt: skip
EVERY = [
    pytest.param(word, before, after, holds, id=f"{word}-{'yes' if holds else 'no'}-{n}")
    for word, (permitted, refused) in CASES.items()
    for holds, some in ((True, permitted), (False, refused))
    for n, (before, after) in enumerate(some)
]


@pytest.mark.parametrize(("word", "before", "after", "holds"), EVERY)
def test_a_word_about_a_change_means_what_it_says(
    word: str, before: Resource | None, after: Resource, holds: bool
) -> None:
    assert CHANGES[word](Change(before, after, MARY)) is holds


def test_auto_comes_beside_its_write() -> None:
    told = {"resourceType": "Provenance", "id": "x", "target": [ref(MARY)]}
    found = record(encounter())

    assert may_write(found, staff(), None, told, NOW, is_beside=True)
    assert not may_write(found, staff(), None, told, NOW)
    assert CASES.keys() | {"auto"} == CHANGES.keys()


def test_minimal_leaves_who_the_patient_is() -> None:
    task = {
        "resourceType": "Task", "id": "t", "for": ref(MARY), "owner": ref(WARD),
        "status": "accepted", "intent": "order",
    }  # fmt: skip
    named = mary(
        generalPractitioner=[ref(PRACTICE)], _birthDate={"id": "b"}, maritalStatus=concept("M"),
        meta={"versionId": "3", "tag": [{"code": "t"}]}, text={"status": "generated"},
    )  # fmt: skip
    found = record(named, task)

    assert shown(found, staff("third-sector"), row(found, MARY), "r", NOW) == {
        "resourceType": "Patient",
        "id": "mary",
        "meta": {"versionId": "3"},
        "name": [{"family": "Murray"}],
        "birthDate": "1950-03-02",
        "_birthDate": {"id": "b"},
        "gender": "female",
        "generalPractitioner": [{"reference": PRACTICE}],
    }
    assert shown(found, staff(), row(found, MARY), "r", NOW) == named


def test_outline_leaves_when_and_where() -> None:
    episode = for_mary(
        "EpisodeOfCare", status="active", type=[], period=period(-9), careManager=ref(ANN),
        managingOrganization=ref(WARD), diagnosis=[],
    )  # fmt: skip
    found = record(episode, encounter())

    seen = shown(found, staff("social-worker"), row(found, "EpisodeOfCare/x"), "r", NOW)

    assert seen is not None
    assert seen.keys() == {
        "resourceType", "id", "patient", "status", "type", "period", "managingOrganization",
    }  # fmt: skip
    assert shown(found, staff(), row(found, "EpisodeOfCare/x"), "r", NOW) == episode


@pytest.mark.parametrize(
    ("document", "hidden"),
    [
        (of_mary("DiagnosticReport", status="final", conclusion="Fine", effectiveDateTime="2025",
                 issued="x", result=[], presentedForm=[]), {"result", "presentedForm"}),
        (of_mary("ImagingStudy", status="available", description="Chest", series=[]),
         {"series"}),
    ],
    ids=["report", "study"],
)  # fmt: skip
def test_conclusion_leaves_what_was_found(document: Resource, hidden: set[str]) -> None:
    found = record(document, encounter())
    name = f"{document['resourceType']}/x"

    seen = shown(found, staff("care-coordinator"), row(found, name), "r", NOW)

    assert seen is not None
    assert document.keys() - seen.keys() == hidden
    assert shown(found, staff(), row(found, name), "r", NOW) == document


def test_the_words_about_parts_are_these() -> None:
    used = {word for cell in role_table.cells().values() for words in cell for word in words}

    assert used & PARTS == PARTS == {"minimal", "outline", "conclusion"}


def test_nobody_writes_what_is_not_open() -> None:
    assert makes(record(encounter()), staff(), of_mary("Procedure"))
    assert not makes(record(), staff(), of_mary("Procedure"))
    assert not makes(record(encounter()), staff("urgent-care"), of_mary("Procedure"))


def test_what_is_made_is_of_who_makes_it() -> None:
    unfiled = {"resourceType": "List", "id": "l"}

    assert makes(record(), staff(), unfiled)
    assert not makes(record(), PATIENT, {"resourceType": "Binary", "id": "b"})
    own = {"resourceType": "Binary", "id": "b", "securityContext": ref(MARY)}
    assert makes(record(), PATIENT, own)
    sealed = of_mary("Procedure", **labelled("V"))
    assert makes(record(encounter()), staff(), sealed)


def test_a_role_creates_what_its_words_name() -> None:
    found = record(AT_COUNCIL)
    need = of_mary("Condition", category=[concept("need")])

    assert makes(found, COUNCIL_STAFF, need)
    assert not makes(found, COUNCIL_STAFF, of_mary("Condition"))
    assert makes(record(encounter()), staff(), of_mary("Condition"))
    assert not makes(record(encounter()), staff(), need)


def test_an_update_is_judged_before_and_after() -> None:
    need = of_mary("Condition", category=[concept("need")])
    found = record(AT_COUNCIL, sent(need, None, COUNCIL))

    assert changes(found, COUNCIL_STAFF, "Condition/x", note=[])
    assert not changes(found, COUNCIL_STAFF, "Condition/x", category=[concept("other")])
    theirs = record(AT_COUNCIL, sent(need, None, WARD))
    assert not changes(theirs, COUNCIL_STAFF, "Condition/x", note=[])


def test_one_narrowing_must_hold_both_times() -> None:
    """From a package of one's own to a clinical request is neither the one nor the other."""
    package = of_mary("ServiceRequest", code=concept("60689008"), status="draft")
    found = record(AT_COUNCIL, sent(package, None, COUNCIL))

    assert changes(found, COUNCIL_STAFF, "ServiceRequest/x", note=[])
    assert not changes(found, COUNCIL_STAFF, "ServiceRequest/x", code=concept("183519002"))


def test_nothing_moves_to_another_patient() -> None:
    other = {**mary(), "id": "other"}
    stay = {**encounter(), "id": "other-stay", "subject": ref("Patient/other")}
    found = record(encounter(), other, stay, of_mary("Procedure"))

    assert changes(found, staff(), "Procedure/x", note=[])
    assert not changes(found, staff(), "Procedure/x", subject=ref("Patient/other"))


def test_what_is_unfiled_may_be_filed() -> None:
    unfiled = sent({"resourceType": "List", "id": "l"}, ANN, WARD)

    assert changes(record(unfiled, encounter()), staff(), "List/l", subject=ref(MARY))
    assert not changes(record(unfiled), staff(), "List/l", subject=ref(MARY))


def test_nobody_changes_what_they_do_not_see() -> None:
    sealed = sent(of_mary("Procedure", **labelled("R")), None, PRACTICE)

    assert not changes(record(encounter(), sealed), staff(), "Procedure/x", note=[])
    assert changes(record(registered(), sealed), staff("gp", PRACTICE), "Procedure/x", note=[])


def test_answers_are_changed_until_they_are_finished() -> None:
    found = record(sent(ANSWERS, MARY))

    assert changes(found, PATIENT, "QuestionnaireResponse/x", item=[])
    assert changes(found, PATIENT, "QuestionnaireResponse/x", status="completed")
    finished = record(sent({**ANSWERS, "status": "completed"}, MARY))
    assert not changes(finished, PATIENT, "QuestionnaireResponse/x", item=[])
    assert not changes(finished, PATIENT, "QuestionnaireResponse/x", status="in-progress")
    about = record(sent({**ANSWERS, "status": "completed", "questionnaire": "u/about-me"}, MARY))
    assert changes(about, PATIENT, "QuestionnaireResponse/x", item=[])


def test_a_carer_writes_by_a_grant_to_write() -> None:
    goal = of_mary("Goal", lifecycleStatus="proposed")

    assert makes(record(ben(), proxy("plan", actions=("read", "write"))), CARER, goal)
    assert not makes(record(ben(), proxy("plan")), CARER, goal)
    comments = record(ben(), proxy("plan", actions=("read", "write")), of_mary("CarePlan"))
    assert changes(comments, CARER, "CarePlan/x", note=[_said("New", BEN)])
    assert not changes(comments, CARER, "CarePlan/x", note=[_said("New")])
    blind = record(ben(), proxy("plan", actions=("write",)), of_mary("CarePlan"))
    assert not changes(blind, CARER, "CarePlan/x", note=[_said("New", BEN)])


def test_a_receptionist_registers_patients() -> None:
    fresh = {**registered(), "id": "fresh"}

    assert makes(record(), staff("receptionist", PRACTICE), fresh)
    assert not makes(record(), staff("gp", PRACTICE), fresh)


def test_only_systems_delete_what_is_of_patients() -> None:
    found = record(encounter(), of_mary("Procedure"))

    assert deletes(found, SYSTEM, "Procedure/x")
    assert not deletes(found, staff(), "Procedure/x")
    assert not deletes(found, PATIENT, "Procedure/x")


def test_systems_seal_from_themselves_what_they_pass_on() -> None:
    sealed = labelled("V")
    found = record(encounter(), of_mary("Procedure"), {**of_mary("Goal"), **sealed})

    assert makes(found, SYSTEM, of_mary("Procedure", **sealed))
    assert changes(found, SYSTEM, "Procedure/x", **sealed)
    assert not changes(found, SYSTEM, "Goal/x", note=[])
    assert not changes(found, staff(), "Procedure/x", **sealed)


def test_systems_send_events_of_their_own() -> None:
    def event(observer: str) -> Resource:
        what = {"entity": [{"what": ref(MARY)}], "source": {"observer": ref(observer)}}
        return {"resourceType": "AuditEvent", "id": "x", **what}

    assert makes(record(), SYSTEM, event("Device/theirs"))
    assert not makes(record(), SYSTEM, event(SERVER))


def test_a_place_in_the_team_adds_to_the_role() -> None:
    grant = for_mary("Consent", scope=concept("patient-privacy"), status="active")

    assert makes(record(LEAD), staff("nurse"), grant)
    member = {**LEAD, "participant": [{"member": ref(ANN)}]}
    assert not makes(record(member), staff("nurse"), grant)
    over = {**LEAD, "period": period(-9, -1)}
    assert not makes(record(over, encounter()), staff("nurse"), grant)
    elsewhere = {**LEAD, "participant": [{**LEAD["participant"][0], "onBehalfOf": ref(PRACTICE)}]}
    assert not makes(record(elsewhere, encounter()), staff("nurse"), grant)
    # To one patient only.
    other = {**mary(), "id": "other"}
    stay = {**encounter(), "id": "other-stay", "subject": ref("Patient/other")}
    found = record(LEAD, other, stay)
    assert not makes(found, staff("nurse"), {**grant, "patient": ref("Patient/other")})


READS = [
    pytest.param(role, type, id=f"{role}-{type}")
    for role in ("privacy-officer", "analyst", "admin", "receptionist", "other-staff")
    for type in ("Observation", "Condition", "Encounter", "Flag", "DocumentReference")
]


@pytest.mark.parametrize(("role", "type"), READS)
def test_who_has_no_clinical_duty_reads_no_notes(role: str, type: str) -> None:
    document = {**encounter(), "id": "x"} if type == "Encounter" else of_mary(type)

    assert (role, type, "r") not in role_table.cells()
    assert not sees(record(encounter(), document), staff(role), f"{type}/x")
