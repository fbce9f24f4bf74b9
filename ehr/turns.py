"""Turns: few threads of a process compute at once, however many requests are under way.

Python runs one thread at a time, and each statement and each row lets another one in. Where many
want to run, some answers are made in one go and others in fifty pieces. So who computes has a turn,
in the order of coming; who waits for a COMMIT, a body or another caller's write has none meanwhile.
A turn that takes longer than a moment no longer counts: long work delays nobody by more than that,
and no two requests can wait for each other.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

# One computes while the database works for another.
_AT_ONCE = 2
_MOMENT = 0.02  # seconds
_own = threading.local()


class Turns:
    """The turns of one process: `at_once` of them, none counted for longer than `moment` seconds.

    Whoever takes a turn's ticket hands the turn on, once: its own thread or one that waits.
    """

    def __init__(self, at_once: int = _AT_ONCE, moment: float = _MOMENT) -> None:
        self._moment = moment
        self._free = at_once
        self._lock = threading.Lock()
        self._gates: deque[threading.Lock] = deque()
        self._taken: set[Turn] = set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have a turn while the block computes."""
        turn = Turn()
        _own.turns, _own.turn = self, turn
        self.begin(turn)
        try:
            yield
        finally:
            self.end(turn)
            _own.turns = None

    def begin(self, turn: "Turn") -> None:
        """Wait until this turn comes, and begin it."""
        gate = self._gate()
        while gate is not None and not gate.acquire(timeout=self._moment):
            self._pass_over(time.monotonic() - self._moment)
        turn.since = time.monotonic()
        turn.ticket.append(None)
        self._taken.add(turn)

    def end(self, turn: "Turn") -> None:
        """End a turn and let the next one begin."""
        self._taken.discard(turn)
        self._hand_on(turn)

    def _gate(self) -> "threading.Lock | None":
        """Return what opens when the turn has come, None where it has."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            gate = threading.Lock()
            gate.acquire()
            self._gates.append(gate)
        return gate

    def _hand_on(self, turn: "Turn") -> None:
        try:
            turn.ticket.pop()
        except IndexError:
            return
        with self._lock:
            if self._gates:
                self._gates.popleft().release()
            else:
                self._free += 1

    def _pass_over(self, since: float) -> None:
        """Count those no longer who compute since then."""
        for turn in self._taken.copy():
            if turn.since <= since:
                self._hand_on(turn)


class Turn:
    """When a turn began, and its ticket while it counts."""

    __slots__ = ("since", "ticket")

    def __init__(self) -> None:
        self.since = 0.0
        self.ticket: list[None] = []


@contextmanager
def waiting() -> Iterator[None]:
    """Have no turn while the block waits for what others do; a thread without one needs none."""
    turns: Turns | None = getattr(_own, "turns", None)
    if turns is None:
        yield
        return
    turn: Turn = _own.turn
    turns.end(turn)
    try:
        yield
    finally:
        turns.begin(turn)
