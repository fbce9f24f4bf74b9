"""Bodies on their way: how many may be waited for at once, and how long each piece may take.

A thread that waits for a caller's next bytes serves nobody. So a server has more threads than may
work at once: bodies wait in some of the others, never in all (503 for more, RFC 9110 §15.6.4), and
health answers always find one. Whoever sends less than a piece within the time-out is cut off and
told so (408, §15.5.9); `slow_connections` does the cutting.
"""

import sys
import time
from collections.abc import Iterable, Mapping
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ehr.errors import Busy, TimedOut
from ehr.turns import Turns, waiting

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PIECE = 64 * 1024
# For each thread that works, two may wait for bodies; one more answers what takes no time.
THREADS_FOR_EACH_WORKING, _PLACES_FOR_EACH_WORKING = 4, 2
# Bodies that are here already are read in no time: where all places are taken it is asked again.
_ROUNDS, _PAUSE = 4, 0.05
_CLOSE = (("Connection", "close"),)


class Arrival:
    """One body on its way: from where, since when its piece is waited for, and if too long."""

    __slots__ = ("address", "is_late", "since")

    def __init__(self, address: str) -> None:
        self.address, self.since, self.is_late = address, 0.0, False


class Arrivals:
    """The requests of this process: `working` of them at once, the bodies of others on their way.

    Those that work compute in turns. A piece of a body may take `patience` seconds.
    """

    def __init__(self, working: int, patience: float) -> None:
        self.patience = patience
        self._places = working * _PLACES_FOR_EACH_WORKING
        self._waiting: set[Arrival] = set()
        self._turns = Turns()
        # Faster than a semaphore, which is not written in C.
        self._permits: SimpleQueue[None] = SimpleQueue()
        for _ in range(working):
            self._permits.put(None)

    def around(self, application: "WSGIApplication", *paths: str) -> "WSGIApplication":
        """Return the application with these rules for what lies below these paths."""

        def bounded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            if not environ["PATH_INFO"].startswith(paths):
                return application(environ, start_response)
            if _has_body(environ):
                environ["wsgi.input"] = _Input(environ, self)
            self._permits.get()
            try:
                with self._turns.one():
                    return application(environ, start_response)
            finally:
                self._permits.put(None)

        return bounded

    def waiting_since(self, moment: float) -> list[Arrival]:
        """Return the bodies whose piece is waited for since a moment of the monotonic clock."""
        return [each for each in self._waiting.copy() if each.since <= moment]

    def begin(self, arrival: Arrival) -> None:
        """Let others work while this one waits for its body. Raises Busy where too many wait."""
        for _ in range(_ROUNDS):
            if len(self._waiting) < self._places:
                arrival.since = time.monotonic()
                self._waiting.add(arrival)
                self._permits.put(None)
                return
            time.sleep(_PAUSE)
        raise Busy(
            "Too many bodies are on their way to this server. Send it again.",
            code="throttled",
            headers=_CLOSE,
        )

    def end(self, arrival: Arrival) -> None:
        """Wait until this one may work again."""
        self._waiting.discard(arrival)
        self._permits.get()


def _has_body(environ: Mapping[str, Any]) -> bool:
    stated = environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")
    return bool(stated) and "wsgi.input" in environ


class _Input:
    """A `wsgi.input` that is read in pieces; after a refusal there is nothing more in it."""

    def __init__(self, environ: Mapping[str, Any], arrivals: Arrivals) -> None:
        self._stream, self._arrivals = environ["wsgi.input"], arrivals
        self._arrival = Arrival(str(environ.get("REMOTE_ADDR", "")))
        self._is_over = False

    def read(self, size: int = sys.maxsize) -> bytes:
        """Return that many bytes, fewer at the end. Raises Busy and TimedOut."""
        parts: list[bytes] = []
        while size > 0 and (part := self._piece(min(size, PIECE))):
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _piece(self, size: int) -> bytes:
        if self._is_over:
            return b""
        self._is_over = True
        with waiting():
            piece = self._arrived(size)
        if self._arrival.is_late:
            raise TimedOut(
                f"The body did not arrive: {PIECE // 1024} KiB of it, or its end, may take "
                f"{self._arrivals.patience:g} s. Send it again.",
                headers=_CLOSE,
            )
        self._is_over = not piece
        return piece

    def _arrived(self, size: int) -> bytes:
        self._arrivals.begin(self._arrival)
        try:
            piece: bytes = self._stream.read(size)
        finally:
            self._arrivals.end(self._arrival)
        return piece
