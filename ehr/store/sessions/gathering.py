"""Writes that wait at the same moment share one PostgreSQL transaction.

No thread of its own: a write that finds nobody leading leads, so that a lone one waits for nobody.
It takes those that queued while the one before was under way, has all of them written in one
transaction, wakes them and hands on. What can't be shared (it waits for somebody's lock, loses a
race, or one of them is refused late) each write does again by itself, as if never shared.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from enum import Enum
from typing import Any, Protocol, TypeVar

from ehr.turns import waiting

_MOST = 64  # writes of one transaction
_PATIENCE = 2.0  # seconds until a write that nobody takes goes by itself


class Part(Protocol):
    """A write that may go with others; two that write the same thing never do."""

    @property
    def names(self) -> Collection[Hashable]:
        """Return the names of what it writes."""


class Outcome(Enum):
    """What came of a part that has neither a result nor an error."""

    NOT_SHARED = "it is to be done by itself"


T = TypeVar("T")
# Writes the parts and returns, once that is durable, what came of each: its result or its error.
Together = Callable[[Sequence[Any]], Sequence[Any]]


class _Waiting:
    """A write that waits; `gate` opens when it is to lead or when it is done."""

    __slots__ = ("gate", "leads", "outcome", "part")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.gate = threading.Lock()
        self.gate.acquire()
        self.leads = False
        self.outcome: Any = Outcome.NOT_SHARED


class Gathering:
    """The writes of one process that may share transactions, one such transaction at a time."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._is_led = False
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Return how many writes wait for a leader to take them."""
        return len(self._waiting)

    def run(self, part: Part, together: Together, alone: Callable[[], T]) -> T:
        """Have a part written with those of others, or else `alone`; return what came of it."""
        one = _Waiting(part)
        with self._lock:
            one.leads = not self._is_led
            if one.leads:
                self._is_led = True
            else:
                self._waiting.append(one)
        if not one.leads:
            with waiting():
                self._await_turn(one)
        if one.leads:
            self._lead(one, together)
        if isinstance(one.outcome, BaseException):
            raise one.outcome
        if one.outcome is Outcome.NOT_SHARED:
            return alone()
        result: T = one.outcome
        return result

    def _await_turn(self, one: _Waiting) -> None:
        if one.gate.acquire(timeout=self._patience):
            return
        with self._lock:
            if one in self._waiting:
                self._waiting.remove(one)
                return
        one.gate.acquire()  # taken: whoever did that opens it, whatever comes

    def _lead(self, first: _Waiting, together: Together) -> None:
        group = self._group(first)
        try:
            outcomes = together([one.part for one in group])
            for one, outcome in zip(group, outcomes, strict=True):
                one.outcome = outcome
        except Exception:  # noqa: S110  whose fault it is shows when each is done by itself
            pass
        finally:
            for one in group[1:]:
                one.gate.release()
            self._hand_on()

    def _group(self, first: _Waiting) -> list[_Waiting]:
        """Take those that wait, in their order, less those that write what another one writes."""
        group, left = [first], deque[_Waiting]()
        names = set(first.part.names)
        with self._lock:
            while self._waiting and len(group) < _MOST:
                one = self._waiting.popleft()
                if names.isdisjoint(one.part.names):
                    names.update(one.part.names)
                    group.append(one)
                else:
                    left.append(one)
            self._waiting.extendleft(reversed(left))
        return group

    def _hand_on(self) -> None:
        with self._lock:
            if not self._waiting:
                self._is_led = False
                return
            heir = self._waiting.popleft()
        heir.leads = True
        heir.gate.release()
