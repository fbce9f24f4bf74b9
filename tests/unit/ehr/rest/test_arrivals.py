"""Bodies on their way: places, permits to work, and what a late one is told."""

import io
import threading
from typing import Any

import pytest

from ehr.errors import Busy, TimedOut
from ehr.rest.arrivals import PIECE, Arrival, Arrivals

WORKING = 2


class Stalled(io.BytesIO):
    """A body of which nothing comes until it is let go."""

    def __init__(self) -> None:
        super().__init__(b"x" * 10)
        self.is_asked, self.may_come = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self.is_asked.set()
        assert self.may_come.wait(30)
        return super().read(size)


def environ(body: io.BytesIO, length: int = 10) -> dict[str, Any]:
    return {"PATH_INFO": "/fhir/Patient", "CONTENT_LENGTH": str(length), "wsgi.input": body}


def reading(arrivals: Arrivals, sent: dict[str, Any]) -> bytes:
    """Return what an application reads, or raise what it meets."""

    def application(environ: dict[str, Any], _start: Any) -> list[bytes]:
        stream = environ.get("wsgi.input")
        return [stream.read(int(environ["CONTENT_LENGTH"]))] if stream else [b"none"]

    return b"".join(arrivals.around(application, "/fhir")(sent, None))  # type: ignore[arg-type]  # starts nothing


@pytest.fixture
def stalled(arrivals: Arrivals) -> Any:
    """Return a function that lets so many bodies stall."""
    bodies: list[Stalled] = []
    threads: list[threading.Thread] = []

    def stall(number: int) -> None:
        for _ in range(number):
            body = Stalled()
            thread = threading.Thread(target=reading, args=(arrivals, environ(body)))
            thread.start()
            assert body.is_asked.wait(30)
            bodies.append(body)
            threads.append(thread)

    yield stall
    for body in bodies:
        body.may_come.set()
    for thread in threads:
        thread.join(30)


@pytest.fixture
def arrivals() -> Arrivals:
    return Arrivals(WORKING, 5)


def test_a_body_comes_whole(arrivals: Arrivals) -> None:
    body = bytes(range(256)) * 1000
    assert len(body) > 2 * PIECE

    assert reading(arrivals, environ(io.BytesIO(body), len(body))) == body
    assert reading(arrivals, environ(io.BytesIO(body), len(body) + 5)) == body


def test_who_waits_for_a_body_lets_others_work(arrivals: Arrivals, stalled: Any) -> None:
    stalled(2 * WORKING)

    assert reading(arrivals, {"PATH_INFO": "/fhir/metadata"}) == b"none"
    assert len(arrivals.waiting_since(float("inf"))) == 2 * WORKING


def test_more_bodies_than_places_are_refused(arrivals: Arrivals, stalled: Any) -> None:
    stalled(2 * WORKING)

    with pytest.raises(Busy) as refused:
        reading(arrivals, environ(io.BytesIO(b"x" * 10)))
    assert refused.value.issues[0].code == "throttled"
    assert ("Connection", "close") in refused.value.headers


def test_a_refusal_takes_nobodys_place_or_permit(arrivals: Arrivals, stalled: Any) -> None:
    stalled(2 * WORKING)
    for _ in range(WORKING + 1):
        with pytest.raises(Busy):
            reading(arrivals, environ(io.BytesIO(b"x" * 10)))

    assert reading(arrivals, {"PATH_INFO": "/fhir/metadata"}) == b"none"


def test_a_late_body_is_told_so(arrivals: Arrivals) -> None:
    class Late(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            [arrival] = arrivals.waiting_since(float("inf"))
            arrival.is_late = True
            return b"{"

    with pytest.raises(TimedOut, match="64 KiB of it, or its end, may take 5 s"):
        reading(arrivals, environ(Late()))
    assert arrivals.waiting_since(float("inf")) == []


def test_only_those_that_wait_long_are_told_of(arrivals: Arrivals, stalled: Any) -> None:
    stalled(1)
    [arrival] = arrivals.waiting_since(float("inf"))

    assert isinstance(arrival, Arrival)
    assert arrivals.waiting_since(arrival.since) == [arrival]
    assert arrivals.waiting_since(arrival.since - 1) == []
