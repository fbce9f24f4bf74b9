"""`_text` and `_content` find the same words on both engines (R4 search.html §3.1.1.4.20)."""

from typing import Any

import pytest

from tests import given
from tests.client import Client
from tests.spec.test_search import names


def narrative(html: str) -> dict[str, Any]:
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{html}</div>',
    }


@pytest.fixture
def ward(client: Client) -> Client:
    """Give a record with four conditions of two patients, three of them with a narrative."""
    mary = client.update(given.patient(id="mary"))
    ann = client.update(given.patient(id="ann"))
    texts = {
        "liver": (mary, "<p>Metastases of the <b>live</b>r</p><p>seen 2024</p>"),
        "bone": (mary, "<p>Bone pain,<br/>no metastases &amp; no fever</p>"),
        "brain": (ann, '<p title="a > b">Métastases<!-- bone --> of the brain</p>'),
    }
    for id, (who, html) in texts.items():
        client.update(given.condition(who, id=id, text=narrative(html)))
    noted = [{"text": "Worried about bone metastases"}]
    client.update(given.condition(ann, id="none", note=noted))
    return client


FOUND: dict[str, set[str]] = {
    "_text=metastases": {"liver", "bone", "brain"},
    "_text=METASTASES": {"liver", "bone", "brain"},
    "_text=métastases": {"liver", "bone", "brain"},
    "_text=(bone OR liver) and metastases": {"liver", "bone"},
    "_text=bone liver": set(),
    "_text=bone or liver": {"liver", "bone"},
    "_text=bone,brain": {"bone", "brain"},
    "_text=bone&_text=fever": {"bone"},
    '_text="no metastases"': {"bone"},
    '_text="metastases no"': {"bone"},
    '_text="pain no"': {"bone"},
    "_text=metastases not fever": {"liver", "brain"},
    "_text=metastases not (fever or brain)": {"liver"},
    "_text=2024": {"liver"},
    "_text=liver": {"liver"},
    "_text=seen": {"liver"},
    "_text=worried": set(),
    "_text=pre-metastases or fever": {"bone"},
    '_text=fever "-2024"': set(),
    "_text=a": set(),
    "_text=p": set(),
    "_text=metast": set(),
    "_content=bone metastases": {"bone", "none"},
    "_content=worried": {"none"},
    "_content=fever or worried": {"bone", "none"},
    "_content=kmary": set(),
    "_content=k1": set(),
    "_content=active": set(),
    "_text:missing=true": {"none"},
    "_text:missing=false": {"liver", "bone", "brain"},
    "_content:missing=false": {"liver", "bone", "brain", "none"},
}


def test_words_are_found(ward: Client) -> None:
    for query, found in FOUND.items():
        across = names(ward.read(f"Condition?{query}"))
        within = names(ward.read(f"Condition?patient=mary&{query}"))

        assert set(across) == {f"Condition/{id}" for id in found}, query
        assert set(within) == {f"Condition/{id}" for id in found & {"liver", "bone"}}, query


def test_words_follow_their_resource(ward: Client) -> None:
    bone = ward.read("Condition/bone")
    ward.update({**bone, "text": narrative("Nothing left")})
    assert names(ward.read("Condition?_text=bone")) == []
    assert names(ward.read("Condition?_text=nothing")) == ["Condition/bone"]

    ward.delete("Condition/bone")
    assert names(ward.read("Condition?_text=nothing")) == []
    assert names(ward.read("Condition?_content=nothing")) == []


def test_words_lead_through_chains_and_has(ward: Client) -> None:
    ward.update(given.condition("Patient/ann", id="due", evidence=[
        {"detail": [{"reference": "Condition/brain"}]}
    ]))  # fmt: skip

    assert names(ward.read("Patient?_has:Condition:patient:_text=brain")) == ["Patient/ann"]
    assert names(ward.read("Condition?evidence-detail:Condition._text=brain")) == ["Condition/due"]


REFUSED = {
    "_text=!!!": "without letters",
    "_text=not bone": "must be there",
    "_text=bone or": "must be there",
    "_text=(bone": "nothing closes",
    "_text=bone)": "nothing opens",
    '_text="bone': "nothing closes",
    "_text=and and bone": "joins nothing",
    "_text=" + "word " * 51: "more than 50 words",
    "_text=" + "(bone " * 11 + ")" * 11: "more than 10 parentheses",
    "_text=zed -hello": "write `not`",
    "_text=!hello": "write `not`",
    "_text=%2Bhello": "all words must be there",
    "_text=metast*": "only whole words are found",
    "_text:exact=bone": "modifier",
    "_sort=_text": "sort",
}


def test_what_is_no_search_for_words_is_refused(client: Client) -> None:
    for query, wrong in REFUSED.items():
        response = client.get(f"Condition?{query}")

        assert response.status_code == 400, query
        assert wrong in response.get_data(as_text=True), query


def test_parts_within_parts_are_found_to_the_limit(ward: Client) -> None:
    nested = "fever or (no " * 9 + "fever or (bone)" + ")" * 9

    assert names(ward.read(f"Condition?_text={nested}")) == ["Condition/bone"]
    assert names(ward.read(f"Condition?_text={'not (a '.join(['bone '] * 11)}{')' * 10}"))


def test_types_without_narrative_have_no_text_to_search(client: Client) -> None:
    assert client.get("Binary?_text=bone").status_code == 400
    assert client.get("Binary?_content=bone").status_code == 200


def test_a_text_beyond_the_limits_of_engines_is_taken(client: Client) -> None:
    many = " ".join(f"w{number}" for number in range(60_000))
    client.update(given.condition("Patient/x", id="long", note=[{"text": many}]) | {
        "subject": given.reference(client.create(given.patient()))
    })  # fmt: skip

    assert names(client.read("Condition?_content=w1 w9999")) == ["Condition/long"]


def test_words_move_with_an_unfiled_resource(client: Client) -> None:
    logical = {"identifier": {"system": "urn:x", "value": "1"}}
    plan = given.condition("Patient/x", text=narrative("Unfiled words")) | {"subject": logical}
    made = client.create(plan)
    mary = client.create(given.patient())

    client.update({**made, "subject": given.reference(mary)})

    here = f"Condition?patient={mary['id']}&_text=unfiled"
    assert names(client.read(here)) == [f"Condition/{made['id']}"]
