"""Whatever is sent, the answer is a refusal in FHIR words, never 500, and nothing stays behind."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import func, select

from ehr.store.tables import metadata
from tests import given
from tests.client import Client, outcome
from tests.engines import fresh_url

if TYPE_CHECKING:
    from ehr.record import Record

JSON = "application/fhir+json"
XML = "application/fhir+xml"
REFUSALS = {400, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 501}
# Numbers are handed out in blocks, and blocks are not given back; the trail keeps every refusal.
_KEPT = ("counter", "audit_")
_COUNTED = [table for name, table in metadata.tables.items() if not name.startswith(_KEPT)]


def _counts(record: "Record") -> dict[str, int]:
    with record.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in _COUNTED
        }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_record(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Record"]:
    """One record for all broken inputs: they leave nothing, so they can share it."""
    from ehr.record import open_record
    from ehr.settings import load
    from tests import engines

    if request.param not in engines.chosen():
        pytest.skip(f"{request.param} is not chosen")
    with fresh_url(request.param, tmp_path_factory.mktemp("bad")) as url:
        record = open_record(load({"EHR_DATABASE_URL": url, "EHR_BODY_LIMIT": "1 MiB"}))
        yield record
        record.database.close()


@pytest.fixture(scope="module")
def caller(shared_record: "Record") -> Client:
    """A system client, and one patient to aim at."""
    import time

    from auth import tokens
    from ehr.app import create_app

    now = int(time.time() * 1000)
    token = shared_record.database.write(
        lambda connection: tokens.create(connection, kind="system", name="t", now=now)
    )
    client = Client(create_app(shared_record).test_client(), token)
    client.update(given.patient(id="mary"))
    client.get("Patient?_count=1")
    return client


def _send(client: Client, record: "Record", *request: Any, **more: Any) -> Any:
    before = _counts(record)
    answer = client.request(*request, **more)
    assert answer.status_code != 500, answer.get_data(as_text=True)
    if answer.status_code >= 400:
        assert answer.status_code in REFUSALS, answer.status_code
        assert outcome(answer)[0]["diagnostics"]
        assert _counts(record) == before
    return answer


_P = b'{"resourceType":"Patient"'
BODIES: dict[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "number": b"7",
    "string": b'"Patient"',
    "array": b"[]",
    "no type": b"{}",
    "type is a number": b'{"resourceType":7}',
    "type is unknown": b'{"resourceType":"Person2"}',
    "abstract type": b'{"resourceType":"DomainResource"}',
    "open object": _P,
    "trailing comma": _P + b",}",
    "trailing data": _P + b"}x",
    "two documents": _P + b"}" + _P + b"}",
    "duplicate key": _P + b',"active":true,"active":true}',
    "nan": _P + b',"multipleBirthInteger":NaN}',
    "infinity": _P + b',"multipleBirthInteger":1e999999}',
    "huge integer": _P + b',"multipleBirthInteger":' + b"9" * 5000 + b"}",
    "huge exponent": b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
    b'"valueQuantity":{"value":1e99999999}}',
    "negative exponent": b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
    b'"subject":{"reference":"Patient/nobody"},"valueQuantity":{"value":1e-99999999}}',
    "bad utf-8": _P + b',"gender":"\xff\xfe"}',
    "overlong utf-8": _P + b',"gender":"\xc0\xaf"}',
    "utf-16": (_P + b"}").decode().encode("utf-16"),
    "nul": _P + b',"gender":"\\u0000"}',
    "raw control character": _P + b',"gender":"a\nb"}',
    "lone surrogate": _P + b',"name":[{"family":"\\ud800"}]}',
    "deep arrays": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "deep extensions": _P + b',"extension":[{"url":"u"' * 300 + b"}]" * 300 + b"}",
    "deep in depth": _P + b',"contact":' + b"[" * 70 + b"]" * 70 + b"}",
    "null element": _P + b',"active":null}',
    "empty array": _P + b',"name":[]}',
    "empty object": _P + b',"name":[{}]}',
    "object for array": _P + b',"name":{"family":"x"}}',
    "array for string": _P + b',"gender":["male"]}',
    "object for reference": _P + b',"managingOrganization":{"reference":{"a":1}}}',
    "number for reference": _P + b',"managingOrganization":{"reference":7}}',
    "meta is a string": _P + b',"meta":"x"}',
    "meta is an array": _P + b',"meta":[{}]}',
    "security is a string": _P + b',"meta":{"security":"R"}}',
    "tag of numbers": _P + b',"meta":{"tag":[7]}}',
    "id is a number": _P + b',"id":7}',
    "contained is an object": _P + b',"contained":{"resourceType":"Patient"}}',
    "contained without type": _P + b',"contained":[{}]}',
    "identifier of strings": _P + b',"identifier":["x"]}',
    "value of identifier": _P + b',"identifier":[{"value":{"a":1}}]}',
    "bad date": _P + b',"birthDate":"2023-02-29"}',
    "year zero": _P + b',"birthDate":"0000"}',
    "both choices": _P + b',"deceasedBoolean":true,"deceasedDateTime":"2020"}',
    "unknown member": _P + b',"__proto__":{}}',
    "too large": _P + b',"name":[{"text":"' + b"x" * 1_100_000 + b'"}]}',
}
_NS = b' xmlns="http://hl7.org/fhir"'
XML_BODIES: dict[str, bytes] = {
    "empty": b"",
    "text": b"Patient",
    "open": b"<Patient" + _NS + b">",
    "no namespace": b"<Patient/>",
    "other namespace": b'<Patient xmlns="urn:x"/>',
    "unknown root": b"<Person2" + _NS + b"/>",
    "entity": b'<!DOCTYPE a [<!ENTITY b "c">]><Patient' + _NS + b"><id value='&b;'/></Patient>",
    "external entity": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Patient' + _NS + b"/>",
    "laughs": b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
    "deep": b"<a>" * 100_000,
    "unknown element": b"<Patient" + _NS + b"><colour value='red'/></Patient>",
    "bad encoding": b'<?xml version="1.0" encoding="klingon"?><Patient' + _NS + b"/>",
    "bad utf-8": b"<Patient" + _NS + b"><id value='\xff'/></Patient>",
    "two roots": b"<Patient" + _NS + b"/><Patient" + _NS + b"/>",
    "stray text": b"<Patient" + _NS + b">hello</Patient>",
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_broken_json(caller: Client, shared_record: "Record", name: str) -> None:
    for method, path in (("POST", "Patient"), ("PUT", "Patient/mary"), ("POST", "")):
        answer = _send(caller, shared_record, method, path, BODIES[name], content_type=JSON)
        assert answer.status_code >= 400


@pytest.mark.parametrize("name", XML_BODIES)
def test_broken_xml(caller: Client, shared_record: "Record", name: str) -> None:
    answer = _send(caller, shared_record, "POST", "Patient", XML_BODIES[name], content_type=XML)

    assert answer.status_code >= 400


_ENTRY = {"request": {"method": "POST", "url": "Patient"}, "resource": given.patient()}
BUNDLES: dict[str, Any] = {
    "entry is an object": {"entry": {}},
    "entry is a string": {"entry": "x"},
    "entries are numbers": {"entry": [7, None]},
    "entry in an array": {"entry": [[_ENTRY]]},
    "no request": {"entry": [{"resource": given.patient()}]},
    "request is a string": {"entry": [_ENTRY | {"request": "POST Patient"}]},
    "method is a number": {"entry": [_ENTRY | {"request": {"method": 7, "url": "Patient"}}]},
    "method is unknown": {"entry": [_ENTRY | {"request": {"method": "FLY", "url": "Patient"}}]},
    "no url": {"entry": [_ENTRY | {"request": {"method": "POST"}}]},
    "url is a number": {"entry": [_ENTRY | {"request": {"method": "POST", "url": 7}}]},
    "url is elsewhere": {"entry": [_ENTRY | {"request": {"method": "POST", "url": "http://x/P"}}]},
    "url with escapes": {"entry": [_ENTRY | {"request": {"method": "GET", "url": "Patient/%zz"}}]},
    "url with nul": {"entry": [_ENTRY | {"request": {"method": "GET", "url": "Patient/%00"}}]},
    "resource is a string": {"entry": [_ENTRY | {"resource": "x"}]},
    "resource is null": {"entry": [_ENTRY | {"resource": None}]},
    "resource of no type": {"entry": [_ENTRY | {"resource": {}}]},
    "resource is a list": {"entry": [_ENTRY | {"resource": [given.patient()]}]},
    "fullUrl is a number": {"entry": [_ENTRY | {"fullUrl": 7}]},
    "fullUrl is an object": {"entry": [_ENTRY | {"fullUrl": {}}]},
    "ifMatch is no tag": {
        "entry": [{"request": {"method": "DELETE", "url": "Patient/mary", "ifMatch": "((("}}]
    },
    "ifMatch is a number": {
        "entry": [{"request": {"method": "DELETE", "url": "Patient/mary", "ifMatch": 7}}]
    },
    "ifNoneExist is a list": {
        "entry": [_ENTRY | {"request": {"method": "POST", "url": "Patient", "ifNoneExist": ["x"]}}]
    },
    "ifModifiedSince is text": {
        "entry": [{"request": {"method": "GET", "url": "Patient/x", "ifModifiedSince": "now"}}]
    },
}


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_broken_bundles(caller: Client, shared_record: "Record", name: str, kind: str) -> None:
    bundle = {"resourceType": "Bundle", "type": kind, **BUNDLES[name]}

    answer = _send(caller, shared_record, "POST", "", bundle)

    if answer.status_code == 200:
        assert kind == "batch"
        statuses = [int(one["response"]["status"][:3]) for one in answer.json["entry"]]
        assert all(400 <= status < 500 for status in statuses), statuses


HEADERS: list[tuple[str, str]] = [
    ("If-Match", "((("),
    ("If-Match", 'W/"1'),
    ("If-Match", "W/1;x"),
    ("If-None-Match", '"'),
    ("If-None-Exist", "&&&="),
    ("If-None-Exist", "%zz"),
    ("If-None-Exist", "identifier"),
    ("If-None-Exist", "birthdate=ge"),
    ("If-None-Exist", "_id=" + "x" * 5000),
    ("If-None-Exist", "general-practitioner.name.x=1"),
    ("Content-Type", "application/fhir+json; charset=klingon"),
    ("Content-Type", "application/octet-stream"),
    ("Content-Type", "\x7f"),
    ("Content-Encoding", "brotli"),
    ("Content-Encoding", "gzip"),
    ("Accept", "text/turtle"),
    ("Accept", ";;;,q=,"),
    ("Authorization-X", "x"),
    ("Prefer", "return=,=;;"),
    ("X-Request-Id", "\x01" * 10),
]


@pytest.mark.parametrize(("header", "value"), HEADERS)
def test_broken_headers(caller: Client, shared_record: "Record", header: str, value: str) -> None:
    body = given.patient(id="mary", gender="F")
    for method, path in (("POST", "Patient"), ("PUT", "Patient/mary")):
        headers = {header: value} if header != "Content-Type" else {}
        kind = value if header == "Content-Type" else JSON
        _send(caller, shared_record, method, path, body, headers=headers, content_type=kind)


URLS = [
    "Patient/../Patient", "Patient//mary", "Patient/mary/", "Patient/mary/_history/%2e%2e",
    "Patient/mary/_history/1/2", "Patient/mary/$", "Patient/mary/Observation/7", "%", "%C3",
    "Patient/%F0%9F%92%A9", "Patient?%", "Patient?=x", "Patient?name=%00", "Patient?name:=x",
    "Patient?name:exact:exact=x", "Patient?birthdate=99999999999", "Patient?birthdate=eq",
    "Patient?_count=1e5", "Patient?_count=-1", "Patient?_sort=-", "Patient?_sort=,", "Patient?_id=",
    "Patient?_lastUpdated=gt2020-99", "Patient?_include=x", "Patient?_include=Patient:link:X:Y",
    "Patient?_revinclude=*", "Patient?_has:a:b=c", "Patient?_has:Observation:patient:x=1",
    "Patient?general-practitioner.general-practitioner=1", "Patient?a.b.c.d.e.f=1",
    "Observation?value-quantity=|||", "Observation?value-quantity=1e999",
    "Observation?value-quantity=" + "9" * 400, "Observation?code-value-quantity=$$$",
    "Observation?code=|", "Observation?code=%5C", "Observation?date=gt", "?_type=Nothing",
    "?_type=", "_history?_since=" + "9" * 50, "Patient/_history?_at=ge", "Patient?_cursor=..",
    "Patient?_summary=maybe", "Patient?_elements=", "Patient?_total=perhaps",
    "Patient?" + "&".join(f"name={n}" for n in range(1100)), "Patient?name=" + "x," * 3000,
    "Patient/mary/$everything?start=x", "Patient/mary/$everything?_count=x",
    "Patient/mary/$everything?_type=Nothing", "Patient/$validate", "Nothing/$x",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS, ids=[url[:40] for url in URLS])
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_broken_urls(caller: Client, shared_record: "Record", url: str, method: str) -> None:
    body = "[{}]" if method == "PATCH" else None
    kind = "application/json-patch+json"

    _send(caller, shared_record, method, url, body, content_type=kind)


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False),
    st.text(max_size=6), st.sampled_from(["Patient", "Patient/mary", "final", "2020", "#a", "*"]),
)  # fmt: skip
_NAMES = st.sampled_from(
    ["resourceType", "id", "meta", "extension", "modifierExtension", "contained", "text", "div",
     "identifier", "system", "value", "name", "family", "subject", "reference", "type", "status",
     "code", "coding", "valueQuantity", "_birthDate", "birthDate", "security", "tag", "profile",
     "versionId", "lastUpdated", "entry", "resource", "request", "link", "period", "start", "url"]
)  # fmt: skip
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=4)
    ),
    max_leaves=12,
)
_TYPES = st.sampled_from(["Patient", "Observation", "Bundle", "List", "Binary", "Task", "Group"])


@hypothesis.given(type=_TYPES, members=st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_any_json_is_taken_or_refused(
    caller: Client, shared_record: "Record", type: str, members: dict[str, Any]
) -> None:
    body = json.dumps(members | {"resourceType": type})

    answer = _send(caller, shared_record, "POST", type, body)

    assert answer.status_code == 201 or answer.status_code in REFUSALS


@hypothesis.given(entries=st.lists(st.dictionaries(_NAMES, _VALUES, max_size=4), max_size=3))
def test_any_transaction_is_taken_or_refused(
    caller: Client, shared_record: "Record", entries: list[dict[str, Any]]
) -> None:
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    _send(caller, shared_record, "POST", "", body)


@hypothesis.given(
    type=_TYPES,
    name=st.text(min_size=1, max_size=20),
    value=st.text(max_size=20),
    modifier=st.sampled_from(["", ":exact", ":missing", ":not", ":Patient", ":x"]),
)
def test_any_search_is_answered(
    caller: Client, shared_record: "Record", type: str, name: str, value: str, modifier: str
) -> None:
    query = f"{_quoted(name)}{modifier}={_quoted(value)}"

    _send(caller, shared_record, "GET", f"{type}?{query}")


@hypothesis.given(
    type=_TYPES,
    name=st.sampled_from(["_id", "_lastUpdated", "identifier", "date", "code", "status", "subject",
                          "_tag", "_profile", "name", "birthdate", "value-quantity", "_sort",
                          "_count", "_include", "_summary", "_elements", "_has:List:item:code"]),
    value=st.one_of(
        st.text(max_size=12), st.text("0123456789.-+eE|$,\\:/gtlesabp", max_size=16)
    ),
)  # fmt: skip
def test_any_value_is_answered(
    caller: Client, shared_record: "Record", type: str, name: str, value: str
) -> None:
    _send(caller, shared_record, "GET", f"{type}?{name}={_quoted(value)}")


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "replace"))
