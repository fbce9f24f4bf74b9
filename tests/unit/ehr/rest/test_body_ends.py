"""How a body ends: what is left of it, what never comes, and what breaks off."""

import gzip
import io
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from werkzeug.test import EnvironBuilder

from ehr.messages import Document
from ehr.settings import Limit, Settings

Server = Any


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/Nothing", 404), ("GET", "/Patient/1", 200), ("POST", "/Patient", 415)],
)
def test_what_is_left_of_a_body_is_taken_off_the_wire(
    server: Server, method: str, path: str, status: int
) -> None:
    # A server that closes with a body still coming in cuts its own answer off.
    environ = EnvironBuilder(path=f"/fhir{path}", method=method).get_environ()
    sent = io.BytesIO(b"x" * 2_000_000)
    environ |= {"wsgi.input": sent, "CONTENT_LENGTH": "2000000", "wsgi.input_terminated": True}

    answer = server.send({**environ, "HTTP_AUTHORIZATION": "Bearer good"})

    assert answer.status == status
    assert sent.read() == b""


@pytest.mark.parametrize(
    "more",
    [{"CONTENT_LENGTH": "9"}, {"HTTP_EXPECT": "100-continue"}],
    ids=["little", "only offered"],
)
def test_nobody_waits_for_what_may_never_come(server: Server, more: dict[str, str]) -> None:
    environ = EnvironBuilder(path="/fhir/Nothing", method="POST").get_environ()
    sent = io.BytesIO(b"x" * 2_000_000)
    environ |= {"wsgi.input": sent, "CONTENT_LENGTH": "2000000", "wsgi.input_terminated": True}

    answer = server.send({**environ, "HTTP_AUTHORIZATION": "Bearer good", **more})

    assert (answer.status, sent.tell()) == (404, 0)


def test_no_more_is_taken_off_the_wire_than_may_be_sent(fake: Callable[..., Server]) -> None:
    environ = EnvironBuilder(path="/fhir/Patient", method="POST").get_environ()
    sent = io.BytesIO(b"x" * 10_000_000)
    environ |= {"wsgi.input": sent, "CONTENT_LENGTH": "10000000", "wsgi.input_terminated": True}
    small = fake(settings=Settings(body_limit=Limit.of_all(1_000_000)))

    answer = small.send({**environ, "HTTP_AUTHORIZATION": "Bearer good"})

    assert answer.status == 413
    assert 1_000_000 <= sent.tell() < 2_000_000


@pytest.mark.parametrize(
    ("method", "path", "coding", "status"),
    [
        ("POST", "/Binary", "", 411),
        ("PUT", "/Binary/1", "", 411),
        ("POST", "/Binary", "gzip", 200),
        ("POST", "/Binary", "zstd", 200),
    ],
)
def test_raw_content_is_not_taken_where_half_would_look_whole(
    server: Server, method: str, path: str, coding: str, status: int
) -> None:
    content = b"half of it"
    packed = {"gzip": gzip.compress, "zstd": zstandard.compress}.get(coding, bytes)(content)
    environ = EnvironBuilder(
        path=f"/fhir{path}",
        method=method,
        content_type="image/png",
        headers={"Transfer-Encoding": "chunked", "Content-Encoding": coding},
    ).get_environ()
    environ |= {"wsgi.input": io.BytesIO(packed), "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)

    answer = server.send({**environ, "HTTP_AUTHORIZATION": "Bearer good"})

    assert answer.status == status
    if status == 200:
        assert server.last.document == Document(content, None, "image/png")
