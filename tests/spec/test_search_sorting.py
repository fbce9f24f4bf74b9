"""`_sort` on parameters of every kind, rising and falling, within one patient and across.

FHIR R4 §3.1.1.5.1: "Each item in the comma separated list is a search parameter"; of several values
the one counts "that comes earliest in the specified sort order". Each on both engines.
"""

from typing import Any

import pytest

from ehr.search.results import page as run
from tests import given
from tests.client import Client, outcome
from tests.spec.test_search import names, walk


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none"}


def concept(*codes: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://here.example/codes", "code": code} for code in codes]}


@pytest.fixture
def made(client: Client) -> dict[str, str]:
    """Give five observations of one patient by a letter; `e` has none of the optional values."""
    mary = client.create(given.patient())
    others = [client.create(given.organisation(name)) for name in ("Zed", "Alpha")]
    first, second = ({"performer": [given.reference(one)]} for one in others)
    elsewhere = {"performer": [{"identifier": {"value": "7"}}]}
    several = {"category": [concept("social"), concept("exam")], **first}
    kinds: dict[str, dict[str, Any]] = {
        "a": {"category": [concept("vital")], "code": concept("30"), **second},
        "b": {"category": [concept("lab")], "code": concept("10", "99"), **first},
        "c": {**several, "code": concept("20")},
        "d": {"category": [concept("Zeta")], "code": concept("40"), **elsewhere},
        "e": {"code": {"text": "no code"}},
    }
    made = {"patient": mary["id"]}
    for letter, more in kinds.items():
        made[letter] = client.create(given.observation(mary) | more)["id"]
    return made


def order(client: Client, made: dict[str, str], query: str) -> str:
    letters = {f"Observation/{id}": letter for letter, id in made.items()}
    return "".join(letters[name] for name in names(client.read(f"Observation?{query}")))


ORDERS = {
    "code": "bcade",
    "-code": "bdace",  # 99 comes first of b's two
    "category": "dcbae",  # by code point, and by `exam` of c
    "-category": "acbde",
    "status,-code": "bdace",
    # By when what they lead to was known; d, only named by an identifier, before or after.
    "performer": "bcae",
    "-performer": "acbe",
    "performer,-code": "bcae",
}


@pytest.mark.parametrize("way", ["in-patient", "few", "many"])
def test_tokens_and_references_have_an_order(
    client: Client, made: dict[str, str], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "many":
        monkeypatch.setattr(run, "_MANY", 2)
    where = f"patient={made['patient']}&" if way == "in-patient" else ""

    for sort, expected in ORDERS.items():
        found = order(client, made, f"{where}_sort={sort}")
        assert [each for each in found if each in expected] == list(expected), sort
        assert sorted(found) == list("abcde")
        pages = walk(client, f"Observation?{where}_sort={sort}&_count=2")
        whole = names(client.read(f"Observation?{where}_sort={sort}"))
        assert [name for page in pages for name in page] == whole


def test_what_every_type_has_orders_a_search_over_several(client: Client) -> None:
    def meta(letter: str) -> dict[str, Any]:
        return {
            "tag": [{"code": letter}],
            "profile": [f"http://x.example/{letter}"],
            "source": f"http://{letter}.example",
            "security": [{"system": "http://s.example", "code": letter}],
        }

    client.update(given.patient(meta=meta("b")) | {"id": "b"})
    client.update(given.organisation(meta=meta("a")) | {"id": "a"})

    for code in ("_tag", "_profile", "_source", "_security", "_id"):
        found = names(client.read(f"?_type=Patient,Organization&_sort={code}"))
        assert found == ["Organization/a", "Patient/b"], code


def test_what_has_no_order_is_refused_by_name(client: Client) -> None:
    for sort, said in (
        ("code-value-quantity", "Sort by its parts: `code,value-quantity`"),
        ("_score", "matches are not ranked"),
        ("subject.name", "Unknown sort parameter `subject.name`"),
        ("+date", "Did you mean `date`"),
        ("date,", "Unknown sort parameter ``"),
    ):
        response = client.get(f"Observation?_sort={sort}")

        assert response.status_code == 400
        assert said in outcome(response)[0]["diagnostics"]
