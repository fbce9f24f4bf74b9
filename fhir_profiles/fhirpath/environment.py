"""What an evaluation knows besides its input: variables, callbacks, clock and limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import inf
from time import monotonic
from typing import Any

from .errors import FhirPathError
from .nodes import Collection, Node
from .temporal import Temporal

Resolve = Callable[[str], Any]
Check = Callable[[Any, str], bool | None]
Closure = Callable[[Collection, "Environment"], Collection]
Operator = Callable[[Collection, Collection, "Environment"], Collection]

MAX_STEPS = 2_000_000
MAX_SECONDS = 5.0
MAX_TEXT = 1_000_000  # characters of one string
MAX_TEXTS = 10_000_000  # and of all that are made
_QUANTUM = 10_000


@dataclass(slots=True)
class Environment:
    """State of one evaluation.

    `steps` is what may be spent before the limits are looked at again; `rest` what is left of all,
    and `characters` how many may still be made: all strings may be kept until the end.
    """

    resource: Node
    root: Node
    context: Collection
    variables: Mapping[str, Any]
    resolve: Resolve | None = None
    member_of: Check | None = None
    conforms_to: Check | None = None
    trace: Callable[[str, list[Any]], None] | None = None
    moment: datetime | None = None
    deadline: float = inf
    steps: int = _QUANTUM
    rest: int = MAX_STEPS
    characters: int = MAX_TEXTS
    index: int = -1
    total: Collection = field(default_factory=list)

    def spend(self, steps: int) -> None:
        """Account for work; raise FhirPathError when an expression runs away."""
        self.steps -= steps
        if self.steps < 0:
            self.refill()

    def made(self, text: str) -> str:
        """Account for a string and return it; raise FhirPathError when strings grow without end."""
        size = len(text)
        if size > MAX_TEXT:
            raise FhirPathError(f"A string of more than {MAX_TEXT} characters was made")
        self.characters -= size
        if self.characters < 0:
            raise FhirPathError(f"Strings of more than {MAX_TEXTS} characters were made")
        self.spend(size >> 6)
        return text

    def refill(self) -> None:
        """Look at the limits, and allow another quantum of steps."""
        self.rest -= _QUANTUM - self.steps
        self.steps = _QUANTUM
        if self.rest < 0:
            raise FhirPathError("The expression does too much work on this input")
        self.watch()

    def watch(self) -> None:
        """Look at the clock: called before a single step that may take long."""
        if monotonic() > self.deadline:
            raise FhirPathError("The expression takes too long on this input")

    def now(self) -> Temporal:
        """Return the moment of this evaluation, the same at each call."""
        if self.moment is None:
            self.moment = datetime.now().astimezone()
        at = self.moment
        offset = at.utcoffset()
        second = Decimal(at.second) + Decimal(at.microsecond // 1000).scaleb(-3)
        minutes = None if offset is None else int(offset.total_seconds() // 60)
        day = (at.year, at.month, at.day)
        return Temporal("DateTime", (*day, at.hour, at.minute, second), minutes)
