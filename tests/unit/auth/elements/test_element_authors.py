"""Authors: filled in, refused where they name another, kept; the table covers what facets know."""

from typing import Any

import pytest

from auth.elements import Writer, filled, judge
from auth.elements.authors import AUTHORS, FIRST, FORCED
from fhir_profiles.definitions import type_definition
from fhir_profiles.facets import AUTHOR_PATHS
from tests.element_cases import (
    ADMIN,
    ANN,
    BEN,
    CARER,
    GP,
    MARY,
    NURSE,
    PATIENT,
    PRACTICE,
    SYSTEM,
    WARD,
    faults,
    of_mary,
    ref,
    refused,
)

KIM = "RelatedPerson/kim"


def test_each_element_that_names_an_author_has_one_rule() -> None:
    listed = [(one.type, one.element) for one in AUTHORS]

    assert sorted(listed) == sorted(
        (type, path) for type in AUTHOR_PATHS for path in AUTHOR_PATHS[type]
    )
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize("one", AUTHORS, ids=lambda one: f"{one.type}.{one.element}")
def test_what_is_filled_in_is_one_step_and_takes_people(one: Any) -> None:
    rules = {one.rule, *one.by_kind.values()}

    if rules & {FORCED, FIRST}:
        field = type_definition(one.type).fields[one.element]
        assert field.type == "Reference"
        assert field.targets & {"Practitioner", "Patient", "RelatedPerson"}
    assert one.rule == FORCED or one.why.endswith(".")
    assert set(one.by_kind) <= {"professional", "patient", "carer"}


@pytest.mark.parametrize(
    ("writer", "type", "element", "expected"),
    [
        (GP, "Condition", "recorder", ref(ANN)),
        (GP, "Composition", "author", [ref(ANN)]),
        (GP, "Observation", "performer", [ref(ANN)]),
        (GP, "Communication", "sender", ref(ANN)),
        (GP, "Task", "requester", ref(ANN)),
        (GP, "Flag", "author", ref(ANN)),
        (GP, "Goal", "expressedBy", None),
        (GP, "Consent", "performer", None),
        (GP, "DocumentReference", "authenticator", None),
        (GP, "MedicationStatement", "informationSource", None),
        (PATIENT, "Observation", "performer", [ref(MARY)]),
        (PATIENT, "Goal", "expressedBy", ref(MARY)),
        (PATIENT, "Consent", "performer", [ref(MARY)]),
        (CARER, "Goal", "expressedBy", ref(KIM)),
        (CARER, "Observation", "performer", [ref(KIM)]),
        (CARER, "Flag", "author", None),
        (PATIENT, "MedicationRequest", "recorder", None),
        (SYSTEM, "Condition", "recorder", None),
        (ADMIN, "Condition", "recorder", None),
    ],
)
def test_who_writes_is_filled_in(writer: Writer, type: str, element: str, expected: Any) -> None:
    resource = of_mary(type)

    found = filled(writer, None, resource)

    assert found.get(element) == expected
    assert element not in resource
    if found is not resource:
        assert not [one for one in faults(judge(writer, None, found)) if element in one[0]]


@pytest.mark.parametrize(
    ("writer", "type", "element", "named", "is_permitted"),
    [
        (GP, "Condition", "recorder", ANN, True),
        (GP, "Condition", "recorder", "PractitionerRole/ann", True),
        (GP, "Task", "requester", PRACTICE, True),
        (GP, "Condition", "recorder", BEN, False),
        (GP, "Condition", "asserter", MARY, True),
        (GP, "Observation", "performer", BEN, True),
        (GP, "Goal", "expressedBy", MARY, True),
        (GP, "Consent", "performer", MARY, True),
        (GP, "Communication", "sender", BEN, False),
        (GP, "Composition", "author", BEN, False),
        (GP, "DocumentReference", "author", BEN, True),
        (GP, "DocumentReference", "authenticator", BEN, False),
        (GP, "MedicationRequest", "requester", BEN, False),
        (GP, "ServiceRequest", "requester", WARD, False),
        (PATIENT, "Observation", "performer", ANN, False),
        (PATIENT, "Goal", "expressedBy", ANN, False),
        (PATIENT, "Consent", "performer", ANN, False),
        (PATIENT, "Communication", "sender", KIM, False),
        (CARER, "Observation", "performer", MARY, True),
        (CARER, "Communication", "sender", MARY, False),
        (SYSTEM, "Communication", "sender", BEN, True),
    ],
)
def test_an_author_is_the_writer_or_whom_the_table_lets_be(
    writer: Writer, type: str, element: str, named: str, is_permitted: bool
) -> None:
    is_many = type_definition(type).fields[element].many
    evidence = {"sourceReference": ref("DocumentReference/1")} if type == "Consent" else {}
    resource = of_mary(type, **{element: [ref(named)] if is_many else ref(named)}, **evidence)

    found = faults(judge(writer, None, resource))

    assert found == ([] if is_permitted else [(f"{type}.{element}", 403)])


def test_who_is_named_in_words_only_is_somebody_else() -> None:
    for named in ({"display": "Dr Ann"}, {"identifier": {"value": "1"}}, ref("#ann")):
        assert faults(judge(GP, None, of_mary("Condition", recorder=named))) == [
            ("Condition.recorder", 403)
        ]


def test_several_authors_are_all_the_writer() -> None:
    both = [ref(ANN), ref(BEN)]

    assert faults(judge(GP, None, of_mary("Composition", author=both))) == [
        ("Composition.author", 403)
    ]


def test_an_author_stays() -> None:
    before = of_mary("Condition", recorder=ref(BEN), asserter=ref(MARY))

    assert refused(GP, before, recorder=ref(ANN)) == [("Condition.recorder", 403)]
    assert refused(GP, before, recorder=None) == [("Condition.recorder", 403)]
    assert refused(GP, before, asserter=ref(ANN)) == [("Condition.asserter", 403)]
    assert refused(GP, of_mary("Condition"), recorder=ref(ANN)) == [("Condition.recorder", 403)]
    assert refused(SYSTEM, before, recorder=ref(ANN)) == []


def test_ones_own_name_may_be_said_otherwise() -> None:
    before = of_mary("Condition", recorder=ref(ANN))

    assert refused(GP, before, recorder=ref("PractitionerRole/ann")) == []


def test_an_author_that_was_left_out_is_put_back() -> None:
    before = of_mary("Condition", recorder=ref(BEN))
    sent = of_mary("Condition", code={"text": "Frail"})

    found = filled(GP, before, sent)

    assert found == {**sent, "recorder": ref(BEN)}
    assert judge(GP, before, found) == ()
    assert filled(GP, of_mary("Condition"), sent) is sent


def test_a_signature_is_added_and_taken_away_by_who_gives_it() -> None:
    signed = [{"mode": "legal", "party": ref(BEN)}]
    before = of_mary("Composition", author=[ref(ANN)], attester=signed)
    mine = [*signed, {"mode": "professional", "party": ref(ANN)}]

    assert refused(GP, before, attester=mine) == []
    assert refused(GP, before, attester=None) == [("Composition.attester.party", 403)]
    assert refused(NURSE, before, attester=None) == []


def test_an_address_of_this_server_names_the_writer_too() -> None:
    resource = of_mary("Condition", recorder=ref(f"https://ehr.example/fhir/{ANN}"))

    assert judge(GP, None, resource, bases=("https://ehr.example/fhir",)) == ()
    assert faults(judge(GP, None, resource)) == [("Condition.recorder", 403)]
