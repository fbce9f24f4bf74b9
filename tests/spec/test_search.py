"""The whole search over the API: conformance cases, totals, includes, sorting, refusals.

FHIR R4 §3.1.1. Each on both engines.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests import given
from tests.client import Client, expect, outcome
from tests.shared_data import shared


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none"}


def names(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    """Return `Type/id` of the entries with this search mode, in order."""
    return [
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in bundle.get("entry", ())
        if entry["search"]["mode"] == mode
    ]


def link(bundle: dict[str, Any], relation: str) -> str | None:
    """Return the address of a link, without scheme and host."""
    for one in bundle["link"]:
        if one["relation"] == relation:
            return "/" + one["url"].split("/", 3)[3]
    return None


def walk(client: Client, path: str, relation: str = "next") -> list[list[str]]:
    """Return the matches of every page from here on."""
    bundle = client.read(path)
    pages = [names(bundle)]
    while address := link(bundle, relation):
        bundle = client.read(address)
        pages.append(names(bundle))
    return pages


def test_every_conformance_case_is_answered(client: Client) -> None:
    cases = json.loads(shared("search-cases/northside/cases.json").read_text())["cases"]
    client.transact(json.loads(shared("search-cases/northside/load-transaction.json").read_text()))
    wrong = []

    for case in cases:
        response = _ask(client, case)
        expected, bundle = case["expect"], expect(response, 200)
        matches = names(bundle)
        if "pageSize" in expected:
            pages = walk(client, _escaped(case["request"]))
            assert all(len(page) <= expected["pageSize"] for page in pages)
            matches = [name for page in pages for name in page]
        right = (
            matches == expected["matches"]
            if expected["ordered"]
            else sorted(matches) == sorted(expected["matches"])
        )
        right = right and sorted(names(bundle, "include")) == sorted(expected.get("includes", []))
        if not right or ("total" in expected and bundle.get("total") != expected["total"]):
            wrong.append((case["id"], case["request"], matches, expected))

    assert wrong == []


def test_every_fact_of_another_server_that_r4_agrees_with_holds(client: Client) -> None:
    """Those where that server leaves the text ("contested") are judged by the text."""
    source = shared("search-cases/ms-fhir-server-facts")
    lines = (source / "fixtures.ndjson").read_text("utf-8").splitlines()
    for resource in map(json.loads, lines):
        client.update(resource)
    data = json.loads((source / "cases.json").read_text("utf-8"))
    facts = [(case["request"], case["expect"]["matches"]) for case in data["cases"]]
    facts += [(case["request"], case["byTheR4Text"]) for case in data["contested"]]
    wrong = {}

    for request, expected in facts:
        matches = names(expect(client.get(_escaped(f"{request}&_count=100")), 200))
        if sorted(matches) != sorted(expected):
            wrong[request] = (matches, expected)

    assert len(facts) == 149 + 13
    assert wrong == {}


def _ask(client: Client, case: dict[str, Any]) -> Any:
    path = _escaped(case["request"])
    if case["method"] == "POST":
        form = case.get("body") or case["form"]
        return client.request("POST", path, form, content_type="application/x-www-form-urlencoded")
    return client.get(path)


def _escaped(request: str) -> str:
    path, _, query = request.partition("?")
    return f"/fhir/{path}?{quote(query, safe='=&%:/,$')}"


def test_get_and_post_give_the_same_answer(client: Client) -> None:
    client.create(given.patient("Mary", "Murray"))

    got = client.read("Patient?name=mur")
    posted = expect(
        client.request(
            "POST", "Patient/_search", "name=mur", content_type="application/x-www-form-urlencoded"
        ),
        200,
    )

    assert names(got) == names(posted) != []
    assert link(got, "self") == link(posted, "self")


def test_entries_say_where_the_resource_is(client: Client) -> None:
    mary = client.create(given.patient())

    (entry,) = client.read("Patient")["entry"]

    assert entry["fullUrl"].endswith(f"/fhir/Patient/{mary['id']}")
    assert entry["resource"] == mary


def test_a_bundle_without_entries_has_no_empty_list(client: Client) -> None:
    bundle = client.read("Patient?name=nobody")

    assert "entry" not in bundle
    assert bundle["type"] == "searchset"


@pytest.mark.parametrize("query", ["_summary=count", "_count=0"])
def test_only_the_number_is_returned(client: Client, query: str) -> None:
    client.create(given.patient())
    client.create(given.patient())

    bundle = client.read(f"Patient?{query}")

    assert bundle["total"] == 2
    assert "entry" not in bundle
    assert link(bundle, "next") is None


def test_totals_come_within_one_patient_and_where_they_are_asked_for(client: Client) -> None:
    mary = client.create(given.patient())
    for _ in range(3):
        client.create(given.observation(mary))

    def total(query: str) -> int | None:
        return client.read(f"Observation?{query}").get("total")

    assert total("_count=1") is None
    assert total("_count=1&_total=accurate") == 3
    assert total(f"_count=1&patient={mary['id']}") == 3
    assert total(f"_count=1&patient={mary['id']}&_total=none") is None
    assert total("patient=Patient/unknown&_total=accurate") == 0


def test_a_page_that_is_first_and_last_knows_its_total(
    client: Client, statements: Callable[[], Any]
) -> None:
    mary = client.create(given.patient())
    client.create(given.observation(mary))

    with statements() as seen:
        bundles = [
            client.read(query)
            for query in ("Observation", "Observation?_count=1", "Observation?code=1-8", "Device")
        ]

    assert [bundle.get("total") for bundle in bundles] == [1, 1, 0, 0]
    assert not any("count(" in sql.lower() for sql in seen)
    assert client.read("Observation?_total=estimate")["total"] == 1
    assert "total" not in client.read("Observation?_total=none")


def test_deleted_resources_are_not_found(client: Client) -> None:
    mary = client.create(given.patient())
    seen = client.create(given.observation(mary))
    client.delete(f"Observation/{seen['id']}")

    assert names(client.read(f"Observation?patient={mary['id']}")) == []
    assert client.read("Observation?_summary=count")["total"] == 0


def test_an_update_changes_what_is_found(client: Client) -> None:
    mary = client.create(given.patient("Mary", "Murray"))
    client.update(mary | {"name": [{"family": "Campbell"}]})

    assert names(client.read("Patient?family=murray")) == []
    assert names(client.read("Patient?family=campbell")) == [f"Patient/{mary['id']}"]


def test_several_types_are_searched_at_once(client: Client) -> None:
    mary = client.create(given.patient())
    seen = client.create(given.observation(mary))
    client.create(given.organisation())

    found = names(client.read("?_type=Patient,Observation"))
    by_id = names(client.read(f"?_id={mary['id']},{seen['id']}"))

    both = [f"Observation/{seen['id']}", f"Patient/{mary['id']}"]
    assert sorted(found) == sorted(by_id) == both


def test_last_updated_is_compared_in_milliseconds(client: Client) -> None:
    mary = client.create(given.patient())
    at = mary["meta"]["lastUpdated"]

    def found(prefix: str) -> bool:
        return bool(names(client.read(f"Patient?_lastUpdated={prefix}{at}")))

    assert [found(prefix) for prefix in ("", "ge", "le")] == [True] * 3
    assert [found(prefix) for prefix in ("ne", "gt", "lt", "sa", "eb")] == [False] * 5


def test_sorting_puts_missing_values_last_either_way(client: Client) -> None:
    old = client.create(given.patient(birthDate="1930-01-01"))
    young = client.create(given.patient(birthDate="1990-01-01"))
    unknown = client.create({"resourceType": "Patient"})

    def order(sort: str) -> list[str]:
        return [name.split("/")[1] for name in names(client.read(f"Patient?_sort={sort}"))]

    assert order("birthdate") == [old["id"], young["id"], unknown["id"]]
    assert order("-birthdate") == [young["id"], old["id"], unknown["id"]]


def test_sorting_takes_several_keys(client: Client) -> None:
    mary = client.create(given.patient())
    times = ("2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z")
    ids = [client.create(given.observation(mary, effectiveDateTime=at))["id"] for at in times]

    query = f"patient={mary['id']}&_sort=-date,-_lastUpdated"
    found = names(client.read(f"Observation?{query}"))

    assert found == [f"Observation/{ids[n]}" for n in (2, 0, 1)]


def test_summary_and_elements_cut_the_matches(client: Client) -> None:
    client.create(given.patient(photo=[{"title": "x"}]))

    (whole,) = client.read("Patient?_summary=false")["entry"]
    (summary,) = client.read("Patient?_summary=true")["entry"]
    (elements,) = client.read("Patient?_elements=gender")["entry"]

    assert "photo" in whole["resource"]
    assert "photo" not in summary["resource"]
    assert set(elements["resource"]) == {"resourceType", "id", "meta", "gender"}
    assert summary["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_an_include_brings_a_resource_once_and_never_a_match_again(client: Client) -> None:
    mary = client.create(given.patient())
    for _ in range(2):
        client.create(given.observation(mary))

    bundle = client.read(
        "Observation?_include=Observation:subject&_include=Observation:patient&_include=*"
        "&_revinclude:iterate=Observation:subject"
    )

    assert names(bundle, "include") == [f"Patient/{mary['id']}"]


def test_an_include_may_name_the_version(client: Client) -> None:
    mary = client.create(given.patient("Mary", "Murray"))
    client.update(mary | {"name": [{"family": "Campbell"}]})
    client.create(given.observation(f"Patient/{mary['id']}/_history/1"))

    bundle = client.read("Observation?_include=Observation:subject")

    (included,) = [e["resource"] for e in bundle["entry"] if e["search"]["mode"] == "include"]
    assert included["meta"]["versionId"] == "1"


def test_iterating_includes_end_where_they_turn_in_circles(client: Client) -> None:
    for id, other in (("a", "b"), ("b", "c"), ("c", "a")):
        reference = {"reference": f"Organization/{other}"}
        client.update(given.organisation(id, id=id, partOf=reference))

    bundle = client.read("Organization?name=a&_include:iterate=Organization:partof")

    assert names(bundle, "include") == ["Organization/b", "Organization/c"]


def test_deleted_resources_are_not_included(client: Client) -> None:
    client.update(given.organisation("Whole", id="whole"))
    client.update(
        given.organisation("Part", id="part", partOf=given.reference("Organization/whole"))
    )
    client.delete("Organization/whole")

    bundle = client.read("Organization?name=part&_include=Organization:partof")

    assert names(bundle, "include") == []


def test_a_compartment_holds_what_refers_to_its_patient(client: Client) -> None:
    mary, john = client.create(given.patient("Mary")), client.create(given.patient("John"))
    about = client.create(given.observation(mary))
    by = client.create(given.observation(john, performer=[given.reference(mary)]))
    client.create(given.observation(john))

    inside = names(client.read(f"Patient/{mary['id']}/Observation"))
    whole = names(client.read(f"Patient/{mary['id']}/*"))

    expected = {f"Observation/{about['id']}", f"Observation/{by['id']}"}
    assert set(inside) == expected
    assert set(whole) == expected | {f"Patient/{mary['id']}"}


@pytest.mark.parametrize("path", ["Patient/nobody/Observation", "Patient/nobody/*"])
def test_the_compartment_of_nobody_is_empty(client: Client, path: str) -> None:
    assert names(client.read(path)) == []


def test_a_type_that_is_never_in_a_compartment_is_refused(client: Client) -> None:
    response = client.get("Patient/1/Organization")

    assert response.status_code == 400
    assert "never in the compartment" in outcome(response)[0]["diagnostics"]


def test_references_that_nothing_answers_find_nothing_and_external_ones_are_compared(
    client: Client,
) -> None:
    far = "https://elsewhere.example/fhir/Patient/9"
    seen = client.create(given.observation(far))

    assert names(client.read("Observation?subject=Patient/9")) == []
    assert names(client.read(f"Observation?subject={far}")) == [f"Observation/{seen['id']}"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("dat=2020", "Did you mean `date`"),
        ("date=20200", "date"),
        ("date=2020-02-30", "date"),
        ("value-quantity=x", "value-quantity"),
        ("_id=Patient/1", "without the type"),
        ("_cursor=abc", "Begin again"),
        ("component-code-value-quantity=a$1$2", "component-code$component-value-quantity"),
        ("_has:Observation:has-member:date=x", "date"),
    ],
)
def test_what_is_wrong_is_refused_with_an_outcome(client: Client, query: str, said: str) -> None:
    response = client.get(f"Observation?{query}")

    assert response.status_code == 400
    assert said in outcome(response)[0]["diagnostics"]


def test_lenient_handling_ignores_says_so_and_leaves_it_out_of_self(client: Client) -> None:
    mary = client.create(given.patient())
    query = f"patient={mary['id']}&dat=2020&date=nonsense&_sort=nonsense"
    client.create(given.observation(mary))

    bundle = expect(client.get(f"Observation?{query}", Prefer="handling=lenient"), 200)

    assert len(names(bundle)) == 1
    (said,) = [e["resource"] for e in bundle["entry"] if e["search"]["mode"] == "outcome"]
    assert {issue["severity"] for issue in said["issue"]} == {"warning"}
    assert len(said["issue"]) == 3
    assert link(bundle, "self") == f"/fhir/Observation?patient={mary['id']}"


def test_a_search_takes_few_statements(client: Client, statements: Callable[[], Any]) -> None:
    mary = client.create(given.patient())
    for _ in range(3):
        client.create(given.observation(mary))

    def counted(path: str) -> int:
        client.read(path)  # what is read once for good
        with statements() as seen:
            client.read(path)
        # The caller's token and the key of cursors are facts that a later issue keeps.
        return len([sql for sql in seen if " token_" not in sql and "key_ring" not in sql])

    about_mary = f"Observation?patient={mary['id']}"
    assert counted("Patient?name=mur") <= 3
    assert counted(about_mary) <= 3
    assert counted(f"{about_mary}&code=8867-4&_sort=-date&_total=accurate") <= 3
    assert counted(f"{about_mary}&_include=Observation:subject") <= 3 + 1 + 1
    assert counted("Observation?subject:Patient.name=mur") <= 3 + 1
