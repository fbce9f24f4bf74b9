"""What a request says and its interaction does not heed is refused, not passed over."""

from typing import Any

import pytest

from tests import given
from tests.client import Client, outcome

PATCH = "application/json-patch+json"
MARY = given.patient(id="mary")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "metadata?nonsense=1", None),
        ("GET", "Patient/mary?_since=2024", None),
        ("GET", "Patient/mary/_history/1?_count=1", None),
        ("GET", "OperationDefinition/care-everything?nonsense=1", None),
        ("POST", "Patient?identifier=urn:x|1", given.patient()),
        ("PUT", "Patient/mary?identifier=urn:x|1", MARY),
        ("PATCH", "Patient/mary?gender=male", []),
        ("DELETE", "Patient/mary?gender=male", None),
        ("POST", "?nonsense=1", given.batch(given.entry(given.patient()))),
        ("POST", "?gender=male", given.transaction(given.entry(given.patient()))),
    ],
)
def test_parameters_that_nobody_would_heed(
    client: Client, method: str, path: str, body: Any
) -> None:
    client.update(MARY)
    kind = PATCH if method == "PATCH" else "application/fhir+json"

    answer = client.request(method, path, body, content_type=kind)

    name = path.partition("?")[2].partition("=")[0]
    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == [name]
    assert outcome(answer)[0]["diagnostics"].startswith(f"`{name}` ")
    lenient = {"Prefer": "handling=lenient"}
    again = client.request(method, path, body, content_type=kind, headers=lenient)
    assert again.status_code < 300


def test_a_write_passes_over_what_means_nothing(client: Client) -> None:
    assert client.post("Patient?nonsense=1", given.patient()).status_code == 201
    assert client.put("Patient/mary?_unknown=1", MARY).status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "metadata?mode=full&mode=normative",
        "metadata?_summary=true&_summary=false",
        "Patient/mary?_summary=true&_summary=text",
        "Patient/mary/$everything?_summary=true&_summary=text",
        "Patient/mary?_pretty=true&_pretty=false",
        "Patient/mary?_format=json&_format=xml",
        "metadata?_summary=count",
        "Patient/mary/$everything?_summary=count",
    ],
)
def test_what_can_not_be_meant(client: Client, path: str) -> None:
    client.update(MARY)

    assert client.get(path).status_code in (400, 406)
    assert client.get(path, Prefer="handling=lenient").status_code in (400, 406)


def test_parameters_of_entries(client: Client) -> None:
    client.update(MARY)
    entry = given.entry(MARY, method="PUT", url="Patient/mary?gender=male")

    answer = client.post("", given.transaction(given.practitioner(), entry))

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == ["Bundle.entry[1]"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_none_exist_is_for_creates(client: Client, method: str) -> None:
    client.update(MARY)
    body: Any = {"PUT": MARY, "PATCH": [], "DELETE": None}[method]
    kind = PATCH if method == "PATCH" else "application/fhir+json"

    answer = client.request(
        method,
        "Patient/mary",
        body,
        content_type=kind,
        headers={"If-None-Exist": "identifier=urn:x|1"},
    )

    assert answer.status_code == 400
    assert "If-None-Exist" in outcome(answer)[0]["diagnostics"]
    assert client.read("Patient/mary")["meta"]["versionId"] == "1"


def test_if_none_exist_of_another_entry(client: Client) -> None:
    entry = given.entry(MARY, method="PUT", ifNoneExist="identifier=urn:x|1")

    answer = client.post("", given.transaction(entry))

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == ["Bundle.entry[0]"]


def test_if_match_holds_for_reads(client: Client) -> None:
    client.update(MARY)

    for path in ("Patient/mary", "Patient/mary/_history/1"):
        assert client.get(path, If_Match='W/"1"').status_code == 200
        assert client.get(path, If_Match="*").status_code == 200
        assert client.get(path, If_Match='W/"2"').status_code == 412


def test_a_search_by_post_in_a_batch_shows_what_it_found(client: Client) -> None:
    client.update(MARY)

    answer = client.transact(
        given.batch(given.entry(url="Patient/_search?_id=mary", method="POST"))
    )

    assert answer["entry"][0]["resource"]["entry"][0]["resource"]["id"] == "mary"


@pytest.mark.parametrize("context", ["", " ", "\xe4"])
def test_a_security_context_that_says_nothing_is_refused(client: Client, context: str) -> None:
    headers = {"X-Security-Context": context}

    answer = client.request("POST", "Binary", b"x", content_type="text/plain", headers=headers)

    assert answer.status_code == 400
    assert client.read("Binary?_summary=count")["total"] == 0


def test_options_names_the_patches_that_are_taken(client: Client) -> None:
    for path in ("Patient/mary", "Patient"):
        assert PATCH in client.request("OPTIONS", path).headers["Accept-Patch"]
    assert "Accept-Patch" not in client.request("OPTIONS", "metadata").headers


@pytest.mark.parametrize(
    "condition",
    ["Patient?identifier=urn:x|1", "http://localhost/fhir/Patient?identifier=urn:x|1"],
)
def test_the_address_does_not_belong_into_if_none_exist(client: Client, condition: str) -> None:
    alone = client.post("Patient", given.patient(), If_None_Exist=condition)
    entry = given.entry(given.patient(), ifNoneExist=condition)
    bundled = client.post("", given.transaction(entry))

    for answer in (alone, bundled):
        assert answer.status_code == 400
        told = outcome(answer)[0]["diagnostics"]
        assert "what follows `?`" in told
        assert "`identifier=urn:x|1`" in told


def test_a_question_mark_in_a_value_is_no_address(client: Client) -> None:
    answer = client.post("Patient", given.patient(), If_None_Exist="identifier=urn:x|who?me=1")

    assert answer.status_code == 201


@pytest.mark.parametrize("id", [".", ".."])
def test_an_id_that_addresses_lose_is_refused(client: Client, id: str) -> None:
    alone = client.put(f"Patient/{id.replace('.', '%2E')}", given.patient(id=id))
    entry = given.entry(given.patient(id=id), method="PUT", url=f"Patient/{id}")
    bundled = client.post("", given.transaction(entry))

    for answer in (alone, bundled):
        assert answer.status_code == 400
        assert "dot" in outcome(answer)[0]["diagnostics"]
