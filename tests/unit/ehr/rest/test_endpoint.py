"""The endpoint: what the pipeline is asked, and what comes back over HTTP."""

import gzip
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ehr.errors import Busy, Gone, NotFound, PreconditionFailed
from ehr.messages import Document, Interaction, Preconditions, Preferences, Result
from ehr.settings import Limit, Settings
from fhir_profiles import xml_format
from fhir_profiles.issues import InvalidDocument, Issue

JSON = "application/fhir+json"
XML = "application/fhir+xml"
BASE = "http://localhost/fhir"
PATIENT = b'{"resourceType":"Patient","id":"1","active":true,"gender":"female"}'

Server = Any


def outcome(answer: Any) -> str:
    return str(json.loads(answer.body)["issue"][0]["diagnostics"])


def test_a_read(server: Server) -> None:
    answer = server.ask("GET", "/Patient/1")

    assert server.last == Interaction(name="read", type="Patient", id="1", base=BASE)
    assert (answer.status, answer.body) == (200, PATIENT)
    assert answer.headers["ETag"] == 'W/"3"'
    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(PATIENT))
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_create_with_everything(server: Server, fake: Callable[..., Server]) -> None:
    server.result = Result(
        status=201,
        body=PATIENT,
        version=1,
        last_modified=1_700_000_000_999,
        location="Patient/1/_history/1",
    )

    answer = server.ask(
        "POST",
        "/Patient?_pretty=false",
        data=b'{"resourceType":"Patient"}',
        content_type=JSON,
        headers={"If-None-Exist": "identifier=1", "X-Security-Context": "Patient/9"},
    )

    assert server.last == Interaction(
        name="create",
        type="Patient",
        document=Document(b'{"resourceType":"Patient"}', {"resourceType": "Patient"}),
        preconditions=Preconditions(if_none_exist="identifier=1"),
        method="POST",
        base=BASE,
        security_context="Patient/9",
    )
    assert answer.status == 201
    assert answer.headers["Location"] == f"{BASE}/Patient/1/_history/1"
    assert answer.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [("return=minimal", b""), ("return=representation", PATIENT), ("", PATIENT)],
)
def test_prefer_return(server: Server, prefer: str, expected: bytes) -> None:
    answer = server.ask(
        "PUT", "/Patient/1", data=PATIENT, content_type=JSON, headers={"Prefer": prefer}
    )

    assert answer.body == expected
    assert answer.headers["ETag"] == 'W/"3"'
    assert answer.headers["Content-Length"] == str(len(expected))


def test_prefer_an_outcome(server: Server) -> None:
    answer = server.ask(
        "PUT",
        "/Patient/1",
        data=PATIENT,
        content_type=JSON,
        headers={"Prefer": "return=OperationOutcome"},
    )

    assert json.loads(answer.body)["issue"][0]["severity"] == "information"
    assert server.last.preferences == Preferences("OperationOutcome")


@pytest.mark.parametrize("how", ["accept", "format"])
def test_xml_out(server: Server, how: str) -> None:
    accept = {"Accept": XML} if how == "accept" else {"Accept": JSON}
    query = "" if how == "accept" else "?_format=xml"

    answer = server.ask("GET", f"/Patient/1{query}", headers=accept)

    assert answer.headers["Content-Type"] == "application/fhir+xml; charset=utf-8"
    assert xml_format.parse(answer.body) == json.loads(PATIENT)
    assert server.last.params == ()


def test_pretty(server: Server) -> None:
    answer = server.ask("GET", "/Patient/1?_pretty=true")

    assert b"\n" in answer.body
    assert json.loads(answer.body) == json.loads(PATIENT)


def test_elements(server: Server) -> None:
    answer = server.ask("GET", "/Patient/1?_elements=active")

    assert set(json.loads(answer.body)) == {"resourceType", "id", "meta", "active"}


def test_head_is_get_without_a_body(server: Server) -> None:
    answer = server.ask("HEAD", "/Patient/1")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(PATIENT))
    assert server.last.name == "read"


@pytest.mark.parametrize("status", [204, 304])
def test_no_body(server: Server, status: int) -> None:
    server.result = Result(status=status, version=4)

    answer = server.ask("GET" if status == 304 else "DELETE", "/Patient/1")

    assert (answer.status, answer.body) == (status, b"")
    assert answer.headers["ETag"] == 'W/"4"'
    assert "Content-Type" not in answer.headers
    assert "Content-Length" not in answer.headers


def test_search_by_post_joins_query_and_form(server: Server) -> None:
    answer = server.ask(
        "POST",
        "/Patient/_search?active=true",
        data=b"name=J%C3%BCrgen&_format=xml&_count=5\r\n",
        content_type="application/x-www-form-urlencoded; charset=utf-8",
    )

    assert server.last.name == "search-type"
    assert server.last.params == (("active", "true"), ("name", "Jürgen"), ("_count", "5"))
    assert answer.headers["Content-Type"].startswith(XML)


def test_search_by_post_without_a_body(server: Server) -> None:
    assert server.ask("POST", "/Patient/_search?active=true").status == 200
    assert server.last.params == (("active", "true"),)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_says_what_it_is(server: Server, kind: str) -> None:
    body = b'{"resourceType":"Bundle","type":"%s"}' % kind.encode()

    server.ask("POST", "", data=body, content_type=JSON)

    assert server.last.name == kind


@pytest.mark.parametrize(
    "body", [b'{"resourceType":"Bundle","type":"collection"}', b'{"resourceType":"Patient"}']
)
def test_other_bodies_at_the_base_are_refused(server: Server, body: bytes) -> None:
    answer = server.ask("POST", "/", data=body, content_type=JSON)

    assert answer.status == 400
    assert "batch or transaction" in outcome(answer)


def test_a_gzip_body(server: Server) -> None:
    server.ask(
        "POST",
        "/Patient",
        data=gzip.compress(PATIENT),
        content_type=JSON,
        headers={"Content-Encoding": "gzip"},
    )

    assert server.last.document.raw == PATIENT


def test_a_gzip_answer(server: Server) -> None:
    whole = b'{"resourceType":"Basic","id":"%s"}' % (b"x" * 2000)
    server.result = Result(status=200, body=whole)

    answer = server.ask("GET", "/Basic/1", headers={"Accept-Encoding": "gzip"})

    assert gzip.decompress(answer.body) == whole
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("token", "hint"), [(None, "Say who you are"), ("bad", "unknown, expired or revoked")]
)
def test_no_caller_no_answer(server: Server, token: str | None, hint: str) -> None:
    answer = server.ask("GET", "/Patient/1", token=token)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert hint in outcome(answer)
    assert server.asked == []


@pytest.mark.parametrize("header", ["good", "Basic good", "Bearer", "bearer  "])
def test_other_credentials_are_none(server: Server, header: str) -> None:
    assert server.ask("GET", "/Patient/1", headers={"Authorization": header}).status == 401


def test_the_body_of_a_stranger_is_not_read(server: Server) -> None:
    class Untouchable:
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("read")

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/fhir/Patient",
        "CONTENT_LENGTH": "10",
        "HTTP_HOST": "localhost",
        "wsgi.input": Untouchable(),
    }

    assert server.send(environ).status == 401


def test_metadata_is_public(server: Server) -> None:
    assert server.ask("GET", "/metadata", token=None).status == 200
    assert server.asked == []


def test_an_unusable_view_is_refused_before_the_work(server: Server) -> None:
    assert server.ask("GET", "/Patient/1?_summary=perhaps").status == 400
    assert server.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("No."), 404),
        (Gone("No."), 410),
        (PreconditionFailed("No."), 412),
        (InvalidDocument([Issue("structure", "No.")], malformed=True), 400),
        (InvalidDocument([Issue("structure", "No.")]), 400),
    ],
)
@pytest.mark.parametrize("format", [JSON, XML])
def test_errors_are_outcomes_in_the_asked_format(
    server: Server, error: Exception, status: int, format: str
) -> None:
    server.error = error

    answer = server.ask("GET", "/Patient/1", headers={"Accept": format})

    assert answer.status == status
    assert answer.headers["Content-Type"].startswith(format)
    read = xml_format.parse if format == XML else json.loads
    assert read(answer.body)["issue"][0]["diagnostics"] == "No."


def test_errors_about_the_request_come_in_the_asked_format(server: Server) -> None:
    answer = server.ask("GET", "/Foo?_format=xml", token=None)

    assert answer.status == 401
    assert answer.headers["Content-Type"].startswith(XML)


def test_busy_says_when_to_come_back(server: Server) -> None:
    server.error = Busy("Later.")

    assert server.ask("GET", "/Patient/1").headers["Retry-After"] == "1"


def test_a_fault_is_logged_and_tells_nothing(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.error = RuntimeError("Mrs Miller has measles")

    with caplog.at_level(logging.INFO, logger="ehr.rest"):
        answer = server.ask("GET", "/Patient/1", headers={"X-Request-Id": "abc-1"})

    assert answer.status == 500
    assert "abc-1" in outcome(answer)
    assert "measles" not in answer.body.decode() + caplog.text
    assert "abc-1" in caplog.text
    assert "RuntimeError" in caplog.text


def test_each_request_is_one_line_at_debug(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="ehr.rest"):
        answer = server.ask("GET", "/Patient/1", headers={"X-Request-Id": "abc-1"})
        server.ask("GET", "/Pat%0D%0Aient?name=Miller&identifier=943", token=None)

    first, second = caplog.messages
    assert answer.headers["X-Request-Id"] == "abc-1"
    assert re.fullmatch(r"GET /fhir/Patient/1 200 [\d.]+ ms id=abc-1", first)
    assert re.fullmatch(r"GET /fhir/Pat%0D%0Aient 401 [\d.]+ ms id=[0-9a-f]{24}", second)


def test_no_request_is_logged_at_info(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="ehr.rest"):
        server.ask("GET", "/Patient/1")

    assert caplog.messages == []


def test_a_result_that_can_not_be_written_is_our_fault(server: Server) -> None:
    server.result = Result(status=200, body=b'{"resourceType":"Patient","foo":1}')

    assert server.ask("GET", "/Patient/1?_format=xml").status == 500


@pytest.mark.parametrize(("sent", "kept"), [("abc-1", True), ("a b", False), ("x" * 200, False)])
def test_request_id(server: Server, sent: str, kept: bool) -> None:
    answer = server.ask("GET", "/Patient/1", headers={"X-Request-Id": sent})

    assert (answer.headers["X-Request-Id"] == sent) is kept
    assert server.asked[-1].request_id == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("settings", "host", "base"),
    [
        (Settings(), "record.example:8443", "http://record.example:8443/fhir"),
        (Settings(), "[::1]:8000", "http://[::1]:8000/fhir"),
        (Settings(base_url="https://a.example/r4"), "evil.example", "https://a.example/r4"),
    ],
)
def test_base(fake: Callable[..., Server], settings: Settings, host: str, base: str) -> None:
    server = fake(settings=settings)

    server.ask("GET", "/Patient/1", headers={"Host": host})

    assert server.last.base == base


@pytest.mark.parametrize("host", ["a b", "x/y", 'x"><script>', "é.example", "a:b", "user@host"])
def test_a_host_that_is_none_is_refused(server: Server, host: str) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/fhir/Patient/1",
        "HTTP_AUTHORIZATION": "Bearer good",
        "HTTP_HOST": host,
    }

    assert server.send(environ).status == 400


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        (("*",), "https://app.example", "*"),
        (("https://app.example",), "https://app.example", "https://app.example"),
        (("https://app.example",), "https://evil.example", None),
        ((), "https://app.example", None),
        (("*",), None, None),
    ],
)
def test_cors(
    fake: Callable[..., Server],
    allowed: tuple[str, ...],
    origin: str | None,
    expected: str | None,
) -> None:
    server = fake(settings=Settings(cors_origins=allowed))

    answer = server.ask("GET", "/Patient/1", headers={"Origin": origin} if origin else {})

    assert answer.headers.get("Access-Control-Allow-Origin") == expected
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_what_everybody_may_read_scripts_of_all_origins_may(fake: Callable[..., Server]) -> None:
    server = fake(settings=Settings())

    sent = {"Origin": "https://anybody.example"}
    answer = server.ask("GET", "/metadata", token=None, headers=sent)

    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_preflight_needs_no_caller(server: Server) -> None:
    answer = server.ask(
        "OPTIONS",
        "/Patient/1",
        token=None,
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"},
    )

    assert answer.status == 204
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"


def test_options_on_nothing(server: Server) -> None:
    assert server.ask("OPTIONS", "/Nothing").status == 404


class Chunks:
    """Raw content that knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"abc"
        yield b"defgh"

    def close(self) -> None:
        self.closed = True


def raw(content_type: str = "image/png", size: int | None = 8) -> Result:
    return Result(
        status=200,
        chunks=Chunks(),
        content_type=content_type,
        content_length=size,
        version=1,
        last_modified=1_700_000_000_000,
    )


def test_raw_content(server: Server) -> None:
    server.result = raw()

    answer = server.ask("GET", "/Binary/1", headers={"Accept": "image/*"})

    assert answer.body == b"abcdefgh"
    assert server.last.accept == ()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_part_of_raw_content(server: Server) -> None:
    server.result = raw()

    answer = server.ask("GET", "/Binary/1", headers={"Range": "bytes=2-4"})

    assert (answer.status, answer.body) == (206, b"cde")
    assert answer.headers["Content-Range"] == "bytes 2-4/8"
    assert answer.headers["Content-Length"] == "3"


def test_a_part_that_is_not_there(server: Server) -> None:
    server.result = raw()

    answer = server.ask("GET", "/Binary/1", headers={"Range": "bytes=8-"})

    assert answer.status == 416
    assert answer.headers["Content-Range"] == "bytes */8"
    assert json.loads(answer.body)["resourceType"] == "OperationOutcome"
    assert server.result.chunks.closed


def test_head_of_raw_content_closes_it(server: Server) -> None:
    server.result = raw()

    answer = server.ask("HEAD", "/Binary/1", headers={"Range": "bytes=2-4"})

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == "8"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert server.result.chunks.closed


@pytest.mark.parametrize("stored", ["text/html\r\nSet-Cookie: a=b", "nonsense", "ü/x", None])
def test_a_stored_media_type_can_not_break_the_headers(server: Server, stored: str) -> None:
    server.result = raw(stored, None)

    answer = server.ask("GET", "/Binary/1")

    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("headers", "query", "accept"),
    [
        ({"Accept": JSON}, "", (JSON,)),
        ({"Accept": XML}, "", (XML,)),
        ({"Accept": "*/*"}, "?_format=json", (JSON,)),
        ({"Accept": "application/json"}, "", ()),
        ({}, "", ()),
    ],
)
def test_a_binary_is_asked_for_as_a_resource_by_a_fhir_type(
    server: Server, headers: dict[str, str], query: str, accept: tuple[str, ...]
) -> None:
    server.ask("GET", f"/Binary/1{query}", headers=headers)

    assert server.last.accept == accept


def test_raw_content_in(server: Server) -> None:
    server.ask("POST", "/Binary", data=b"\x00\x01", content_type="image/png")

    assert server.last.document == Document(b"\x00\x01", None, "image/png")


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/Patient?a=%zz", {}, 400),
        ("GET", "/Patient/1?_pretty=maybe", {}, 400),
        ("GET", "/Patient/1?_format=pdf", {}, 406),
        ("GET", "/Patient/1", {"headers": {"Accept": "image/png"}}, 406),
        ("GET", "/Patient/1", {"headers": {"If-Match": "W/"}}, 400),
        ("POST", "/Patient", {"data": b"{}", "content_type": "text/plain"}, 415),
        ("POST", "/Patient", {"data": b"{", "content_type": JSON}, 400),
        ("POST", "/Patient", {}, 400),
        ("PATCH", "/Patient/1", {"data": b"[]", "content_type": "text/plain"}, 415),
        ("POST", "/Patient/_search", {"data": b"a=1", "content_type": JSON}, 415),
        ("GET", "/Foo", {}, 404),
        ("PUT", "/metadata", {}, 405),
        ("POST", "/Observation/$lastn", {}, 501),
    ],
)
def test_bad_requests(
    server: Server, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    answer = server.ask(method, path, **sent)

    assert answer.status == status
    assert json.loads(answer.body)["resourceType"] == "OperationOutcome"
    assert server.asked == []


def test_body_limit(fake: Callable[..., Server]) -> None:
    server = fake(settings=Settings(body_limit=Limit.of_all(1024)))

    answer = server.ask("POST", "/Patient", data=b" " * 1025, content_type=JSON)

    assert answer.status == 413
    assert "1024 bytes" in outcome(answer)
