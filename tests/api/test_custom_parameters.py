"""SearchParameters that a record adds: their states, and all that a standard parameter can do."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from ehr.bulk.checking import deep_check
from tests.client import Client, expect, outcome
from tests.conftest import _token
from tests.given_parameters import eyed, facts, ids, reindexed, search_parameter

if TYPE_CHECKING:
    from ehr.record import Record


@pytest.fixture
def operator(record: "Record") -> Client:
    """Give an operator of the record, who may run `$reindex`."""
    from ehr.app import create_app

    return Client(create_app(record).test_client(), _token(record, "operator"))


def is_sound(record: "Record") -> bool:
    """Tell whether every row is what it should be."""
    faults = list(deep_check.check(record, lambda *_: None).faults)
    assert not faults, [(one.name, one.examples) for one in faults]
    return True


def test_a_parameter_is_stored_then_indexed_then_ready(
    client: Client, operator: Client, record: "Record"
) -> None:
    client.update(eyed("anna", "blue"))
    client.update(search_parameter("eye"))

    before = client.get("Patient?eye=blue")
    assert before.status_code == 400
    assert "$reindex" in outcome(before)[0]["diagnostics"]
    states = facts(operator.read("$reindex-status"), "definition")
    assert [one["state"] for one in states] == ["stored"]
    assert is_sound(record)

    told = reindexed(operator)

    assert facts(told, "definition")[0]["state"] == "ready"
    client.update(eyed("bert", "green"))
    client.update(eyed("anna", "brown"))
    assert ids(client.read("Patient?eye=brown,green")) == {"anna", "bert"}
    assert ids(client.read("Patient?eye=blue")) == set()
    assert is_sound(record)


def test_a_retired_parameter_goes_at_once_and_its_rows_with_the_next_run(
    client: Client, operator: Client, record: "Record"
) -> None:
    client.update(eyed("anna", "blue"))
    client.update(search_parameter("eye"))
    reindexed(operator)

    client.update(search_parameter("eye", status="retired"))

    refused = client.get("Patient?eye=blue")
    assert refused.status_code == 400
    assert "Unknown search parameter `eye`" in outcome(refused)[0]["diagnostics"]
    assert is_sound(record)
    client.update(eyed("anna", "green"))  # still indexed by it
    assert is_sound(record)
    told = reindexed(operator)
    assert facts(told, "definition") == []
    assert facts(told, "table")
    assert is_sound(record)


@pytest.mark.parametrize("how", ["delete", "patch"])
def test_it_goes_by_a_delete_and_by_a_patch_as_well(
    client: Client, operator: Client, how: str
) -> None:
    client.update(search_parameter("eye"))
    reindexed(operator)

    if how == "delete":
        assert client.delete("SearchParameter/eye").status_code == 204
    else:
        change = [{"op": "replace", "path": "/status", "value": "draft"}]
        assert client.patch("SearchParameter/eye", change).status_code == 200

    assert client.get("Patient?eye=blue").status_code == 400


def test_another_expression_has_to_be_indexed_first(
    client: Client, operator: Client, record: "Record"
) -> None:
    client.update(eyed("anna", "blue", gender="female"))
    client.update(search_parameter("eye"))
    reindexed(operator)

    client.update(search_parameter("eye", expression="Patient.gender"))

    assert "$reindex" in outcome(client.get("Patient?eye=blue"))[0]["diagnostics"]
    assert is_sound(record)
    reindexed(operator, "?parameter=eye")
    assert ids(client.read("Patient?eye=female")) == {"anna"}
    assert ids(client.read("Patient?eye=blue")) == set()
    assert is_sound(record)


def test_a_draft_has_no_effect_whatever_it_says(client: Client, operator: Client) -> None:
    draft = search_parameter("eye", status="draft", expression="Patient.nothing")
    client.update(draft | {"code": "_x"})

    reindexed(operator)

    assert client.get("Patient?_x=1").status_code == 400


def _kinds() -> list[dict[str, Any]]:
    return [
        search_parameter("eye"),
        search_parameter(
            "nickname", "string", expression="Patient.name.where(use='nickname').given"
        ),
        search_parameter("givens", "number", expression="Patient.name.given.count()"),
        search_parameter(
            "moved",
            "date",
            expression="Patient.address.where(use='old').period | Patient.birthDate",
        ),
        search_parameter(
            "height",
            "quantity",
            base=["Observation"],
            expression="Observation.component.where(code.text='height').value.as(Quantity)",
        ),
        search_parameter(
            "reader",
            "reference",
            base=["Observation"],
            expression="Observation.extension('http://example.org/reader')",
            target=["Patient", "Practitioner"],
        ),
        search_parameter("blog", "uri", expression="Patient.extension('http://example.org/blog')"),
        search_parameter(
            "name-in-use",
            "composite",
            expression="Patient.name",
            component=[
                {"definition": "http://hl7.org/fhir/SearchParameter/individual-family",
                 "expression": "family"},
                {"definition": "http://example.org/fhir/SearchParameter/nickname",
                 "expression": "given"},
            ],
        ),
    ]  # fmt: skip


ANNA = eyed(
    "anna",
    "blue",
    name=[
        {"use": "official", "family": "Murray", "given": ["Anna", "Maria"]},
        {"use": "nickname", "family": "Bear", "given": ["Ännchen"]},
    ],
    birthDate="1980-05-02",
    address=[{"use": "old", "city": "Leith", "period": {"end": "2001-03"}}],
)
ANNA["extension"] = [
    *ANNA["extension"],
    {"url": "http://example.org/blog", "valueUri": "http://anna.example/blog"},
]
BERT = eyed("bert", "green", name=[{"family": "Bear", "given": ["Bert"]}], birthDate="1950")
PULSE = {
    "resourceType": "Observation",
    "id": "pulse",
    "status": "final",
    "code": {"text": "measures"},
    "subject": {"reference": "Patient/anna"},
    "extension": [
        {"url": "http://example.org/reader", "valueReference": {"reference": "Patient/bert"}}
    ],
    "component": [
        {"code": {"text": "height"}, "valueQuantity": {
            "value": 1.7, "system": "http://unitsofmeasure.org", "code": "m", "unit": "m"}},
        {"code": {"text": "width"}, "valueQuantity": {
            "value": 0.4, "system": "http://unitsofmeasure.org", "code": "m", "unit": "m"}},
    ],
}  # fmt: skip


@pytest.fixture
def peopled(client: Client, operator: Client) -> Client:
    """Give a record with parameters of every kind, ready, one patient older than them."""
    client.update(ANNA)
    for one in _kinds():
        client.update(one)
    reindexed(operator)
    client.update(BERT)
    client.update(PULSE)
    return client


QUERIES = [
    ("Patient?eye=blue", {"anna"}),
    ("Patient?eye:not=blue", {"bert"}),
    ("Patient?eye:missing=false", {"anna", "bert"}),
    ("Patient?nickname=annchen", {"anna"}),
    ("Patient?nickname:exact=annchen", set()),
    ("Patient?nickname:contains=CHEN", {"anna"}),
    ("Patient?givens=3", {"anna"}),
    ("Patient?givens=lt2", {"bert"}),
    ("Patient?moved=le2001", {"anna", "bert"}),
    ("Patient?moved=ge1970", {"anna"}),
    ("Observation?height=170|http://unitsofmeasure.org|cm", {"pulse"}),
    ("Observation?height=0.4|http://unitsofmeasure.org|m", set()),
    ("Observation?reader=Patient/bert", {"pulse"}),
    ("Observation?reader:Patient.eye=green", {"pulse"}),
    ("Observation?subject:Patient.eye=green", set()),
    ("Observation?patient.eye=blue", {"pulse"}),
    ("Patient?_has:Observation:reader:height=gt1", {"bert"}),
    ("Patient?_has:Observation:patient:_id=pulse&eye=blue", {"anna"}),
    ("Patient?blog:below=http://anna.example", {"anna"}),
    ("Patient?name-in-use=bear$annchen", {"anna"}),
    ("Patient?name-in-use=murray$annchen", set()),
    ("Patient?_filter=eye eq green or nickname sw ann", {"anna", "bert"}),
    ("Observation?_filter=reader.eye eq green", {"pulse"}),
    ("Patient?_filter=givens gt 1 and not(eye eq green)", {"anna"}),
]


def test_every_kind_is_searched_as_one_of_r4_would_be(peopled: Client, record: "Record") -> None:
    found = {query: ids(peopled.read(query.replace(" ", "%20"))) for query, _ in QUERIES}

    assert found == dict(QUERIES)
    assert is_sound(record)


def test_they_sort_include_and_explain(peopled: Client, operator: Client) -> None:
    by_givens = peopled.read("Patient?_sort=-givens")
    included = peopled.read("Observation?_include=Observation:reader")
    wild = peopled.read("Observation?_include=Observation:*")
    reverse = peopled.read("Patient?_id=bert&_revinclude=Observation:reader")
    explained = operator.read("Patient?eye=blue&_explain=true")

    assert [one["resource"]["id"] for one in by_givens["entry"]] == ["anna", "bert"]
    assert ids(included, "include") == {"bert"}
    assert ids(wild, "include") == {"anna", "bert"}
    assert ids(reverse, "include") == {"pulse"}
    assert "Patient.eye (token)" in str(explained)


def test_conditions_of_changes_may_ask_for_them(peopled: Client) -> None:
    again = peopled.post("Patient", {**BERT, "id": "x"}, If_None_Exist="eye=green")
    changed = peopled.put("Patient?eye=green", {**BERT, "active": True})
    gone = peopled.delete("Observation?reader=Patient/bert")

    assert again.status_code == 200
    assert expect(changed, 200)["id"] == "bert"
    assert gone.status_code == 204
    assert peopled.get("Observation/pulse").status_code == 410


def test_the_capability_statement_declares_them_with_their_definition(peopled: Client) -> None:
    statement = peopled.read("metadata")

    by_type = {one["type"]: one for one in statement["rest"][0]["resource"]}
    declared = {one["name"]: one for one in by_type["Patient"]["searchParam"]}
    assert declared["eye"]["definition"] == "http://example.org/fhir/SearchParameter/eye"
    assert declared["name-in-use"]["type"] == "composite"
    assert "Observation:reader" in by_type["Observation"]["searchInclude"]
    assert "Observation:reader" in by_type["Practitioner"]["searchRevInclude"]
    assert {one["name"] for one in statement["rest"][0]["operation"]} >= {
        "reindex",
        "reindex-status",
    }


def test_what_is_not_ready_is_refused_wherever_it_is_asked(client: Client) -> None:
    client.update(search_parameter("eye"))
    reader = _kinds()[5]
    client.update(reader)

    for query in (
        "Patient?eye=blue",
        "Patient?_sort=eye",
        "Observation?patient.eye=blue",
        "Observation?_include=Observation:reader",
        "Patient?_has:Observation:reader:status=final",
        "Patient?_filter=eye%20eq%20blue",
    ):
        response = client.get(query)
        assert response.status_code == 400, query
        assert "$reindex" in outcome(response)[0]["diagnostics"], query


def test_a_copy_of_a_standard_parameter_changes_nothing(client: Client, operator: Client) -> None:
    client.update(eyed("anna", "blue", gender="female"))
    copy = search_parameter("individual-gender", expression="Patient.nothing")
    copy |= {"url": "http://hl7.org/fhir/SearchParameter/individual-gender", "code": "gender"}
    client.update(copy)

    reindexed(operator)

    assert ids(client.read("Patient?gender=female")) == {"anna"}
    found = client.read(f"SearchParameter?url={copy['url']}")
    assert ids(found) == {"individual-gender"}
    assert "Patient.nothing" not in json.dumps(client.read("metadata"))


@pytest.mark.parametrize("query", ["", "?parameter=trained"])
def test_they_hold_inside_what_a_resource_contains(
    client: Client, operator: Client, record: "Record", query: str
) -> None:
    nurse = {
        "resourceType": "Practitioner",
        "id": "nurse",
        "extension": [{"url": "http://example.org/trained", "valueCode": "abroad"}],
    }
    client.update(ANNA)
    client.update(BERT)
    client.update({**PULSE, "contained": [nurse], "performer": [{"reference": "#nurse"}]})
    extension = "Practitioner.extension('http://example.org/trained')"
    client.update(search_parameter("trained", base=["Practitioner"], expression=extension))

    reindexed(operator, query)

    assert ids(client.read("Observation?performer:Practitioner.trained=abroad")) == {"pulse"}
    assert ids(client.read("Practitioner?trained=abroad")) == set()
    assert is_sound(record)
    client.update(search_parameter("trained", status="retired"))
    reindexed(operator, query)
    assert facts(operator.read("$reindex-status"), "definition") == []
    assert is_sound(record)
