"""batch (R4 §3.1.0.11.1): each entry by itself, answered in its place."""

from collections.abc import Callable

import pytest

from tests import given
from tests.client import Client, expect


def _statuses(bundle: given.Resource) -> list[str]:
    return [entry["response"]["status"][:3] for entry in bundle["entry"]]


def test_entries_are_answered_in_their_places(client: Client) -> None:
    client.update(given.patient(id="mary"))

    answer = client.transact(
        given.batch(
            given.entry(given.patient()),
            given.entry(method="GET", url="Patient/mary"),
            given.entry(given.patient(id="anna"), method="PUT"),
            given.entry(method="DELETE", url="Patient/mary"),
            given.entry(method="GET", url="Patient/nobody"),
            given.entry(method="GET", url="Patient?_id=anna"),
        )
    )

    assert answer["type"] == "batch-response"
    assert _statuses(answer) == ["201", "200", "201", "204", "404", "200"]
    assert answer["entry"][1]["resource"]["id"] == "mary"
    assert answer["entry"][4]["response"]["outcome"]["issue"][0]["code"] == "not-found"
    assert answer["entry"][5]["resource"]["type"] == "searchset"


def test_one_that_fails_leaves_the_others(client: Client) -> None:
    answer = client.transact(
        given.batch(
            given.entry(given.patient(gender="F")),
            given.entry(given.patient()),
            given.entry(given.observation("Patient/nobody")),
            given.entry(method="GET", url="Nothing/1"),
            given.entry(method="POST", url="$fly"),
        )
    )

    assert _statuses(answer) == ["400", "201", "422", "404", "404"]
    assert client.read("Patient?_summary=count")["total"] == 1
    for place in (0, 2, 3, 4):
        assert answer["entry"][place]["response"]["outcome"]["issue"]


def test_each_entry_has_its_own_conditions(client: Client) -> None:
    entry = given.entry(
        given.patient(identifier=[{"system": "urn:x", "value": "7"}]),
        ifNoneExist="identifier=urn:x|7",
    )

    answer = client.transact(given.batch(entry, entry))

    assert _statuses(answer) == ["201", "200"]
    first, second = answer["entry"]
    assert first["response"]["location"] == second["response"]["location"]


def test_if_match_and_if_none_match(client: Client) -> None:
    client.update(given.patient(id="mary"))

    answer = client.transact(
        given.batch(
            given.entry(given.patient(id="mary", gender="male"), method="PUT", ifMatch='W/"4"'),
            given.entry(method="GET", url="Patient/mary", ifNoneMatch='W/"1"'),
            given.entry(given.patient(id="mary", gender="male"), method="PUT", ifMatch='W/"1"'),
        )
    )

    assert _statuses(answer) == ["412", "304", "200"]


def test_a_link_to_another_entry_is_not_followed(client: Client) -> None:
    urn = given.urn()

    answer = client.transact(
        given.batch(given.entry(given.patient(), full_url=urn), given.entry(given.observation(urn)))
    )

    assert _statuses(answer)[0] == "201"
    assert client.read("Observation?subject:missing=false&_summary=count")["total"] == 0 or (
        _statuses(answer)[1] == "201"
    )


def test_histories_and_versions_may_be_asked(client: Client) -> None:
    client.update(given.patient(id="mary"))

    answer = client.transact(
        given.batch(
            given.entry(method="GET", url="Patient/mary/_history/1"),
            given.entry(method="GET", url="Patient/mary/_history"),
            given.entry(method="GET", url="_history?_count=1"),
            given.entry(method="HEAD", url="Patient/mary"),
        )
    )

    assert _statuses(answer) == ["200"] * 4
    assert answer["entry"][1]["resource"]["type"] == "history"


def test_an_empty_batch(client: Client) -> None:
    answer = client.transact({"resourceType": "Bundle", "type": "batch"})

    assert answer["type"] == "batch-response"
    assert "entry" not in answer


def test_a_batch_in_a_batch_is_refused(client: Client) -> None:
    inner = given.batch(given.entry(method="GET", url="Patient"))

    answer = client.transact(given.batch(given.entry(inner, method="POST", url="/")))

    assert _statuses(answer)[0] == "400"


def test_a_patch_in_a_binary(client: Client) -> None:
    client.update(given.patient(id="mary"))
    patch = given.binary(
        "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9nZW5kZXIiLCJ2YWx1ZSI6Im1hbGUifV0=",
        "application/json-patch+json",
    )

    answer = client.transact(given.batch(given.entry(patch, method="PATCH", url="Patient/mary")))

    assert _statuses(answer) == ["200"]
    assert client.read("Patient/mary")["gender"] == "male"


def test_minimal_answers(client: Client) -> None:
    bundle = given.batch(given.entry(given.patient()))

    answer = expect(client.post("", bundle, Prefer="return=minimal"), 200)

    assert "resource" not in answer["entry"][0]
    assert answer["entry"][0]["response"]["location"]


def test_a_patch_that_can_not_be_read_leaves_the_others(client: Client) -> None:
    client.update(given.patient(id="mary"))
    patch = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": "bm90IEpTT04=",
    }

    answer = client.transact(
        given.batch(
            given.entry(given.patient()), given.entry(patch, method="PATCH", url="Patient/mary")
        )
    )

    assert _statuses(answer) == ["201", "400"]


def test_an_entry_sees_only_the_part_that_it_asks_for(client: Client) -> None:
    client.update(given.patient(id="mary", active=True, gender="female"))
    reads = [
        given.entry(method="GET", url="Patient/mary?_elements=active"),
        given.entry(method="GET", url="Patient?_id=mary&_elements=active"),
        given.entry(method="GET", url="Patient/mary?_elements=nothing"),
    ]

    one, several, wrong = client.transact(given.batch(*reads))["entry"]
    inside = client.transact(given.transaction(*reads[:2]))["entry"]

    for read, found in ((one, several), tuple(inside)):
        for part in (read["resource"], found["resource"]["entry"][0]["resource"]):
            assert part["active"] is True
            assert "gender" not in part
            assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert wrong["response"]["status"][:3] == "400"


READABLE = (
    "metadata",
    "metadata?mode=terminology",
    "Patient/mary",
    "Patient/mary/_history/1",
    "Patient/mary/_history",
    "Patient/_history",
    "_history",
    "Patient?_id=mary",
    "?_type=Patient",
    "Patient/mary/*",
    "Patient/mary/Observation?code=1",
    "Patient/mary/$everything?_format=json&_pretty=true",
    "$meta",
    "Patient/$meta",
    "Patient/mary/$meta",
    "Patient/mary/$validate",
)


@pytest.mark.parametrize("kind", [given.batch, given.transaction], ids=["batch", "transaction"])
def test_whatever_can_be_read_can_be_read_in_a_bundle(
    client: Client, kind: Callable[..., given.Resource]
) -> None:
    client.update(given.patient(id="mary"))

    answer = client.transact(kind(*[given.entry(method="GET", url=url) for url in READABLE]))

    assert set(_statuses(answer)) == {"200"}
    for url, entry in zip(READABLE, answer["entry"], strict=True):
        alone = client.read(url)
        assert entry["resource"]["resourceType"] == alone["resourceType"], url
    assert answer["entry"][0]["resource"] == client.read("metadata")


@pytest.mark.parametrize("kind", [given.batch, given.transaction], ids=["batch", "transaction"])
def test_head_answers_without_the_resource(
    client: Client, kind: Callable[..., given.Resource]
) -> None:
    client.update(given.patient(id="mary"))
    some = [given.entry(method="HEAD", url=url) for url in READABLE]

    answer = expect(client.post("", kind(*some), Prefer="return=representation"), 200)

    assert set(_statuses(answer)) == {"200"}
    assert not any("resource" in entry for entry in answer["entry"])
    assert answer["entry"][2]["response"]["etag"] == 'W/"1"'


def test_a_search_by_post_with_a_body_is_refused(client: Client) -> None:
    body = {"resourceType": "Parameters"}

    answer = client.transact(given.batch(given.entry(body, url="Patient/_search?_id=mary")))

    assert _statuses(answer) == ["400"]
