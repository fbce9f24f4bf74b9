"""Binary: raw content and resources, in and out, small and large, and what becomes of orphans."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Table, func, select

from ehr.interactions import binary, targets
from ehr.store import blobs
from ehr.store.tables import blob, blob_chunk
from fhir_profiles import xml_format
from tests import given
from tests.client import Client, expect, outcome

if TYPE_CHECKING:
    from ehr.record import Record

JSON = "application/fhir+json"
XML = "application/fhir+xml"
SMALL = b"%PDF-1.7 \x00\xff small"
LARGE = bytes(range(256)) * 2600 + b"end"  # 650 KiB: three chunks
SIZES = [
    pytest.param(b"", id="empty"),
    pytest.param(SMALL, id="small"),
    pytest.param(b"x" * blobs.INLINE, id="largest-inline"),
    pytest.param(b"x" * (blobs.INLINE + 1), id="smallest-staged"),
    pytest.param(LARGE, id="large"),
]


def raw(client: Client, content: bytes, path: str = "Binary", **headers: str) -> str:
    """Send raw content and return the id of its Binary."""
    method = "POST" if path == "Binary" else "PUT"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.request(method, path, content, headers=named, content_type="application/pdf")
    assert answer.status_code in (200, 201), answer.data[:500]
    return answer.headers["Location"].split("/Binary/")[1].split("/")[0]


@pytest.mark.parametrize("content", SIZES)
def test_raw_content_comes_back_as_it_went_in(client: Client, content: bytes) -> None:
    id = raw(client, content)

    answer = client.get(f"Binary/{id}")

    assert answer.status_code == 200
    assert answer.data == content
    assert answer.content_type == "application/pdf"
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("content", SIZES)
def test_raw_content_is_a_resource_to_who_asks_for_one(client: Client, content: bytes) -> None:
    id = raw(client, content)

    as_json = expect(client.get(f"Binary/{id}", Accept=JSON), 200)
    as_xml = xml_format.parse(client.get(f"Binary/{id}?_format=xml").data)

    assert as_json["contentType"] == "application/pdf"
    assert base64.b64decode(as_json.get("data", "")) == content
    assert as_json == as_xml


@pytest.mark.parametrize("content", SIZES)
@pytest.mark.parametrize("format", [JSON, XML])
def test_a_resource_comes_back_whole_and_as_content(
    client: Client, content: bytes, format: str
) -> None:
    sent = given.binary(base64.b64encode(content).decode(), "image/png; x=1")
    if not content:
        del sent["data"]
    body = xml_format.serialise(sent) if format == XML else json.dumps(sent)

    answer = client.request("POST", "Binary", body, content_type=format, headers={"Accept": JSON})

    made = expect(answer, 201)
    read = expect(client.get(f"Binary/{made['id']}", Accept=JSON), 200)
    assert read == made
    assert {name: made[name] for name in sent} == sent
    as_content = client.get(f"Binary/{made['id']}", Accept="image/png")
    assert (as_content.data, as_content.content_type) == (content, "image/png; x=1")


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    ("header", "first", "last"),
    [("bytes=0-3", 0, 3), ("bytes=5-", 5, None), ("bytes=-4", -4, None)],
    ids=["first", "rest", "end"],
)
def test_a_range(client: Client, content: bytes, header: str, first: int, last: int | None) -> None:
    id = raw(client, content)

    answer = client.get(f"Binary/{id}", Range=header)

    assert answer.status_code == 206
    assert answer.data == content[first : None if last is None else last + 1]
    assert client.get(f"Binary/{id}", Range="bytes=999999999-").status_code == 416


def test_a_range_across_chunks(client: Client) -> None:
    id = raw(client, LARGE)

    answer = client.get(f"Binary/{id}", Range="bytes=262140-524300")

    assert answer.data == LARGE[262140:524301]
    assert answer.headers["Content-Range"] == f"bytes 262140-524300/{len(LARGE)}"


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_every_version_keeps_its_content(client: Client, content: bytes) -> None:
    id = raw(client, content)

    raw(client, content[::-1], f"Binary/{id}")
    client.delete(f"Binary/{id}")

    assert client.get(f"Binary/{id}").status_code == 410
    assert client.get(f"Binary/{id}/_history/1").data == content
    assert client.get(f"Binary/{id}/_history/2").data == content[::-1]
    older = expect(client.get(f"Binary/{id}/_history/1", Accept=JSON), 200)
    assert base64.b64decode(older["data"]) == content


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_the_same_content_again_makes_no_version(
    client: Client, record: "Record", content: bytes
) -> None:
    id = raw(client, content)

    raw(client, content, f"Binary/{id}")

    assert client.get(f"Binary/{id}").headers["ETag"] == 'W/"1"'
    assert _count(record, blob) == (1 if content == LARGE else 0)


def test_conditions(client: Client) -> None:
    id = raw(client, LARGE)

    assert client.get(f"Binary/{id}", If_None_Match='W/"1"').status_code == 304
    refused = client.request(
        "PUT", f"Binary/{id}", b"x", content_type="text/plain", headers={"If-Match": 'W/"7"'}
    )
    assert refused.status_code == 412
    raw(client, SMALL, f"Binary/{id}", If_Match='W/"1"')
    assert client.get(f"Binary/{id}").data == SMALL
    head = client.request("HEAD", f"Binary/{id}")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(SMALL))


def test_raw_content_under_a_chosen_id(client: Client) -> None:
    assert raw(client, SMALL, "Binary/letter-1") == "letter-1"

    assert client.get("Binary/letter-1").data == SMALL


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_the_security_context_owns_it(client: Client, record: "Record", content: bytes) -> None:
    patient = f"Patient/{client.create(given.patient())['id']}"

    id = raw(client, content, X_Security_Context=patient)

    read = expect(client.get(f"Binary/{id}", Accept=JSON), 200)
    assert read["securityContext"] == {"reference": patient}
    assert client.get(f"Binary/{id}").headers["X-Security-Context"] == patient
    assert _keys(record) <= {_key(record, patient)}


def test_a_security_context_of_the_same_bundle(client: Client, record: "Record") -> None:
    urn = given.urn()
    data = base64.b64encode(LARGE).decode()
    binary = given.binary(data, "image/png", securityContext={"reference": urn})

    answer = client.transact(
        given.transaction(given.entry(given.patient(), full_url=urn), given.entry(binary))
    )

    places = [entry["response"]["location"] for entry in answer["entry"]]
    patient, made = (place.split("/_history")[0].rsplit("/fhir/")[1] for place in places)
    assert client.get(made).data == LARGE
    assert _keys(record) == {_key(record, patient)}


def test_raw_content_keeps_labels_and_owner_of_what_it_replaces(client: Client) -> None:
    patient = f"Patient/{client.create(given.patient())['id']}"
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    made = client.create(
        given.binary(meta={"security": [label]}, securityContext={"reference": patient})
    )

    raw(client, SMALL, f"Binary/{made['id']}")

    read = expect(client.get(f"Binary/{made['id']}", Accept=JSON), 200)
    assert read["meta"]["security"] == [label]
    assert read["securityContext"] == {"reference": patient}
    assert read["meta"]["versionId"] == "2"


def test_an_unknown_security_context_is_refused(client: Client, record: "Record") -> None:
    answer = client.request(
        "POST",
        "Binary",
        LARGE,
        content_type="text/plain",
        headers={"X-Security-Context": "Patient/nobody"},
    )

    assert answer.status_code == 422
    assert "securityContext" in outcome(answer)[0]["expression"][0]
    assert _count(record, blob) == 1  # an orphan until it is swept


def test_a_header_that_the_resource_contradicts_is_refused(client: Client) -> None:
    answer = client.request(
        "POST", "Binary", given.binary(), headers={"X-Security-Context": "Patient/1"}
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("changed", "expression"),
    [
        ({"data": "no base64!"}, "Binary.data"),
        ({"data": "aGVsbG8"}, "Binary.data"),
        ({"data": ""}, "Binary.data"),
        ({"data": "A" * 200_001}, "Binary.data"),
        ({"contentType": None}, "Binary"),
        ({"contentType": ""}, "Binary.contentType"),
    ],
    ids=["signs", "padding", "empty", "large", "no-type", "empty-type"],
)
def test_broken_resources_are_refused(
    client: Client, changed: dict[str, str | None], expression: str
) -> None:
    sent = {name: value for name, value in (given.binary() | changed).items() if value is not None}

    answer = client.post("Binary", sent)

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"][0].startswith(expression)


def test_base64_in_lines_comes_back_in_lines(client: Client) -> None:
    lines = base64.encodebytes(LARGE).decode().strip()

    made = client.create(given.binary(lines))

    read = expect(client.get(f"Binary/{made['id']}", Accept=JSON), 200)
    assert read["data"] == lines
    assert client.get(f"Binary/{made['id']}").data == LARGE


def test_in_a_batch_it_is_a_resource(client: Client) -> None:
    id = raw(client, LARGE)
    made = client.transact(given.batch(given.entry(given.binary())))

    answer = client.transact(
        given.batch(given.entry(method="GET", url=f"Binary/{id}"), given.entry(given.binary()))
    )

    assert made["entry"][0]["response"]["status"].startswith("201")
    assert base64.b64decode(answer["entry"][0]["resource"]["data"]) == LARGE


def test_lists_say_that_large_data_are_left_out(client: Client) -> None:
    id = raw(client, LARGE)

    listed = client.read(f"Binary?_id={id}")["entry"][0]["resource"]
    version = client.read(f"Binary/{id}/_history")["entry"][0]["resource"]

    assert listed == version
    assert "data" not in listed
    assert listed["_data"]["extension"][0]["valueCode"] == "not-permitted"


def test_what_a_list_left_out_an_update_keeps(client: Client) -> None:
    id = raw(client, LARGE)
    listed = client.read(f"Binary?_id={id}")["entry"][0]["resource"]

    client.update(listed | {"contentType": "image/png"})

    assert client.get(f"Binary/{id}").data == LARGE
    assert client.get(f"Binary/{id}").content_type == "image/png"
    lost = client.post("Binary", {name: listed[name] for name in listed if name != "id"})
    assert lost.status_code == 422


def test_what_a_list_left_out_is_what_is_there_at_the_write(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = raw(client, LARGE)
    listed = client.read(f"Binary?_id={id}")["entry"][0]["resource"]
    theirs = LARGE[::-1]
    _between(monkeypatch, lambda: raw(client, theirs, f"Binary/{id}"))

    client.update(listed | {"contentType": "image/png"})

    answer = client.get(f"Binary/{id}")
    assert (answer.content_type, answer.headers["ETag"]) == ("image/png", 'W/"3"')
    assert answer.data == theirs


def test_nothing_is_kept_where_others_made_it_small(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = raw(client, LARGE)
    listed = client.read(f"Binary?_id={id}")["entry"][0]["resource"]
    _between(monkeypatch, lambda: raw(client, SMALL, f"Binary/{id}"))

    answer = client.put(f"Binary/{id}", listed | {"contentType": "image/png"})

    assert answer.status_code == 422
    assert outcome(answer)[0]["expression"] == ["Binary.data"]
    assert client.get(f"Binary/{id}").data == SMALL


def _between(monkeypatch: pytest.MonkeyPatch, others: Callable[[], object]) -> None:
    """Let others write between the look at what is there and the write of the next change."""
    plan = targets.plan_targets

    def late(*given: Any) -> Any:
        monkeypatch.undo()
        others()
        return plan(*given)

    monkeypatch.setattr("ehr.interactions.applying.plan_targets", late)


def test_many_put_raw_content_at_once(client: Client, record: "Record") -> None:
    def put(number: int) -> int:
        content = b"%PDF" + bytes([number]) * 100
        path = "Binary/shared"
        return client.request("PUT", path, content, content_type="application/pdf").status_code

    with ThreadPoolExecutor(16) as pool:
        answers = sorted(pool.map(put, range(16)))

    assert answers == [200] * 15 + [201]
    assert client.get("Binary/shared").headers["ETag"] == 'W/"16"'


def test_who_writes_in_another_process_keeps_nobody_from_writing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.request("PUT", "Binary/shared", b"0", content_type="application/pdf")
    others = iter(range(12))
    newest = binary._newest

    def late(record: "Record", id: str) -> Any:
        row = newest(record, id)
        if (number := next(others, None)) is not None:
            data = base64.b64encode(b"%d" % number).decode()
            theirs = {"resourceType": "Binary", "contentType": "text/plain", "data": data}
            client.update({"id": id, **theirs})
        return row

    monkeypatch.setattr(binary, "_newest", late)

    answer = client.request("PUT", "Binary/shared", b"mine", content_type="application/pdf")

    assert answer.status_code == 200
    assert client.get("Binary/shared").data == b"mine"


def test_a_patch_of_large_content(client: Client) -> None:
    id = raw(client, LARGE)
    data = base64.b64encode(SMALL).decode()

    client.patch(f"Binary/{id}", [{"op": "replace", "path": "/contentType", "value": "image/png"}])
    first = client.get(f"Binary/{id}")
    client.patch(f"Binary/{id}", [{"op": "replace", "path": "/data", "value": data}])

    assert (first.data, first.content_type) == (LARGE, "image/png")
    assert client.get(f"Binary/{id}").data == SMALL


def test_orphans_are_swept_after_an_hour(client: Client, record: "Record") -> None:
    id = raw(client, LARGE)
    database, now = record.database, record.clock()
    blobs.stage(database, -1, LARGE, now=now)
    hour = blobs.ORPHAN_AGE + 60_000

    early = blobs.sweep(database, now=now)
    late = blobs.sweep(database, now=now + hour)

    assert (early, late) == (0, 1)
    assert _count(record, blob) == 1
    assert _count(record, blob_chunk) == 3
    assert client.get(f"Binary/{id}").data == LARGE


def test_an_upload_sweeps_when_nobody_did_for_an_hour(client: Client, record: "Record") -> None:
    past = record.clock() - 2 * blobs.ORPHAN_AGE
    blobs.stage(record.database, -1, LARGE, now=past)

    raw(client, LARGE)

    assert _count(record, blob) == 1


def test_size_costs_the_write_nothing(
    client: Client, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    raw(client, LARGE)

    with statements() as small:
        raw(client, LARGE)
    with statements() as large:
        raw(client, LARGE * 10)

    assert _without_chunks(large) == _without_chunks(small)
    assert len(_without_chunks(small)) <= 11  # three of them tell who did it


def _without_chunks(seen: list[str]) -> list[str]:
    """Leave out transaction control and the chunks that are staged before the write."""
    passed = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "INSERT INTO blob_chunk")
    return [sql for sql in seen if not sql.startswith(passed)]


def _count(record: "Record", table: Table) -> int:
    with record.database.read() as connection:
        count: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return count


def _keys(record: "Record") -> set[int]:
    with record.database.read() as connection:
        found = set(connection.execute(select(blob.c.patient_key)).scalars())
        return found | set(connection.execute(select(blob_chunk.c.patient_key)).scalars())


def _key(record: "Record", name: str) -> int:
    from ehr.store.locator import locate

    type, _, id = name.partition("/")
    with record.database.read() as connection:
        return locate(connection, [(type, id)])[type, id].patient_key
