"""What each modifier finds, on both engines (R4 search.html §3.1.1.4.4 and the parameter types)."""

from typing import Any

import pytest

from tests import given
from tests.client import Client
from tests.spec.test_search import names

COLOURS, SHADES = "http://x.org/colours", "http://x.org/shades"
TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_REFERENCES": "none", "EHR_BASE_URL": "http://localhost/fhir"}


def finds(client: Client, cases: dict[str, set[str]]) -> None:
    """Ask each request across patients, and compare the ids of its matches."""
    for request, ids in cases.items():
        found = {name.partition("/")[2] for name in names(client.read(request))}
        assert found == ids, request


def refuses(client: Client, cases: dict[str, str]) -> None:
    for request, wrong in cases.items():
        response = client.get(request)
        assert response.status_code == 400, request
        assert wrong in response.get_data(as_text=True), request


def code_system(id: str, url: str, concepts: list[Any], **more: Any) -> dict[str, Any]:
    head = {"resourceType": "CodeSystem", "id": id, "url": url, "status": "active"}
    return {**head, "content": "complete", "concept": concepts, **more}


def condition(id: str, code: dict[str, Any] | None = None) -> dict[str, Any]:
    made = {"resourceType": "Condition", "id": id, "subject": {"reference": "Patient/p"}}
    return made | ({"code": code} if code else {})


def value_set(id: str, *includes: dict[str, Any], **more: Any) -> dict[str, Any]:
    compose = {"include": list(includes), **more.pop("compose", {})}
    head = {"resourceType": "ValueSet", "id": id, "status": "active"}
    return {**head, "url": f"http://x.org/ValueSet/{id}", "compose": compose, **more}


@pytest.fixture
def coded(client: Client) -> Client:
    """Give conditions of many colours, and the definitions that speak of them."""
    client.update(given.patient(id="p"))
    light = {"code": "light-red", "concept": [{"code": "pink"}]}
    red = {"code": "red", "concept": [light, {"code": "crimson"}]}
    blue = {"code": "blue", "property": [{"code": "parent", "valueCode": "cold"}]}
    client.update(code_system("colours", COLOURS, [red, blue, {"code": "cold"}]))
    for id, code in {"r": "red", "l": "light-red", "p": "pink", "b": "blue", "c": "cold"}.items():
        client.update(condition(id, given.concept(code, COLOURS)))
    client.update(condition("o", given.concept("red", SHADES)))
    client.update(condition("t", {"text": "Réd face"}))
    client.update(condition("n"))
    client.update(value_set("all", {"system": COLOURS}))
    client.update(value_set("reds", {"system": COLOURS, "concept": [{"code": "red"}]}))
    client.update(
        value_set(
            "cold",
            {"valueSet": ["http://x.org/ValueSet/all"]},
            compose={"exclude": [{"valueSet": ["http://x.org/ValueSet/reds"]}]},
            version="2",
        )
    )
    client.update(value_set("odd", {"system": COLOURS, "filter": [
        {"property": "concept", "op": "is-a", "value": "red"}
    ]}))  # fmt: skip
    client.update(value_set("far", {"system": "http://snomed.info/sct"}))
    client.update(value_set("round", {"valueSet": ["http://x.org/ValueSet/round"]}))
    return client


def test_codes_are_found_by_value_sets_and_hierarchies(coded: Client) -> None:
    every = {"r", "l", "p", "b", "c", "o", "t", "n"}
    finds(
        coded,
        {
            "Condition?code:in=http://x.org/ValueSet/all": {"r", "l", "p", "b", "c"},
            "Condition?code:in=ValueSet/all": {"r", "l", "p", "b", "c"},
            "Condition?code:in=ValueSet/reds,ValueSet/cold": {"r", "l", "p", "b", "c"},
            "Condition?code:in=http://x.org/ValueSet/reds": {"r"},
            "Condition?code:in=http://x.org/ValueSet/cold|2": {"l", "p", "b", "c"},
            "Condition?code:not-in=http://x.org/ValueSet/all": {"o", "t", "n"},
            "Condition?patient=p&code:not-in=http://x.org/ValueSet/reds": every - {"r"},
            f"Condition?code:below={COLOURS}|red": {"r", "l", "p"},
            f"Condition?patient=p&code:below={COLOURS}|light-red": {"l", "p"},
            f"Condition?code:above={COLOURS}|pink": {"r", "l", "p"},
            f"Condition?code:below={COLOURS}|cold": {"b", "c"},
            f"Condition?code:below={COLOURS}|cold,{COLOURS}|pink": {"b", "c", "p"},
            f"Condition?code:above={COLOURS}|nothing": set(),
            "Condition?code:not=red": every - {"r", "o"},
            "Condition?code:missing=true": {"n"},
            "Condition?code:missing=false": every - {"n"},
            "Condition?code:text=red": {"t"},
            "Condition?code:text=face": set(),
            "Patient?_has:Condition:patient:code:in=http://x.org/ValueSet/reds": {"p"},
        },
    )
    refuses(
        coded,
        {
            "Condition?code:in=http://x.org/ValueSet/none": "http://x.org/ValueSet/none",
            "Condition?code:in=http://x.org/ValueSet/cold|3": "http://x.org/ValueSet/cold|3",
            "Condition?code:in=http://x.org/ValueSet/odd": "by a filter",
            "Condition?code:in=ValueSet/far": "http://snomed.info/sct",
            "Condition?code:in=http://x.org/ValueSet/round": "includes itself",
            "Condition?code:in=http://snomed.info/sct?fhir_vs=isa/126851005": "fhir_vs",
            "Condition?code:below=red": "system|code",
            "Condition?code:below=http://snomed.info/sct|1": "http://snomed.info/sct",
            "Condition?code:of-type=a|b|c": "of-type",
            "Condition?onset-date:in=ValueSet/all": "modifier",
        },
    )


def test_codes_are_found_by_what_r4_itself_defines(client: Client) -> None:
    for id, code in {"mother": "MTH", "child": "DAUC", "friend": "FRND"}.items():
        related = {"resourceType": "RelatedPerson", "id": id, "gender": "female"}
        about = {
            "patient": {"reference": "Patient/p"},
            "relationship": [given.concept(code, ROLES)],
        }
        client.update({**related, **about})
    finds(
        client,
        {
            f"RelatedPerson?relationship:below={ROLES}|CHILD": {"child"},
            f"RelatedPerson?relationship:below={ROLES}|FAMMEMB": {"child", "mother"},
            f"RelatedPerson?relationship:above={ROLES}|MTH": {"mother"},
            "RelatedPerson?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender": {
                "mother", "child", "friend",
            },
            "RelatedPerson?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender": set(),
            "RelatedPerson?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1": {
                "mother", "child", "friend",
            },
        },
    )  # fmt: skip
    refuses(
        client,
        {"RelatedPerson?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender|5": "4.0.1"},
    )


def test_a_value_set_of_many_thousand_codes_is_one_bound_value(coded: Client) -> None:
    many = [{"code": f"c{number}"} for number in range(40_000)] + [{"code": "pink"}]
    coded.update(value_set("many", {"system": COLOURS, "concept": many}))

    finds(
        coded,
        {
            "Condition?code:in=ValueSet/many": {"p"},
            "Condition?patient=p&code:in=ValueSet/many": {"p"},
        },
    )


def test_identifiers_are_found_by_their_type_and_its_text(client: Client) -> None:
    kind = {"coding": [{"system": TYPES, "code": "MR"}], "text": "Hospital number"}
    client.update(given.patient(id="a", identifier=[{"type": kind, "system": "s", "value": "7"}]))
    client.update(given.patient(id="b", identifier=[{"system": "s", "value": "7"}]))
    client.update(given.patient(id="c", identifier=[{"type": kind}]))
    finds(
        client,
        {
            f"Patient?identifier:of-type={TYPES}|MR|7": {"a"},
            f"Patient?identifier:of-type={TYPES}|PPN|7": set(),
            "Patient?identifier:text=hospital": {"a", "c"},
            "Patient?identifier:missing=true": set(),
        },
    )
    refuses(client, {"Patient?identifier:of-type=MR|7": "system|code|value"})


def test_tokens_of_strings_have_no_case_and_contact_points_no_system(client: Client) -> None:
    client.update(given.patient(id="a", telecom=[{"system": "phone", "value": "01"}]))
    client.update(value_set("v", {"system": COLOURS}, version="Draft-2"))
    finds(
        client,
        {
            "ValueSet?version=draft-2": {"v"},
            "Patient?phone=01": {"a"},
            "ValueSet?url=http://x.org/ValueSet/v|Draft-2": {"v"},
            "ValueSet?url=http://x.org/ValueSet/v|3": set(),
            "ValueSet?url:below=http://x.org/": {"v"},
            "ValueSet?url:above=http://x.org/ValueSet/v/deeper": {"v"},
        },
    )
    refuses(
        client,
        {
            "Patient?telecom=phone|01": "no system",
            "ValueSet?url:below=urn:oid:1.2": "URN",
            "ValueSet?url:above=urn:oid:1.2.3": "URN",
        },
    )


def test_media_types_are_below_their_base(client: Client) -> None:
    for id, media in {"x": "text/xml; charset=UTF-8", "y": "text/xml", "z": "text/xmlish"}.items():
        attachment = {"attachment": {"contentType": media, "url": "http://x"}}
        document = {"resourceType": "DocumentReference", "id": id, "status": "current"}
        client.update({**document, "content": [attachment]})
    finds(
        client,
        {
            "DocumentReference?contenttype=text/xml": {"y"},
            "DocumentReference?contenttype:below=text/xml": {"x", "y"},
            "DocumentReference?contenttype:above=text/xml%3B charset=UTF-8": {"x", "y"},
        },
    )


def test_references_are_found_up_and_down_a_hierarchy(client: Client) -> None:
    for id, parent in {"city": None, "house": "city", "ward": "house", "bed": "ward"}.items():
        part = {"partOf": {"reference": f"Location/{parent}"}} if parent else {}
        client.update({"resourceType": "Location", "id": id, **part})
    client.update(given.patient(id="p"))
    for id in ("city", "ward", "bed"):
        at = [{"location": {"reference": f"Location/{id}"}}]
        client.update(given.encounter("Patient/p", id=id, location=at))
    finds(
        client,
        {
            "Encounter?location:below=house": {"ward", "bed"},
            "Encounter?location:below=Location/city": {"city", "ward", "bed"},
            "Encounter?patient=p&location:above=bed": {"city", "ward", "bed"},
            "Encounter?location:above=Location/house": {"city"},
            "Encounter?location:below=nowhere": set(),
            "Location?partof:below=house": {"ward", "bed"},
            "Encounter?location:Location.partof:below=house": {"ward", "bed"},
        },
    )
    refuses(
        client,
        {
            "Encounter?patient:below=p": "modifier",
            "Observation?subject:below=Patient/p": "reference to a",
        },
    )


def test_a_hierarchy_in_a_circle_ends(client: Client) -> None:
    for id, parent in {"a": "b", "b": "a"}.items():
        part = {"partOf": {"reference": f"Organization/{parent}"}}
        client.update({"resourceType": "Organization", "id": id, "name": id, **part})

    finds(client, {"Organization?partof:below=a": {"a", "b"}})


def test_references_are_found_by_their_identifier(client: Client) -> None:
    client.update(given.patient(id="p"))
    identifiers = {
        "both": {"system": "s", "value": "1"},
        "bare": {"value": "1"},
        "scope": {"system": "s"},
    }
    for id, identifier in identifiers.items():
        who = [{"individual": {"identifier": identifier}}]
        client.update(given.encounter("Patient/p", id=id, participant=who))
    finds(
        client,
        {
            "Encounter?participant:identifier=s|1": {"both"},
            "Encounter?participant:identifier=1": {"both", "bare"},
            "Encounter?participant:identifier=|1": {"bare"},
            "Encounter?participant:identifier=s|": {"both", "scope"},
            "Encounter?participant:missing=false": {"both", "bare", "scope"},
        },
    )


def test_canonicals_are_found_by_a_part_of_their_version(client: Client) -> None:
    for id, version in {"a": "|1.0", "b": "|1.1", "c": "|2.0", "d": "|10", "e": ""}.items():
        answers = {"resourceType": "QuestionnaireResponse", "id": id, "status": "completed"}
        client.update({**answers, "questionnaire": f"http://x.org/q{version}"})
    path = "QuestionnaireResponse?questionnaire"
    finds(
        client,
        {
            f"{path}:below=http://x.org/q": {"a", "b", "c", "d", "e"},
            f"{path}:below=http://x.org/q|1": {"a", "b"},
            f"{path}=http://x.org/q|1.0": {"a"},
            f"{path}=http://x.org/q|1": set(),
        },
    )
    refuses(
        client,
        {f"{path}:identifier=s|1": "modifier", f"{path}:above=http://x.org/q": "modifier"},
    )


def test_strings_leave_case_accents_and_punctuation_out(client: Client) -> None:
    for id, family in {"a": "O'Néill-Smith", "b": "Oneill", "c": "Straße"}.items():
        client.update(given.patient(id=id, family=family))
    finds(
        client,
        {
            "Patient?family=oneill": {"a", "b"},
            "Patient?family=O'NEILL": {"a", "b"},
            "Patient?family:exact=Oneill": {"b"},
            "Patient?family:exact=O'Néill-Smith": {"a"},
            "Patient?family:contains=LL-S": {"a"},
            "Patient?family=strasse": {"c"},
            "Patient?name:contains=traß": {"c"},
        },
    )
    refuses(client, {"Patient?family:text=x": "modifier", "Patient?family:below=x": "modifier"})


def test_meta_is_searched_in_every_way(client: Client) -> None:
    tag = {"system": "http://x.org/tags", "code": "t", "display": "Très urgent"}
    profile = "http://x.org/StructureDefinition/plan"
    meta = {"tag": [tag], "profile": [profile + "|2"], "source": "http://x.org/a/b"}
    client.update(given.organisation(id="a", meta=meta))
    client.update(given.organisation(id="b"))
    finds(
        client,
        {
            "Organization?_tag=t": {"a"},
            "Organization?_tag:not=t": {"b"},
            "Organization?_tag:text=tres": {"a"},
            "Organization?_tag:missing=true": {"b"},
            f"Organization?_profile={profile}": {"a"},
            f"Organization?_profile={profile}|2": {"a"},
            f"Organization?_profile={profile}|3": set(),
            "Organization?_profile:below=http://x.org/": {"a"},
            "Organization?_profile:missing=true": {"b"},
            "Organization?_source=http://x.org/a/b": {"a"},
            "Organization?_source:below=http://x.org/a": {"a"},
            "Organization?_security:missing=true": {"a", "b"},
            "Organization?_id:not=a": {"b"},
            "Organization?_lastUpdated:missing=true": set(),
            "?_tag=t": {"a"},
            "?_source:above=http://x.org/a/b/c": {"a"},
        },
    )


def test_a_profile_of_this_server_has_relative_and_absolute_names(client: Client) -> None:
    relative = "StructureDefinition/own"
    client.update(given.organisation(id="a", meta={"profile": [relative]}))
    client.update(
        given.organisation(id="b", meta={"profile": [f"http://localhost/fhir/{relative}"]})
    )

    finds(client, {f"Organization?_profile={relative}": {"a", "b"}})
