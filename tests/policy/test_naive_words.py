"""Each word of the vocabulary that a row decides: where it holds, and where it does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    of_mary,
    proxy,
    record,
    row,
    sent,
    staff,
)
from tests.policy.naive import SERVER, Caller
from tests.policy.naive.changes import CHANGES
from tests.policy.naive.decision import ask
from tests.policy.naive.parts import WORDS as PARTS
from tests.policy.naive.words import WORDS
from tests.policy.world.making import NOW, concept, period, ref

Resource = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A resource, or what was sent, beside others; who asks, by which letter."""

    said: Any
    beside: tuple[Any, ...] = ()
    caller: Caller = field(default_factory=staff)
    letter: str = "r"


NOTE = of_mary()
REPORTED = of_mary(meta={"tag": [{"code": "patient-reported"}]})
HOUSING = "homes"
SERVICE = {
    "resourceType": "HealthcareService", "id": "s", "providedBy": ref(WARD),
    "category": [concept(HOUSING)],
}  # fmt: skip
GOAL = of_mary("Goal", "g", category=[concept(HOUSING)], addresses=[ref("Condition/x")])
OTHER_GOAL = of_mary("Goal", "g", category=[concept("work")], addresses=[ref("Condition/x")])
PLAN = of_mary("CarePlan", "p", status="active", goal=[ref("Goal/g")], careTeam=[ref("CareTeam/x")])
LETTER = of_mary("DocumentReference", "d", content=[{"attachment": {"url": "Binary/x"}}])
BINARY = {"resourceType": "Binary", "id": "x"}


def _by(person: str | None, organisation: str | None, document: Resource = NOTE) -> Any:
    return sent(document, person, organisation)


def _category(*codes: str, type: str = "Condition", **more: Any) -> Resource:
    return of_mary(type, category=[concept(code) for code in codes], **more)


def _task(**more: Any) -> Resource:
    return {"resourceType": "Task", "id": "x", "for": ref(MARY), **more}


def _event(who: str = ANN, what: str = MARY, **more: Any) -> Resource:
    agent = {"agent": [{"who": ref(who)}], "entity": [{"what": ref(what)}]}
    return {"resourceType": "AuditEvent", "id": "x", **agent, **more}


def _report(**more: Any) -> Resource:
    return {"resourceType": "MeasureReport", "id": "x", "type": "summary", **more}


def _released(*codes: str, release: float | None = None) -> Resource:
    return of_mary(**labelled(*codes, release=release))


# word -> cases where it holds, cases where it does not
CASES: Mapping[str, tuple[list[Case], list[Case]]] = {
    "own": (
        [Case(_by(ANN, WARD)), Case(_by(MARY, None), caller=PATIENT)],
        [
            Case(_by("Practitioner/b", WARD)),
            Case(_by(None, WARD)),
            Case(_by(None, None), caller=SYSTEM),
        ],
    ),
    "mine": (
        [
            Case(_by("Practitioner/b", WARD)),
            Case(encounter(organisation=WARD)),
            Case(for_mary("EpisodeOfCare", managingOrganization=ref(WARD))),
            Case(_report(reporter=ref(WARD))),
        ],
        [
            Case(_by(ANN, PRACTICE)),
            Case(_by(ANN, WARD, encounter(organisation=PRACTICE))),
            Case(_by(ANN, WARD, encounter(serviceProvider={"display": "Ward"}))),
            Case(for_mary("EpisodeOfCare", managingOrganization=ref(PRACTICE))),
            Case(_report(reporter=ref(PRACTICE))),
            Case(_by(MARY, None), caller=PATIENT),
        ],
    ),
    "self": ([Case(ben(), caller=CARER)], [Case(for_mary("RelatedPerson"), caller=CARER)]),
    "party": (
        [
            Case(_task(owner=ref(ANN))),
            Case(_task(requester=ref(WARD))),
            Case(of_mary("ServiceRequest", performer=[ref(WARD)])),
            Case(of_mary("ServiceRequest", requester=ref(ANN))),
            Case(of_mary("Communication", sender=ref(ANN))),
            Case(of_mary("Communication", recipient=[ref(MARY), ref(WARD)])),
            Case({"resourceType": "Appointment", "id": "x", "participant": [{"actor": ref(ANN)}]}),
            Case({"resourceType": "AppointmentResponse", "id": "x", "actor": ref(ANN)}),
            Case(_task(requester=ref(MARY)), caller=PATIENT),
            Case(_task(requester=ref(BEN)), caller=CARER),
        ],
        [
            Case(_task(owner=ref("Practitioner/b"), requester=ref(PRACTICE))),
            Case(of_mary("Communication", recipient=[ref(MARY)])),
            Case(of_mary("Observation", performer=[ref(ANN)])),
            Case(_task(requester=ref(BEN)), caller=PATIENT),
        ],
    ),
    "grant": (
        [
            Case(NOTE, (ben(), proxy("measurements")), CARER),
            Case(NOTE, (ben(), proxy("measurements")), CARER, "s"),
            Case(NOTE, (ben(), proxy("results", actions=("write",))), CARER, "c"),
        ],
        [
            Case(NOTE, (ben(), proxy("plan")), CARER),
            Case(NOTE, (ben(), proxy("measurements")), CARER, "c"),
            Case(NOTE, (ben(), proxy("measurements", actions=("write",))), CARER),
            Case(NOTE, (ben(), proxy("measurements", actions=("write",))), CARER, "d"),
            Case(NOTE, (ben(), proxy("measurements", code=[concept("measurements")])), CARER),
            Case(of_mary("Flag"), (ben(), proxy("measurements", "plan")), CARER),
        ],
    ),
    "live": (
        [Case(NOTE, (encounter(status),)) for status in ("arrived", "triaged", "onleave")],
        [
            Case(NOTE),
            Case(NOTE, (encounter("finished"),)),
            Case(NOTE, (encounter("planned"),)),
            Case(NOTE, (encounter(organisation=PRACTICE, participant=[{"individual": ref(ANN)}]),)),
            Case(NOTE, (encounter(period=period(-9, -1)),)),
            Case(NOTE, (encounter(period=period(1)),)),
        ],
    ),
    "area": (
        [
            Case(GOAL, (SERVICE,)),
            Case({**PLAN, "id": "x"}, (SERVICE, GOAL)),
            Case(of_mary("CareTeam"), (SERVICE, GOAL, PLAN)),
            Case(_category("need"), (SERVICE, GOAL)),
        ],
        [
            Case(GOAL),
            Case(OTHER_GOAL, (SERVICE,)),
            Case(GOAL, ({**SERVICE, "providedBy": ref(COUNCIL)},)),
            Case({**PLAN, "id": "x"}, (SERVICE, OTHER_GOAL)),
            Case(of_mary("CareTeam"), (SERVICE, OTHER_GOAL, PLAN)),
            Case(of_mary("CareTeam", "y"), (SERVICE, GOAL, PLAN)),
            Case(_category("need"), (SERVICE, OTHER_GOAL)),
            Case(NOTE, (SERVICE, GOAL)),
        ],
    ),
    "acts": (
        [Case(_event())],
        [Case(_event("Practitioner/b")), Case(_event(WARD)), Case(_event(MARY, ANN))],
    ),
    "shown": (
        [Case(_event(), caller=PATIENT)],
        [
            Case(_event(MARY, "Observation/x"), (NOTE,), PATIENT),
            Case(_event(meta={"tag": [{"code": "staff-safety"}]}), caller=PATIENT),
            Case(_event(meta={"security": [{"code": "safeguarding"}]}), caller=PATIENT),
        ],
    ),
    "need": (
        [Case(_category("need", "problem-list-item"))],
        [Case(_category("problem-list-item")), Case(_category("need", type="Observation"))],
    ),
    "care": (
        [
            Case(of_mary("ServiceRequest", code=concept("60689008"))),
            Case(_category("893451000000102", type="ServiceRequest")),
        ],
        [
            Case(of_mary("ServiceRequest", code=concept("183519002"))),
            Case(of_mary("ServiceRequest", code=concept("60689008", "urn:other"))),
            Case(_category("60689008")),
        ],
    ),
    "clinical": (
        [Case(_category("problem-list-item")), Case(of_mary("ServiceRequest"))],
        [
            Case(_category("need")),
            Case(of_mary("ServiceRequest", code=concept("60689008"))),
            Case(NOTE),
        ],
    ),
    "key": (
        [
            Case(_category("problem-list-item", clinicalStatus=concept(status), **labelled("MH")))
            for status in ("active", "recurrence", "relapse")
        ],
        [
            Case(_category("problem-list-item", clinicalStatus=concept("resolved"))),
            Case(_category("encounter-diagnosis", clinicalStatus=concept("active"))),
            Case(_category("problem-list-item")),
            Case(_category("problem-list-item", clinicalStatus=concept("active"), **labelled("R"))),
        ],
    ),
    "social": (
        [
            Case(_category("social-history", type="Observation")),
            Case(_category("social-care", type="Composition")),
            Case(_category("social-care", type="DocumentReference")),
            Case(BINARY, ({**LETTER, "category": [concept("social-care")]}, encounter())),
        ],
        [
            Case(_category("social-care", type="Observation")),
            Case(_category("social-history", type="Composition")),
            Case(BINARY, ({**LETTER, "category": [concept("social-care")]},)),
            Case(BINARY, (LETTER, encounter())),
            Case(BINARY, (_category("social-care", type="Composition", id="c"), encounter())),
        ],
    ),
    "vital": (
        [Case(_category("vital-signs", type="Observation"))],
        [Case(_category("laboratory", type="Observation")), Case(_category("vital-signs"))],
    ),
    "reported": ([Case(REPORTED)], [Case(NOTE)]),
    "measured": ([Case(NOTE)], [Case(REPORTED)]),
    "plan": (
        [
            Case(NOTE, ({**PLAN, "supportingInfo": [ref("Observation/x")]},)),
            Case(NOTE, ({**PLAN, "activity": [{"outcomeReference": [ref("Observation/x")]}]},)),
            Case(NOTE, (PLAN, {**GOAL, "outcomeReference": [ref("Observation/x")]})),
        ],
        [
            Case(NOTE, ({**PLAN, "supportingInfo": [ref("Observation/y")]},)),
            Case(
                NOTE, ({**PLAN, "status": "draft", "supportingInfo": [ref("Observation/x")]},)
            ),
            Case(NOTE, ({**GOAL, "outcomeReference": [ref("Observation/x")]},)),
            Case(
                NOTE,
                ({**PLAN, "subject": ref("Patient/b"), "supportingInfo": [ref("Observation/x")]},),
            ),
        ],
    ),
    "about": (
        [
            Case({**of_mary("Composition"), "type": concept("about-me")}),
            Case(of_mary("QuestionnaireResponse", questionnaire="https://f/about-me")),
            Case(of_mary("QuestionnaireResponse", questionnaire="https://f/about-me|2")),
        ],
        [
            Case({**of_mary("Composition"), "type": concept("34133-9")}),
            Case(of_mary("QuestionnaireResponse", questionnaire="https://f/about-me-not")),
            Case(of_mary("QuestionnaireResponse", questionnaire="https://f/prom|/about-me")),
            Case(of_mary("QuestionnaireResponse")),
        ],
    ),
    "question": (
        [Case(_task(code=concept(code))) for code in ("question", "correction", "own-action")],
        [Case(_task(code=concept("fulfill"))), Case(_task())],
    ),
    "review": (
        [Case(_task(code=concept("break-glass-review")))],
        [Case(_task(code=concept("question"))), Case(_task())],
    ),
    "access": (
        [Case(for_mary("Consent", scope=concept("patient-privacy")))],
        [Case(for_mary("Consent", scope=concept("research")))],
    ),
    "aggregate": (
        [Case(_report()), Case(_report(subject=ref("Organization/practice")))],
        [
            Case(_report(type="individual")),
            Case(_report(subject=ref(MARY))),
            Case(_report(subject={"display": "Mary"})),
            Case(_report(group=[{"population": [{"subjectResults": ref("List/l")}]}])),
            Case(
                _report(
                    group=[{"stratifier": [{"stratum": [
                        {"population": [{"subjectResults": ref("List/l")}]}
                    ]}]}]
                )
            ),
        ],
    ),
    "foreign": (
        [Case(_event(source={"observer": ref("Device/theirs")}))],
        [Case(_event(source={"observer": ref(SERVER)})), Case(_event(source={"observer": {}}))],
    ),
    "plain": (
        [Case(NOTE), Case(_released("N")), Case(_released("HIV", "M"))],
        [Case(_released("R")), Case(_released("V")), Case(_released("N", "R"))],
    ),
    "unlocked": (
        [Case(NOTE), Case(_released("R"))],
        [Case(_released("V")), Case(_released("N", "V"))],
    ),
    "released": (
        [Case(NOTE), Case(_released(release=-1)), Case(_released("R"))],
        [Case(_released("TBOO")), Case(_released(release=1)), Case(_released("TBOO", release=-1))],
    ),
    "told": (
        [Case(_released(release=-1)), Case(_released("V", release=-1))],
        [Case(NOTE), Case(_released(release=1)), Case(_released("TBOO", release=-1))],
    ),
    "shared": (
        [
            Case(of_mary("Composition", status="final")),
            Case(of_mary("Composition", status="amended")),
            Case(of_mary("DocumentReference", status="current")),
            Case(BINARY, ({**LETTER, "status": "current"}, encounter())),
        ],
        [
            Case(of_mary("Composition", status="preliminary")),
            Case(of_mary("Composition", status="final", **labelled("R"))),
            Case(of_mary("DocumentReference", status="superseded")),
            Case(BINARY, ({**LETTER, "status": "superseded"}, encounter())),
            Case(BINARY, ({**LETTER, "status": "current"},)),
            Case(NOTE),
        ],
    ),
    "unfinished": (
        [Case(of_mary("QuestionnaireResponse", status="in-progress"))],
        [Case(of_mary("QuestionnaireResponse", status="completed"))],
    ),
}  # fmt: skip
EVERY = [
    pytest.param(word, case, holds, id=f"{word}-{'yes' if holds else 'no'}-{n}")
    for word, (permitted, refused) in CASES.items()
    for holds, some in ((True, permitted), (False, refused))
    for n, case in enumerate(some)
]


@pytest.mark.parametrize(("word", "case", "holds"), EVERY)
def test_a_word_means_what_it_says(word: str, case: Case, holds: bool) -> None:
    found = record(*case.beside, case.said)
    document = case.said[0].document if isinstance(case.said, tuple) else case.said
    name = f"{document['resourceType']}/{document['id']}"

    question = ask(found, case.caller, row(found, name), case.letter, NOW)

    assert WORDS[word](question) is holds


def test_a_place_of_work_is_a_party_and_acts_too() -> None:
    place = {
        "resourceType": "PractitionerRole", "id": "place", "practitioner": ref(ANN),
        "organization": ref(WARD),
    }  # fmt: skip
    for word, said in (
        ("party", _task(owner=ref("PractitionerRole/place"))),
        ("acts", _event("PractitionerRole/place")),
    ):
        found = record(place, said)
        name = f"{said['resourceType']}/x"

        assert WORDS[word](ask(found, staff(), row(found, name), "r", NOW))


def test_every_word_of_the_table_is_known_and_tried() -> None:
    used = {word for cell in role_table.cells().values() for words in cell for word in words}

    assert used - {""} == WORDS.keys() | CHANGES.keys() | PARTS
    assert CASES.keys() == WORDS.keys()
    assert all(permitted and refused for permitted, refused in CASES.values())
