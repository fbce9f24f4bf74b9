"""history (R4 §3.1.0.12): three levels, `_since`, `_at`, `_count`, pages, and polling."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from tests import given
from tests.client import Client, expect, outcome


def _walk(client: Client, path: str) -> list[dict[str, Any]]:
    """Follow the pages and return all entries."""
    entries: list[dict[str, Any]] = []
    while True:
        page = client.read(path)
        entries += page.get("entry", [])
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        if not following:
            return entries
        path = following[0].partition("/fhir/")[2]


def _named(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (entry["fullUrl"].rpartition("/fhir/")[2], entry["response"]["etag"]) for entry in entries
    ]


def test_a_history_of_a_resource(client: Client) -> None:
    client.update(given.patient(id="mary"))
    client.patch("Patient/mary", [{"op": "remove", "path": "/gender"}])
    client.delete("Patient/mary")
    client.update(given.patient(id="mary"))
    client.create(given.patient())

    bundle = client.read("Patient/mary/_history")

    asked = [entry["request"]["method"] for entry in bundle["entry"]]
    answered = [entry["response"]["status"][:3] for entry in bundle["entry"]]
    assert (bundle["type"], bundle["total"]) == ("history", 4)
    assert asked == ["PUT", "DELETE", "PATCH", "PUT"]
    assert answered == ["201", "204", "200", "201"]
    assert ["resource" in entry for entry in bundle["entry"]] == [True, False, True, True]
    assert [entry["response"]["etag"] for entry in bundle["entry"]] == [
        f'W/"{number}"' for number in (4, 3, 2, 1)
    ]
    assert all(entry["fullUrl"].endswith("/fhir/Patient/mary") for entry in bundle["entry"])
    assert bundle["entry"][0]["request"]["url"] == "Patient/mary"


def test_a_created_one_tells_post(client: Client) -> None:
    made = client.create(given.patient())

    (entry,) = client.read(f"Patient/{made['id']}/_history")["entry"]

    assert entry["request"] == {"method": "POST", "url": "Patient"}
    assert entry["resource"] == made


def test_a_deleted_resource_keeps_its_history(client: Client) -> None:
    made = client.create(given.patient())
    client.delete(f"Patient/{made['id']}")

    assert client.read(f"Patient/{made['id']}/_history")["total"] == 2


def test_no_history_of_what_never_was(client: Client) -> None:
    assert client.get("Patient/nobody/_history").status_code == 404


def test_type_and_system_level(client: Client) -> None:
    mary = client.create(given.patient())
    client.create(given.observation(mary))
    client.delete(f"Patient/{client.create(given.patient())['id']}")

    of_type = client.read("Patient/_history")["entry"]
    everything = client.read("_history")["entry"]

    assert [entry["request"]["method"] for entry in of_type] == ["DELETE", "POST", "POST"]
    assert len(everything) == 4
    assert [entry["response"]["lastModified"] for entry in everything] == sorted(
        (entry["response"]["lastModified"] for entry in everything), reverse=True
    )


@pytest.mark.parametrize("level", ["Patient/mary/_history", "Patient/_history", "_history"])
def test_pages_have_each_version_once(client: Client, level: str) -> None:
    for number in range(7):
        client.update(given.patient(id="mary", multipleBirthInteger=number + 1))

    pages = _walk(client, f"{level}?_count=3")

    assert _named(pages) == [("Patient/mary", f'W/"{number}"') for number in range(7, 0, -1)]


def test_a_walk_does_not_see_what_comes_after_its_first_page(client: Client) -> None:
    for number in range(4):
        client.update(given.patient(id=f"p{number}"))
    first = client.read("_history?_count=2")
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    client.update(given.patient(id="late"))

    second = client.read(following.partition("/fhir/")[2])

    assert _named(first["entry"] + second["entry"]) == [
        (f"Patient/p{number}", 'W/"1"') for number in (3, 2, 1, 0)
    ]


def test_count_zero_counts(client: Client) -> None:
    client.create(given.patient())

    bundle = client.read("Patient/_history?_count=0")

    assert bundle["total"] == 1
    assert "entry" not in bundle


def test_since_a_moment(client: Client) -> None:
    client.update(given.patient(id="a"))
    time.sleep(0.02)
    second = client.update(given.patient(id="b"))
    moment = second["meta"]["lastUpdated"]

    entries = client.read(f"Patient/_history?_since={quote(moment)}")["entry"]

    assert _named(entries) == [("Patient/b", 'W/"1"')]
    assert client.read("Patient/_history?_since=2999-01-01").get("entry", []) == []
    assert len(client.read("Patient/_history?_since=2001")["entry"]) == 2


def test_since_takes_other_time_zones(client: Client) -> None:
    client.update(given.patient(id="a"))

    assert client.read("Patient/_history?_since=2020-01-01T00:00:00%2B05:30")["entry"]


def test_at_gives_what_was_in_force(client: Client) -> None:
    moments = []
    for number in range(3):
        made = client.update(given.patient(id="mary", multipleBirthInteger=number + 1))
        moments.append(made["meta"]["lastUpdated"])
        time.sleep(0.02)

    second = client.read(f"Patient/mary/_history?_at={quote(moments[1])}")
    ever = client.read("Patient/mary/_history?_at=" + moments[0][:4])
    before = client.read("Patient/mary/_history?_at=2001-01-01")

    assert _named(second["entry"]) == [("Patient/mary", 'W/"2"')]
    assert len(ever["entry"]) == 3
    assert before.get("entry", []) == []


@pytest.mark.parametrize(
    "query",
    ["_since=yesterday", "_since=2020-13-01", "_since=", "_at=x", "_count=-1", "_count=many",
     "_cursor=abc", "colour=red", "_count=1&_count=2", "_since=2020-01-01T25:00:00Z",
     "_count=99999999999999999999", "_since=0000", "_at=9999-12-31"],
)  # fmt: skip
def test_odd_parameters_never_fail(client: Client, query: str) -> None:
    client.create(given.patient())

    answer = client.get(f"Patient/_history?{query}")

    assert answer.status_code in (200, 400), answer.data
    if answer.status_code == 400:
        assert outcome(answer)[0]["diagnostics"]


def test_a_cursor_belongs_to_its_walk(client: Client) -> None:
    for number in range(3):
        client.update(given.patient(id=f"p{number}"))
    first = client.read("Patient/_history?_count=1")
    cursor = next(link["url"] for link in first["link"] if link["relation"] == "next")
    text = cursor.partition("_cursor=")[2]

    assert client.get(f"_history?_count=1&_cursor={text}").status_code in (400, 410)
    assert client.get(f"Patient/_history?_count=1&_cursor={text[:-2]}AA").status_code in (400, 410)


def test_polling_never_misses_a_change(client: Client) -> None:
    done = threading.Event()

    def write(_: int) -> list[str]:
        each = Client(client.flask.application.test_client(), client.token)
        return [expect(each.post("Patient", given.patient()), 201)["id"] for _ in range(12)]

    def poll() -> set[str]:
        each = Client(client.flask.application.test_client(), client.token)
        seen: set[str] = set()
        since = "2001-01-01T00:00:00Z"
        while True:
            is_last = done.is_set()
            first = each.read(f"_history?_count=5&_since={quote(since)}")
            entries = list(first.get("entry", []))
            for link in first["link"]:
                if link["relation"] == "next":
                    entries += _walk(each, link["url"].partition("/fhir/")[2])
            seen.update(entry["resource"]["id"] for entry in entries)
            since = first["meta"]["lastUpdated"]
            if is_last:
                return seen

    with ThreadPoolExecutor(6) as pool:
        poller = pool.submit(poll)
        made = {id for some in pool.map(write, range(4)) for id in some}
        done.set()
        seen = poller.result()

    assert seen == made
