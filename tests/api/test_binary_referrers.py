"""An unfiled Binary is read by who sees a current resource that refers to it.

ehr/README.md, *Large bodies*: "without one, by a visible resource that refers to it". It is written
by its own organisation and by systems that act for none.
"""

from collections.abc import Callable
from typing import Any

import pytest

from ehr.bulk.checking import deep_check
from ehr.record import Record
from ehr.store import blobs
from tests import given
from tests.client import Client

OWN = "https://record.example.org/fhir"
SCAN = b"a scan"
LARGE = b"x" * (blobs.INLINE + 1)
JSON = "application/fhir+json"


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_BASE_URL": OWN}


@pytest.fixture(autouse=True)
def one(client_of: Callable[..., Client]) -> Client:
    """The organisation that has a scan which nothing refers to yet."""
    one = client_of("Organization/one")
    one.update(given.patient(id="mary"))
    _put(one, SCAN)
    return one


@pytest.fixture
def other(client_of: Callable[..., Client]) -> Client:
    return client_of("Organization/other")


def _put(who: Client, content: bytes, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = who.request("PUT", "Binary/b", content, content_type="text/plain", headers=named)
    return answer.status_code


def _document(url: str = "Binary/b", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "subject": given.reference("Patient/mary"),
        "content": [{"attachment": {"url": url}}],
        **more,
    }


def _unfiled(**more: Any) -> dict[str, Any]:
    """Return what is filed under no patient and refers to the scan."""
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    return group | {"extension": [{"url": "urn:x", "valueReference": given.reference("Binary/b")}]}


# Each way to read, and what it gives who may and who may not.
def _found(client: Client, path: str) -> int:
    entries = client.read(path).get("entry", [])
    return 200 if any("Binary/b" in entry["fullUrl"] for entry in entries) else 404


WAYS: dict[str, Callable[[Client], int]] = {
    "read": lambda c: c.get("Binary/b").status_code,
    "read-resource": lambda c: c.get("Binary/b", Accept=JSON).status_code,
    "vread": lambda c: c.get("Binary/b/_history/1").status_code,
    "history": lambda c: c.get("Binary/b/_history").status_code,
    "meta": lambda c: c.get("Binary/b/$meta").status_code,
    "history-type": lambda c: _found(c, "Binary/_history"),
    "history-system": lambda c: _found(c, "_history?_count=100"),
    "search": lambda c: _found(c, "Binary?_id=b"),
    "search-counted": lambda c: {1: 200, 0: 404}[c.read("Binary?_summary=count")["total"]],
    "search-system": lambda c: _found(c, "?_id=b&_type=Binary,Patient"),
    "everything": lambda c: _found(c, "Patient/mary/$everything"),
}


def _seen(client: Client) -> set[int]:
    return {way(client) for name, way in WAYS.items() if name != "everything"}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_referrer_opens_it(one: Client, other: Client, way: Callable[[Client], int]) -> None:
    assert way(other) == 404
    one.update(_document())

    assert way(other) == 200
    one.delete("DocumentReference/d")
    assert way(other) == 404
    assert one.get("Binary/b").data == SCAN


def test_operators_see_it_through_patients_too(
    one: Client, client_of: Callable[..., Client]
) -> None:
    operator = client_of(kind="operator")
    assert _seen(operator) == {404}
    one.update(_document())

    assert _seen(operator) == {200}


def test_large_content_is_opened_as_a_whole(one: Client, other: Client) -> None:
    _put(one, LARGE)
    one.update(_document())

    assert other.get("Binary/b").data == LARGE
    assert other.get("Binary/b", Range="bytes=0-1").status_code == 206
    assert other.get("Binary/b/_history/1").data == SCAN


OPENING: dict[str, dict[str, Any]] = {
    "relative": _document("Binary/b"),
    "absolute": _document(f"{OWN}/Binary/b"),
    "version": _document("Binary/b/_history/1"),
    "reference": _document("urn:x", context={"related": [given.reference("Binary/b")]}),
    "extension": _document("urn:x")
    | {"extension": [{"url": "urn:y", "valueAttachment": {"url": "Binary/b"}}]},
    "contained": given.observation(
        "Patient/mary",
        id="d",
        contained=[_document() | {"id": "c"}],
        derivedFrom=[{"reference": "#c"}],
    ),
}


@pytest.mark.parametrize("referrer", OPENING.values(), ids=OPENING)
def test_whatever_the_reference_is(one: Client, other: Client, referrer: dict[str, Any]) -> None:
    one.update(referrer)

    assert _seen(other) == {200}


NAMING: dict[str, dict[str, Any]] = {
    "elsewhere": _document("https://other.example.org/fhir/Binary/b"),
    "below-another-path": _document(f"{OWN}/more/Binary/b"),
    "another-scheme": _document("ftp://record.example.org/fhir/Binary/b"),
    "another-id": _document("Binary/b2"),
    "another-case": _document("Binary/B"),
    "a-query": _document("Binary/b?x=1"),
    "title": _document("urn:x", description="Binary/b")
    | {"content": [{"attachment": {"title": "Binary/b"}}]},
    "identifier": _document("urn:x", masterIdentifier={"system": "Binary/b", "value": "Binary/b"}),
    "narrative": _document(
        "urn:x",
        text={
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><a href="Binary/b">b</a></div>',
        },
    ),
    "uri": _document("urn:x", implicitRules="Binary/b"),
    "url-in-an-extension": _document(
        "urn:x", extension=[{"url": "Binary/b", "valueUrl": "Binary/b"}]
    ),
}


@pytest.mark.parametrize("naming", NAMING.values(), ids=NAMING)
def test_what_only_names_it_opens_nothing(
    client: Client, one: Client, other: Client, naming: dict[str, Any]
) -> None:
    """Written by who sees everything: others refer only to what is there."""
    client.update(naming)

    assert _seen(other) == {404}


def test_an_old_version_of_a_referrer_opens_nothing(one: Client, other: Client) -> None:
    one.update(_document())
    one.update(_document("urn:x"))

    assert other.get("DocumentReference/d/_history/1").status_code == 200
    assert _seen(other) == {404}


def test_an_unfiled_referrer_opens_it_to_its_own_organisation_only(
    one: Client, other: Client, client: Client
) -> None:
    one.update(_unfiled())
    assert _seen(other) == {404}

    client.update(_unfiled() | {"id": "h"})  # of nobody
    assert _seen(other) == {404}
    assert _seen(client) == _seen(one) == {200}


def test_filing_a_referrer_opens_it(one: Client, other: Client, record: Record) -> None:
    one.update(_document(subject={"display": "somebody"}))
    assert _seen(other) == {404}

    one.update(_document())

    assert _seen(other) == {200}
    assert deep_check.check(record, lambda _steps, _versions: None).is_sound


@pytest.mark.parametrize(
    "context", [given.reference("Group/g"), {"display": "the board"}], ids=["group", "display"]
)
def test_a_security_context_has_the_last_word(
    one: Client, other: Client, context: dict[str, Any]
) -> None:
    one.update(_document())
    one.update(
        {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": "YQ=="}
        | {"securityContext": context}
    )

    assert _seen(other) == {404}


WRITES: dict[str, Callable[[Client], Any]] = {
    "raw": lambda c: c.request("PUT", "Binary/b", b"new", content_type="text/plain"),
    "put": lambda c: c.put(
        "Binary/b", {"resourceType": "Binary", "id": "b", "contentType": "text/plain"}
    ),
    "patch": lambda c: c.patch(
        "Binary/b", {"contentType": "text/html"}, "application/merge-patch+json"
    ),
    "delete": lambda c: c.delete("Binary/b"),
    "delete-in-bundle": lambda c: c.post(
        "", given.transaction(given.entry(method="DELETE", url="Binary/b"))
    ),
    "conditional-delete": lambda c: c.delete("Binary?_id=b"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_reads_it_through_a_referrer_does_not_write_it(
    one: Client, other: Client, write: Callable[[Client], Any]
) -> None:
    one.update(_document())

    assert write(other).status_code == 403
    assert one.get("Binary/b").data == SCAN


def test_a_system_of_no_organisation_writes_it(one: Client, client: Client) -> None:
    one.update(_document())

    assert _put(client, b"new") == 200
    assert one.get("Binary/b").data == b"new"


@pytest.mark.parametrize("referrer", OPENING.values(), ids=OPENING)
def test_nobody_opens_what_they_do_not_see(
    one: Client, other: Client, referrer: dict[str, Any]
) -> None:
    assert other.put(f"{referrer['resourceType']}/d", referrer).status_code == 422
    assert other.post(referrer["resourceType"], referrer).status_code == 422
    other.update(_document("urn:x"))
    replaced = [{"op": "replace", "path": "/content/0/attachment/url", "value": "Binary/b"}]
    assert other.patch("DocumentReference/d", replaced).status_code == 422

    assert _seen(other) == {404}


def test_who_reads_it_may_refer_to_it_too(one: Client, other: Client) -> None:
    one.update(_document())

    other.update(_document(description="seen"))
    other.update(_document() | {"id": "e"})

    assert _seen(other) == {200}


def test_reading_it_costs_no_statement_more(
    one: Client, other: Client, statements: Callable[[], Any]
) -> None:
    one.update(_document())
    for _ in range(2):
        with statements() as own:
            one.get("Binary/b")
        with statements() as opened:
            other.get("Binary/b")

    assert len(opened) == len(own)


def test_a_binary_that_comes_after_its_referrer(
    client: Client, one: Client, other: Client, record: Record
) -> None:
    assert one.put("DocumentReference/d", _document("Binary/later")).status_code == 422
    client.update(_document("Binary/later"))
    one.update({"resourceType": "Binary", "id": "later", "contentType": "text/plain"})

    assert other.get("Binary/later").status_code == 200
    assert deep_check.check(record, lambda _steps, _versions: None).is_sound


def test_referring_to_ones_own_costs_one_statement_more(
    one: Client, client: Client, statements: Callable[[], Any]
) -> None:
    counts = []
    for who, url in ((one, "urn:x"), (one, "Binary/b"), (client, "urn:x"), (client, "Binary/b")):
        who.create(_document(url))  # what is done once is done
        with statements() as seen:
            who.create(_document(url))
        counts.append(len(seen))

    assert counts[1] == counts[0] + 1
    assert counts[3] == counts[2]
