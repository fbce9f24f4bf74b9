"""What comes back: totals, parts of resources, includes beside them, what is passed over.

FHIR R4 §3.1.1.3 (errors) and §3.1.1.5 (managing returned resources). Each on both engines.
"""

from typing import Any

import pytest

from tests import given
from tests.client import Client, expect, outcome
from tests.spec.test_search import link, names


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none"}


def entries(bundle: dict[str, Any], mode: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle.get("entry", ()) if e["search"]["mode"] == mode]


def refused(client: Client, query: str, **headers: str) -> str:
    response = client.get(query, **headers)
    assert response.status_code == 400
    diagnostics: str = outcome(response)[0]["diagnostics"]
    return diagnostics


def test_parts_of_resources_keep_what_is_mandatory_and_say_so(client: Client) -> None:
    mary = client.create(given.patient())
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    client.create(given.observation(mary, text=text, note=[{"text": "n"}]))

    def keys(query: str) -> set[str]:
        (found,) = entries(client.read(f"Observation?{query}"), "match")
        tags = [tag["code"] for tag in found["meta"].get("tag", ())]
        assert tags == ([] if query == "_summary=false" else ["SUBSETTED"])
        return set(found) - {"resourceType", "id", "meta"}

    mandatory = {"status", "code"}
    assert keys("_summary=false") >= mandatory | {"text", "note"}
    assert keys("_summary=true") == mandatory | {"subject", "effectiveDateTime", "valueQuantity"}
    assert keys("_summary=text") == mandatory | {"text"}
    assert keys("_summary=data") >= mandatory | {"note"}
    assert "text" not in keys("_summary=data")
    assert keys("_elements=note,Observation.subject") == mandatory | {"note", "subject"}


def test_elements_do_not_apply_to_what_is_included(client: Client) -> None:
    # "The list of elements does not apply to included resources" (§3.1.1.5.9).
    client.update(given.organisation("Whole", id="whole", active=True))
    part = given.organisation("Part", id="part", partOf=given.reference("Organization/whole"))
    client.update(part)

    bundle = client.read("Organization?name=part&_elements=name&_include=Organization:partof")

    assert set(entries(bundle, "match")[0]) == {"resourceType", "id", "meta", "name"}
    assert entries(bundle, "include")[0]["active"] is True


def test_a_text_summary_takes_no_includes(client: Client) -> None:
    # "_include and _revinclude parameters cannot be mixed with _summary=text" (§3.1.1.5.8).
    client.create(given.patient())
    query = "Patient?_summary=text&_revinclude=Observation:subject"

    assert "cannot be used with `_summary=text`" in refused(client, query)
    bundle = expect(client.get(query, Prefer="handling=lenient"), 200)
    assert link(bundle, "self") == "/fhir/Patient?_summary=text"


def test_an_unknown_named_query_is_refused_however_lenient(client: Client) -> None:
    # "Servers SHALL refuse … if they do not recognize the _query parameter value" (§3.1.1.7).
    assert "`_query`" in refused(client, "Patient?_query=all", Prefer="handling=lenient")


def test_empty_parameters_are_passed_over_and_told(client: Client) -> None:
    # "Empty parameters are not an error - they are just ignored by the server" (§3.1.1.3).
    client.create(given.patient())

    bundle = client.read("Patient?family=&gender=female&_sort=")

    assert len(names(bundle)) == 1
    assert link(bundle, "self") == "/fhir/Patient?gender=female"
    (said,) = entries(bundle, "outcome")
    assert [issue["diagnostics"] for issue in said["issue"]] == [
        "Ignored: `family` is empty.",
        "Ignored: `_sort` is empty.",
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("_summary=TRUE", "Unknown value `TRUE` of `_summary`. Did you mean `true`?"),
        ("_pretty=foo", "Unknown value `foo` of `_pretty`. Supported: false, true."),
        ("_total=x", "Unknown value `x` of `_total`. Supported: accurate, estimate, none."),
        ("_count=x", "`_count` is `x`."),
        ("_sort=foo", "Unknown sort parameter `foo` in `_sort`."),
        ("_elements=foo", "Unknown element `foo` of Patient in `_elements`. Supported: active"),
        ("_elements=contact.name", "Did you mean `contact`?"),
        ("_summary=true&_summary=text", "`_summary` is given more than once."),
    ],
)
def test_lenient_handling_passes_over_malformed_controls(
    client: Client, asked: str, said: str
) -> None:
    client.create(given.patient())

    lenient = client.get(f"Patient?gender=female&{asked}", Prefer="handling=lenient")
    bundle = expect(lenient, 200)

    assert client.get(f"Patient?{asked}").status_code == 400
    kept = "&_summary=true" if "&" in asked else ""
    assert link(bundle, "self") == f"/fhir/Patient?gender=female{kept}"
    (told,) = entries(bundle, "outcome")
    (issue,) = told["issue"]
    assert issue["diagnostics"].startswith("Ignored: ")
    assert said in issue["diagnostics"]


def test_a_format_that_is_not_there_is_refused_however_lenient(client: Client) -> None:
    # No parameter of the search, but content negotiation in place of Accept: who can't read what
    # would come is told so (RFC 9110 §15.5.7).
    for headers in ({}, {"Prefer": "handling=lenient"}):
        assert client.get("Patient?_format=yaml", **headers).status_code == 406


def test_links_name_only_the_types_that_were_understood(client: Client) -> None:
    for _ in range(2):
        client.create(given.patient())

    lenient = client.get("?_type=Foo,Patient&_count=1", Prefer="handling=lenient")
    bundle = expect(lenient, 200)

    assert link(bundle, "self") == "/fhir?_type=Patient&_count=1"
    assert link(bundle, "first") == "/fhir?_type=Patient&_count=1"
    following = link(bundle, "next")
    assert following is not None
    assert len(entries(client.read(following.removeprefix("/fhir")), "match")) == 1


def test_a_larger_page_than_there_is_may_be_asked_for(client: Client) -> None:
    mary = client.create(given.patient())

    for path in ("Patient", f"Patient/{mary['id']}/$everything", "Patient/_history"):
        answer = client.get(f"{path}?_count=99999999999")
        assert answer.status_code == 200, answer.data
    assert link(client.read("Patient?_count=99999999999"), "self") == "/fhir/Patient?_count=1000"


def test_the_condition_of_a_change_may_not_be_empty(client: Client) -> None:
    mary = client.create(given.patient())

    assert client.request("DELETE", "Patient?family=").status_code == 400
    assert client.get(f"Patient/{mary['id']}").status_code == 200


def test_an_estimated_total_says_that_it_is_one(client: Client, database: Any) -> None:
    for _ in range(5):
        client.create(given.patient())

    bundle = client.read("Patient?_total=estimate&_count=2")
    last = client.read(str(link(bundle, "next")))
    whole = client.read("Patient?_total=estimate")

    said = [issue["diagnostics"] for one in entries(last, "outcome") for issue in one["issue"]]
    assert bundle["total"] == last["total"] >= 3
    assert any("estimate" in text for text in said) is (database.dialect == "postgresql")
    # Where all matches are at hand, it is exact.
    assert (whole["total"], entries(whole, "outcome")) == (5, [])
    assert client.read("Patient?_total=none&_count=2").get("total") is None


def test_get_and_post_answer_alike_everywhere(client: Client) -> None:
    mary = client.create(given.patient())
    client.create(given.observation(mary))
    form = "application/x-www-form-urlencoded"

    for path, query in (
        ("Observation", "_filter=code%20eq%208867-4%20or%20status%20eq%20amended&_sort=-code"),
        ("Observation", "_summary=true&_total=estimate&_include=*&_count=1"),
        ("", "_type=Patient,Observation&_sort=_id&_elements=status"),
        (f"Patient/{mary['id']}/Observation", "_count=0"),
        (f"Patient/{mary['id']}/*", "_type=Observation&family="),
    ):
        got = client.read(f"{path}?{query}")
        address = f"{path}/_search" if path else "_search"
        posted = expect(client.request("POST", address, query, content_type=form), 200)
        for bundle in (got, posted):
            bundle.pop("id")
            bundle["meta"].pop("lastUpdated")
        assert got == posted, path


def test_a_count_is_all_that_comes(client: Client) -> None:
    # "_count has the value 0, this shall be treated the same as _summary=count" (§3.1.1.5.3).
    mary = client.create(given.patient())
    client.create(given.observation(mary))

    for query in ("_count=0", "_summary=count", "_count=0&_total=none", "_summary=count&_count=5"):
        bundle = client.read(f"Observation?{query}&_include=Observation:subject")
        assert (bundle["total"], "entry" in bundle) == (1, False)
        assert [one["relation"] for one in bundle["link"]] == ["self"]


def test_a_list_names_what_is_searched(client: Client) -> None:
    for id, code in (("a", "1-8"), ("b", "2-6"), ("c", "1-8")):
        made = given.observation("Patient/x", code=code, id=id)
        more = {"hasMember": [given.reference("Observation/b")]} if id == "c" else {}
        client.update(made | more)
    for id, items in (("one", "ab"), ("two", "c"), ("none", "")):
        entry = [{"item": {"reference": f"Observation/{item}"}} for item in items]
        body = {"resourceType": "List", "id": id, "status": "current", "mode": "working"}
        client.update(body | ({"entry": entry} if entry else {}))

    def found(query: str) -> str:
        return "".join(sorted(name[-1] for name in names(client.read(query))))

    assert found("Observation?_list=one") == "ab"
    assert found("Observation?_list=one,two&code=1-8") == "ac"
    assert found("Observation?_list=none") == found("Observation?_list=unknown") == ""
    assert found("Patient?_list=one") == ""
    assert found("?_list=two") == "c"
    assert found("Observation?has-member:Observation._list=one") == "c"
    client.delete("List/two")
    assert found("Observation?_list=two") == ""
    assert "functional lists" in refused(client, "Observation?_list=$current-problems")


def test_has_and_chains_are_nested_and_mixed_to_the_limit(client: Client) -> None:
    ward = client.create(given.organisation("Ward"))
    mary, john = client.create(given.patient("Mary")), client.create(given.patient("John"))
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": given.reference(mary),
        "serviceProvider": given.reference(ward),
    }
    stay = client.create(visit)
    seen = client.create(given.observation(mary, encounter=given.reference(stay)))
    client.create(given.observation(john))

    def ids(query: str) -> list[str]:
        return [name.partition("/")[2] for name in names(client.read(query))]

    of_ward = "encounter.service-provider:Organization.name=ward"
    back = "_has:Encounter:service-provider:_has:Observation:encounter:subject:Patient.name=mary"
    assert ids(f"Patient?_has:Observation:subject:{of_ward}") == [mary["id"]]
    assert ids(f"Organization?{back}") == [ward["id"]]
    assert ids("Observation?subject:Patient._has:Encounter:subject:status=finished") == [seen["id"]]
    response = client.get(f"Organization?{back.replace('name=', 'general-practitioner.name=')}")
    assert response.status_code == 403
    assert outcome(response)[0]["code"] == "too-costly"


def test_every_compartment_holds_what_refers_to_its_resource(client: Client) -> None:
    mary = client.create(given.patient())
    nurse, son = (
        client.create(given.practitioner()),
        client.create({"resourceType": "RelatedPerson", "patient": given.reference(mary)}),
    )
    device = client.create({"resourceType": "Device"})
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": given.reference(mary),
        "participant": [{"individual": given.reference(one)} for one in (nurse, son)],
    }
    stay = client.create(visit)
    seen = client.create(
        given.observation(
            mary, encounter=given.reference(stay), device=given.reference(device),
            performer=[given.reference(nurse), given.reference(son)],
        )
    )  # fmt: skip
    client.create(given.observation(mary))

    def inside(focus: dict[str, Any], of: str) -> list[str]:
        path = f"{focus['resourceType']}/{focus['id']}/{of}"
        return [name.partition("/")[2] for name in names(client.read(path))]

    for focus in (nurse, son, device, stay):
        assert inside(focus, "Observation") == [seen["id"]], focus["resourceType"]
    for focus in (mary, nurse, son):
        assert inside(focus, "Encounter") == [stay["id"]]
    for focus in (mary, nurse, son, device, stay):
        assert focus["id"] in inside(focus, "*")  # `{def}`: the resource itself
    assert inside(mary, "*?_type=Encounter") == [stay["id"]]
    assert set(inside(mary, "*?_type=Encounter,Observation&_id=" + seen["id"])) == {seen["id"]}
    assert "for this compartment" in refused(client, f"Patient/{mary['id']}/*?_type=Organization")
    assert "names the type" in refused(client, f"Patient/{mary['id']}/Observation?_type=Encounter")
