"""`_filter` on both engines: every operator, group and path, against the resources themselves.

FHIR R4 search_filter.html (§3.1.3). What a filter finds is compared with the oracle, and for some
with what the page says in words.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests import given
from tests.client import Client, expect, outcome
from tests.shared_data import shared
from tests.spec.oracle.search import Oracle
from tests.spec.test_search import link, names

SYSTEM = "https://example.org/ids/mrn"
FILTERS = {
    "Patient": [
        'name co "mac"',
        "name eq macleod",
        'name eq "NÍ DHOMHNAILL"',
        "name ne macleod",
        "name sw mac",
        "family ew d",
        "family gt macdonald",
        "family ge macdonald",
        "family lt macleod",
        "family le macleod",
        "birthdate eq 1948",
        "birthdate ne 1948",
        "birthdate ge 1972-06",
        "birthdate lt 1972",
        "birthdate sa 1972",
        "birthdate eb 1999-12-31",
        "birthdate ap 1999-12-30",
        "birthdate po 1972-05-01",
        "birthdate co 1972-05-01",
        "birthdate pr false",
        "death-date pr true",
        "gender eq FEMALE",
        "gender ne female",
        "gender pr true",
        f"identifier eq {SYSTEM}|A-100",
        "identifier eq a-100",
        "identifier eq |A-100",
        f"identifier ne {SYSTEM}|A-100",
        "active eq true or active eq false",
        "not (active eq true)",
        "not (gender pr true) or birthdate lt 1950",
        "gender eq male or gender eq female and birthdate lt 1960",
        "gender eq male or (gender eq female and birthdate lt 1960)",
        "not (name co mac and not (active eq true))",
        "general-practitioner pr true and not (general-practitioner re Organization/a-org-gp)",
        "general-practitioner.name co gp or general-practitioner.name co practice",
        "_id eq a-pat-nowak or _id eq a-pat-anderson",
        "_id ne a-pat-nowak",
        "_lastUpdated gt 2020 and _tag eq frail",
        "_profile eq https://EXAMPLE.org/fhir/StructureDefinition/shared-patient",
        "_profile sw https://example.org/",
        "_profile co fhir or _profile ew nothing",
        "_profile ne http://x.example and _profile ge a",
    ],
    "Observation": [
        "code eq loinc|2823-3",
        "code eq http://loinc.org|2823-3 and subject.name co mac",
        "subject.name co mac or code eq 29463-7",
        "not (subject.name co mac)",
        "subject[name co mac and birthdate lt 1960].active eq true",
        "subject[gender eq male or gender eq female].identifier eq A-101",
        "encounter[status eq finished].service-provider.name co north",
        "encounter.service-provider[name co a].partof re Organization/a-org-north",
        "subject re Patient/a-pat-macleod and status eq final",
        "subject re Patient/a-pat-macleod or subject re Patient/a-pat-anderson",
        "value-quantity gt 5.41|http://unitsofmeasure.org|mmol/L",
        "value-quantity eq 70",
        "value-quantity ne 70 and value-quantity le 75",
        "value-quantity lt 4 or value-quantity sa 70 or value-quantity eb 5.0",
        "value-quantity ap 71",
        "date po 2023-05-10T17:00:00Z or status eq registered",
        "category ne laboratory and category pr true",
        "value-quantity pr false and date pr true",
    ],
    "RiskAssessment": ["probability gt 0.5", "probability eq 0.1 or probability ne 0.1"],
    "Task": ["owner.name co kaur or priority eq urgent", "patient re Patient/a-pat-macleod"],
}


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none"}


@pytest.fixture
def northside(client: Client) -> Client:
    """Give the client of a record with the northside fixtures."""
    client.transact(json.loads(shared("search-cases/northside/load-transaction.json").read_text()))
    return client


def filtered(client: Client, type: str, text: str, more: str = "") -> list[str]:
    bundle = client.read(f"{type}?_count=100&_filter={quote(text, safe='')}{more}")
    found: list[str] = names(bundle)
    return found


def test_every_filter_finds_what_the_resources_say(northside: Client) -> None:
    lines = shared("search-cases/northside/fixtures.ndjson").read_text().splitlines()
    resources = [json.loads(line) for line in lines]
    for resource in resources:
        resource.setdefault("meta", {})["lastUpdated"] = "2024-01-01T00:00:00Z"
    oracle = Oracle(resources)
    wrong = []

    for type, filters in FILTERS.items():
        for text in filters:
            found = filtered(northside, type, text)
            expected = oracle.search(f"{type}?_filter={quote(text, safe='')}").matches
            if sorted(found) != sorted(expected):
                wrong.append((type, text, set(found) ^ expected))

    assert wrong == []


@pytest.mark.parametrize(
    ("type", "text", "expected"),
    [
        (
            "Patient",
            'given eq "iain" or birthdate ge 2014-10-10',
            {"anderson", "mackenzie", "macleod"},
        ),
        # "no precedence between and and or": whoever is male or older, if active.
        ("Patient", "gender eq male or birthdate lt 1980 and active eq false", set()),
        ("Patient", "gender ne female and name co a", {"macleod", "anderson", "nowak"}),
    ],
)
def test_a_filter_means_what_the_page_says(
    northside: Client, type: str, text: str, expected: set[str]
) -> None:
    found = {name.rpartition("-")[2] for name in filtered(northside, type, text)}

    assert found == expected


def test_short_names_stand_for_code_systems(northside: Client) -> None:
    def found(text: str) -> list[str]:
        return filtered(northside, "Observation", text)

    whole = found("value-quantity gt 5.4|http://unitsofmeasure.org|mmol/L")

    assert found("value-quantity gt 5.4|ucum|mmol/L") == whole != []
    assert found("code eq loinc|2823-3") == found("code eq http://loinc.org|2823-3") != []
    assert len(filtered(northside, "Patient", f"identifier eq {SYSTEM}|")) == 3


def test_what_is_in_brackets_is_asked_of_the_same_resource(client: Client) -> None:
    # "no one practitioner need satisfy both conditions … the _filter parameter" (§3.1.1.4.15)
    joe = client.create(given.practitioner("Joe", "Ross", address=[{"state": "CA"}]))
    jane = client.create(given.practitioner("Jane", "Kaur", address=[{"state": "MN"}]))
    both = client.create(given.patient(generalPractitioner=[*map(given.reference, (joe, jane))]))
    chains = "general-practitioner.name=Joe&general-practitioner.address-state=MN"

    assert names(client.read(f"Patient?{chains}")) == [f"Patient/{both['id']}"]
    assert filtered(client, "Patient", "general-practitioner[name sw joe].name sw ross")
    assert not filtered(client, "Patient", "general-practitioner[name sw joe].address-state eq mn")


def test_a_filter_within_one_patient_takes_no_more_statements(
    client: Client, statements: Callable[[], Any]
) -> None:
    mary = client.create(given.patient())
    seen = client.create(given.observation(mary))
    text = f"patient re Patient/{mary['id']} and (status eq final or not (code eq 1-8))"
    assert filtered(client, "Observation", text) == [f"Observation/{seen['id']}"]

    with statements() as ran:
        filtered(client, "Observation", text)

    assert len([sql for sql in ran if " token_" not in sql and "key_ring" not in sql]) <= 3


def test_a_filter_stands_beside_other_parameters_and_in_self(northside: Client) -> None:
    text = "status eq final or status eq amended"
    bundle = northside.read(f"Observation?_filter={quote(text)}&subject:Patient.family=macdonald")

    assert {name.rpartition("-")[2] for name in names(bundle)} == {"k4", "bp2", "wt1"}
    assert quote("status eq final") in str(link(bundle, "self"))


def test_a_wrong_part_leaves_the_whole_filter_out_when_lenient(client: Client) -> None:
    mary, john = client.create(given.patient("Mary")), client.create(given.patient("John"))
    for one in (mary, john):
        client.create(given.observation(one))
    text = quote(f"patient re Patient/{mary['id']} and date ge nonsense")

    bundle = expect(
        client.get(f"Observation?_filter={text}&status=final", Prefer="handling=lenient"), 200
    )

    assert len(names(bundle)) == 2
    assert link(bundle, "self") == "/fhir/Observation?status=final"
    assert client.get(f"Observation?_filter={text}").status_code == 400


@pytest.mark.parametrize(
    ("type", "text", "said"),
    [
        ("Patient", "nam eq x", "Did you mean `name`?"),
        ("Patient", "gender co x", "`co` in `_filter` is not for `gender`, a token parameter"),
        ("Patient", "birthdate sw 1", "It has: eq, ne, gt"),
        ("Patient", "birthdate eq ge2014", "is no date"),
        ("Patient", "birthdate eq 20145", "birthdate"),
        ("Patient", "name pr maybe", "It must be `true` or `false`"),
        ("Patient", "general-practitioner eq Practitioner/1", "It has: re, pr"),
        ("Patient", "gender.name eq x", "is no reference"),
        ("Patient", "general-practitioner.nam eq x", "Unknown search parameter `nam`"),
        ("Patient", "_filter eq x", "Unknown search parameter `_filter`"),
        ("Observation", "related[type eq a].target re Observation/4", "`has-member`"),
        ("Observation", "value-quantity co 5", "`co` in `_filter` is not for `value-quantity`"),
        ("ServiceRequest", "item[code eq 1].status eq a", "R4 does not have"),
        ("Group", "characteristic[code eq a and value eq b].value eq c", "one test in brackets"),
        ("Group", "characteristic[cod eq a].value eq c", "Did you mean `code`?"),
        ("Group", "characteristic[code eq a].code eq c", "each of its parts once"),
        ("Group", "characteristic[code ne a].value eq c", "only `eq`"),
        ("Patient", "name eq", "there should be a value"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    client: Client, type: str, text: str, said: str
) -> None:
    response = client.get(f"{type}?_filter={quote(text)}")

    assert response.status_code == 400
    assert said in outcome(response)[0]["diagnostics"]


def test_a_path_is_followed_to_the_same_depth_as_a_chain(client: Client) -> None:
    path = ".".join(["partof"] * 4)

    response = client.get(f"Location?_filter={quote(path + '.name eq x')}")

    assert response.status_code == 403
    assert outcome(response)[0]["code"] == "too-costly"
    response = client.get("Observation?_filter=focus.type%20eq%20x")
    assert "Ask in brackets for what only few types have" in outcome(response)[0]["diagnostics"]
