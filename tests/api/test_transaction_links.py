"""Links in a transaction (R4 §3.1.0.11.2): full URLs, conditional references, typed spans only."""

from typing import Any

import pytest

from tests import given
from tests.client import Client, expect, outcome


def _answers(client: Client, *entries: given.Resource) -> list[Any]:
    answer = client.post("", given.transaction(*entries), Prefer="return=representation")
    return [entry["resource"] for entry in expect(answer, 200)["entry"]]


def test_urn_uuid_links_lead_to_the_new_ids(client: Client) -> None:
    patient, visit = given.urn(), given.urn()

    mary, encounter, observation = _answers(
        client,
        given.entry(given.patient(), full_url=patient),
        given.entry(given.encounter(patient), full_url=visit),
        given.entry(given.observation(patient, encounter=given.reference(visit))),
    )

    assert observation["subject"]["reference"] == f"Patient/{mary['id']}"
    assert observation["encounter"]["reference"] == f"Encounter/{encounter['id']}"
    assert client.read(f"Observation?patient={mary['id']}&_summary=count")["total"] == 1
    assert client.read(f"Observation?encounter={encounter['id']}&_summary=count")["total"] == 1


def test_links_lead_forward_as_well(client: Client) -> None:
    patient = given.urn()

    observation, mary = _answers(
        client,
        given.entry(given.observation(patient)),
        given.entry(given.patient(), full_url=patient),
    )

    assert observation["subject"]["reference"] == f"Patient/{mary['id']}"


def test_resources_may_refer_to_each_other(client: Client) -> None:
    patient, one, two = given.urn(), given.urn(), given.urn()

    _, first, second = _answers(
        client,
        given.entry(given.patient(), full_url=patient),
        given.entry(given.care_plan(patient, partOf=[given.reference(two)]), full_url=one),
        given.entry(given.care_plan(patient, partOf=[given.reference(one)]), full_url=two),
    )

    assert first["partOf"] == [{"reference": f"CarePlan/{second['id']}"}]
    assert second["partOf"] == [{"reference": f"CarePlan/{first['id']}"}]


def test_absolute_full_urls(client: Client) -> None:
    """The absolute URL, and what is relative to the same server, mean the entry."""
    base = "http://other.example.org/fhir"

    mary, by_url, by_name = _answers(
        client,
        given.entry(given.patient(id="77"), method="POST", full_url=f"{base}/Patient/77"),
        given.entry(given.observation(f"{base}/Patient/77"), full_url=f"{base}/Observation/1"),
        given.entry(given.observation("Patient/77"), full_url=f"{base}/Observation/2"),
    )

    assert mary["id"] != "77"
    assert by_url["subject"]["reference"] == f"Patient/{mary['id']}"
    assert by_name["subject"]["reference"] == f"Patient/{mary['id']}"


def test_a_relative_link_is_one_to_the_server_of_its_entry(client: Client) -> None:
    """R4 bundle, *Resolving references in Bundles*: by the root of the entry's own full url."""
    a, b = "http://a.example.org/fhir", "http://b.example.org/fhir"

    first, second, of_first, of_second = _answers(
        client,
        given.entry(given.patient(gender="male"), full_url=f"{a}/Patient/1"),
        given.entry(given.patient(gender="female"), full_url=f"{b}/Patient/1"),
        given.entry(given.observation("Patient/1"), full_url=f"{a}/Observation/1"),
        given.entry(given.observation("Patient/1"), full_url=f"{b}/Observation/1"),
    )

    assert of_first["subject"]["reference"] == f"Patient/{first['id']}"
    assert of_second["subject"]["reference"] == f"Patient/{second['id']}"
    assert client.read(f"Observation?patient={first['id']}&_summary=count")["total"] == 1


@pytest.mark.parametrize("full_url", [None, "urn:uuid:1", "http://c.example.org/Observation/1"])
def test_a_relative_link_from_elsewhere_leads_into_the_record(
    client: Client, full_url: str | None
) -> None:
    client.put("Patient/mary", given.patient(id="mary"))

    _, observation = _answers(
        client,
        given.entry(given.patient(), full_url="http://a.example.org/fhir/Patient/mary"),
        given.entry(given.observation("Patient/mary"), full_url=full_url),
    )

    assert observation["subject"]["reference"] == "Patient/mary"


@pytest.mark.parametrize(
    ("link", "at"),
    [
        ("urn:uuid:5e3d8e0e-0000-4000-8000-000000000000", "managingOrganization"),
        ("urn:oid:1.2.3", "managingOrganization"),
        ("http://a.example.org/fhir/Organization/1/_history/3", "managingOrganization"),
        ("Organization/1/_history/3", "managingOrganization"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(client: Client, link: str, at: str) -> None:
    base = "http://a.example.org/fhir"
    answer = client.post(
        "",
        given.transaction(
            given.entry(given.organisation(), full_url=f"{base}/Organization/1"),
            given.entry(
                given.patient(managingOrganization=given.reference(link)),
                full_url=f"{base}/Patient/1",
            ),
        ),
    )

    assert answer.status_code == 422
    [issue] = outcome(answer)
    assert link in issue["diagnostics"]
    assert issue["expression"] == [f"Bundle.entry[1].resource.{at}"]


def test_a_version_in_the_record_may_be_linked_to(client: Client) -> None:
    client.put("Patient/mary", given.patient(id="mary"))

    _, observation = _answers(
        client,
        given.entry(given.patient(id="mary"), method="PUT", full_url=given.urn()),
        given.entry(given.observation("Patient/mary/_history/1")),
    )

    assert observation["subject"]["reference"] == "Patient/mary/_history/1"


def test_a_put_keeps_its_id(client: Client) -> None:
    patient = given.urn()

    mary, observation = _answers(
        client,
        given.entry(given.patient(id="mary"), method="PUT", full_url=patient),
        given.entry(given.observation(patient)),
    )

    assert mary["id"] == "mary"
    assert observation["subject"]["reference"] == "Patient/mary"


def test_a_link_to_a_conditional_create_that_matched(client: Client) -> None:
    identifier = [{"system": "urn:x", "value": "7"}]
    found = client.create(given.patient(identifier=identifier))
    patient = given.urn()

    _, observation = _answers(
        client,
        given.entry(
            given.patient(identifier=identifier),
            full_url=patient,
            ifNoneExist="identifier=urn:x|7",
        ),
        given.entry(given.observation(patient)),
    )

    assert observation["subject"]["reference"] == f"Patient/{found['id']}"


def test_a_fragment_and_a_version_behind_a_link(client: Client) -> None:
    patient = given.urn()

    mary, with_part = _answers(
        client,
        given.entry(given.patient(), full_url=patient),
        given.entry(given.care_plan(patient, instantiatesUri=[f"{patient}#part", "urn:uuid:x"])),
    )

    assert with_part["subject"]["reference"] == f"Patient/{mary['id']}"
    assert with_part["instantiatesUri"][1] == "urn:uuid:x"


def test_links_in_narrative_and_attachments(client: Client) -> None:
    patient, picture = given.urn(), given.urn()
    text = {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{patient}">Mary</a>'
        f'<img src="{picture}" alt="{patient}"/>{patient}</div>',
    }
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "text": text,
        "subject": given.reference(patient),
        "content": [{"attachment": {"url": picture, "title": picture}}],
    }

    mary, binary, made = _answers(
        client,
        given.entry(given.patient(), full_url=patient),
        given.entry(given.binary(), full_url=picture),
        given.entry(document),
    )

    div = made["text"]["div"]
    assert f'<a href="Patient/{mary["id"]}">' in div
    assert f'<img src="Binary/{binary["id"]}"' in div
    assert f">{patient}</div>" not in div or f'alt="{patient}"' in div
    assert made["content"][0]["attachment"]["url"] == f"Binary/{binary['id']}"
    assert made["content"][0]["attachment"]["title"] == picture


def test_what_is_no_link_stays(client: Client) -> None:
    patient = given.urn()
    identifier = [{"system": "urn:ietf:rfc:3986", "value": patient}]

    mary, observation = _answers(
        client,
        given.entry(given.patient(identifier=identifier), full_url=patient),
        given.entry(
            given.observation(patient, note=[{"text": f"see {patient}"}], identifier=identifier)
        ),
    )

    assert mary["identifier"] == identifier
    assert observation["identifier"] == identifier
    assert observation["note"] == [{"text": f"see {patient}"}]


def test_links_in_contained_resources_and_extensions(client: Client) -> None:
    patient, doctor = given.urn(), given.urn()
    role = {
        "resourceType": "PractitionerRole",
        "id": "r",
        "practitioner": given.reference(doctor),
    }
    extension = [{"url": "urn:e", "valueReference": given.reference(doctor)}]

    mary, anna, made = _answers(
        client,
        given.entry(given.patient(), full_url=patient),
        given.entry(given.practitioner(), full_url=doctor),
        given.entry(
            given.observation(
                patient, contained=[role], performer=[{"reference": "#r"}], extension=extension
            )
        ),
    )

    wanted = f"Practitioner/{anna['id']}"
    assert made["contained"][0]["practitioner"]["reference"] == wanted
    assert made["extension"][0]["valueReference"]["reference"] == wanted
    assert made["performer"] == [{"reference": "#r"}]
    assert made["subject"]["reference"] == f"Patient/{mary['id']}"


def test_a_bundle_inside_the_bundle_keeps_its_own_links(client: Client) -> None:
    patient = given.urn()
    inner = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": patient, "resource": given.patient()}],
    }

    _, made = _answers(client, given.entry(given.patient(), full_url=patient), given.entry(inner))

    assert made["entry"][0]["resource"]["resourceType"] == "Patient"


def test_conditional_references(client: Client) -> None:
    mary = client.create(given.patient(identifier=[{"system": "urn:x", "value": "a b&c"}]))
    anna = client.create(given.practitioner(identifier=[{"value": "9"}], active=True))

    (made,) = _answers(
        client,
        given.entry(
            given.observation(
                "Patient?identifier=urn:x|a%20b%26c",
                performer=[given.reference("Practitioner?identifier=9&active=true")],
            )
        ),
    )

    assert made["subject"]["reference"] == f"Patient/{mary['id']}"
    assert made["performer"][0]["reference"] == f"Practitioner/{anna['id']}"


def test_a_conditional_reference_to_what_the_bundle_creates(client: Client) -> None:
    mary, made = _answers(
        client,
        given.entry(given.patient(identifier=[{"system": "urn:x", "value": "7"}])),
        given.entry(given.observation("Patient?identifier=urn:x|7")),
    )

    assert made["subject"]["reference"] == f"Patient/{mary['id']}"


@pytest.mark.parametrize("number", [0, 2])
def test_a_conditional_reference_must_match_one(client: Client, number: int) -> None:
    for _ in range(number):
        client.create(given.patient(identifier=[{"system": "urn:x", "value": "7"}]))

    answer = client.post(
        "", given.transaction(given.entry(given.observation("Patient?identifier=urn:x|7")))
    )

    assert answer.status_code == 412
    assert "Patient?identifier=urn:x|7" in outcome(answer)[0]["diagnostics"]
    assert outcome(answer)[0]["expression"][0].startswith("Bundle.entry[0].resource")


def test_a_link_to_a_type_that_is_not_allowed(client: Client) -> None:
    doctor = given.urn()

    answer = client.post(
        "",
        given.transaction(
            given.entry(given.practitioner(), full_url=doctor),
            given.entry(given.observation(doctor)),
        ),
    )

    assert answer.status_code in (400, 422)
    assert outcome(answer)[0]["expression"] == ["Bundle.entry[1].resource.subject"]
    assert client.read("Practitioner?_summary=count")["total"] == 0


def test_a_link_that_leads_nowhere(client: Client) -> None:
    answer = client.post("", given.transaction(given.entry(given.observation(given.urn()))))

    assert answer.status_code in (400, 412, 422), answer.get_data(as_text=True)
    assert client.read("Observation?_summary=count")["total"] == 0


@pytest.mark.parametrize("full_url", ["urn:uuid:1", "urn:oid:1.2.3", "urn:x:y"])
def test_other_full_urls(client: Client, full_url: str) -> None:
    answer = client.post(
        "",
        given.transaction(
            given.entry(given.patient(), full_url=full_url),
            given.entry(given.observation(full_url)),
        ),
        Prefer="return=representation",
    )

    assert answer.status_code in (200, 400), answer.get_data(as_text=True)
    if answer.status_code == 200:
        mary, made = (entry["resource"] for entry in answer.json["entry"])
        assert made["subject"]["reference"] == f"Patient/{mary['id']}"


def test_a_full_url_twice_is_refused(client: Client) -> None:
    url = given.urn()

    answer = client.post(
        "",
        given.transaction(
            given.entry(given.patient(), full_url=url), given.entry(given.patient(), full_url=url)
        ),
    )

    assert answer.status_code == 400
