"""Cut off the connections whose bodies do not arrive.

The HTTP server waits for a body without end and offers nothing to stop it, nor does it say which
connection a request came by. But the system tells of each connection what came and went. Late
bodies from an address came by connections that brought less than a piece for as long, and took
nothing; idle ones are closed sooner. So where there are as many such connections as late bodies,
they are those, and their reading is ended. Where there are more, a long search is among them: then
it is asked again a second later. Linux only; elsewhere the places of `arrivals` are all there is.
"""

import contextlib
import os
import socket
import stat
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

from ehr.rest.arrivals import PIECE, Arrivals

_TICK = 1.0
# Of struct tcp_info: bytes_acked and bytes_received, and (behind two counts) notsent_bytes.
_COUNTS = struct.Struct("QQ8xI")
_COUNTS_AT, _INFO_SIZE = 120, 148


@dataclass(frozen=True, slots=True)
class _Connection:
    """What the system tells of a connection."""

    fileno: int
    peer: tuple[str, int]
    sent: int
    received: int
    unsent: int


_Seen = dict[tuple[str, int], "deque[tuple[float, _Connection]]"]


def watch(arrivals: Arrivals, port: int) -> None:
    """Cut off late bodies on the connections of a port for as long as this process lives."""
    if sys.platform == "linux":
        threading.Thread(target=_keep_watching, args=(arrivals, port), daemon=True).start()


def _keep_watching(arrivals: Arrivals, port: int) -> None:
    seen: _Seen = {}
    while True:
        time.sleep(_TICK)
        now = time.monotonic()
        if arrivals.waiting_since(now - _TICK):
            _look(arrivals, port, seen, now)
        else:
            seen.clear()


def _look(arrivals: Arrivals, port: int, seen: _Seen, now: float) -> None:
    connections = list(_connections(port))
    for gone in seen.keys() - {each.peer for each in connections}:
        del seen[gone]
    for each in connections:
        seen.setdefault(each.peer, deque()).append((now, each))
    still = [each for each in connections if _is_still(seen[each.peer], now - arrivals.patience)]
    # Two ticks more, so that each was looked at for as long as it may take.
    late = arrivals.waiting_since(now - arrivals.patience - 2 * _TICK)
    for address, number in Counter(_plain(each.address) for each in late).items():
        found = [each for each in still if each.peer[0] == address]
        if len(found) == number:
            for body in late:
                body.is_late = body.is_late or _plain(body.address) == address
            for one in found:
                _end_reading(one)


def _is_still(moments: "deque[tuple[float, _Connection]]", since: float) -> bool:
    """Tell whether nothing went, and less than a piece came, since a moment; forget older ones."""
    while len(moments) > 1 and moments[1][0] <= since:
        moments.popleft()
    (first, before), (_, now) = moments[0], moments[-1]
    is_quiet = before.sent == now.sent and now.received - before.received < PIECE
    # Who does not take an answer in has had his body read.
    return first <= since and is_quiet and not now.unsent


def _connections(port: int) -> Iterator[_Connection]:
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError, struct.error):
            found = _told(int(name), port)
            if found is not None:
                yield found


def _told(fileno: int, port: int) -> _Connection | None:
    if not stat.S_ISSOCK(os.fstat(fileno).st_mode):
        return None
    with _borrowed(fileno) as one:
        if one.family not in (socket.AF_INET, socket.AF_INET6) or one.getsockname()[1] != port:
            return None
        peer = one.getpeername()
        info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    sent, received, unsent = _COUNTS.unpack_from(info, _COUNTS_AT)
    return _Connection(fileno, (_plain(peer[0]), peer[1]), sent, received, unsent)


def _end_reading(connection: _Connection) -> None:
    """Let the server see an end; it can still answer."""
    with contextlib.suppress(OSError), _borrowed(connection.fileno) as one:
        if (_plain(one.getpeername()[0]), one.getpeername()[1]) == connection.peer:
            one.shutdown(socket.SHUT_RD)


@contextlib.contextmanager
def _borrowed(fileno: int) -> Iterator[socket.socket]:
    """Give the server's own socket; never a copy: closing it could give up locks on a file."""
    one = socket.socket(fileno=fileno)
    try:
        yield one
    finally:
        one.detach()


def _plain(address: str) -> str:
    return address.removeprefix("::ffff:")
