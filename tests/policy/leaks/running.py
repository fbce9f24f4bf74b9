"""One run of the leak suite: a served world, callers with their sights, chance, and the tally."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from tests.client import Client
from tests.policy.leaks.asking import Served
from tests.policy.leaks.seeing import Elements, Sight, oracle_of, stamped
from tests.policy.leaks.tally import Tally
from tests.policy.naive import Caller, Row
from tests.policy.naive.moments import is_within
from tests.policy.world import World
from tests.spec.oracle.search import Oracle

T = TypeVar("T")
# Types of which a role or a relationship shows parts only.
WITH_PARTS = ("Patient", "EpisodeOfCare", "DiagnosticReport", "ImagingStudy")


@dataclass(slots=True)
class Asker:
    """One caller: what to call it, its client, and what it sees by the naive evaluator."""

    name: str
    client: Client
    sight: Sight

    def is_of(self, *kinds: str) -> bool:
        """Tell whether the caller is of one of these kinds."""
        return self.sight.caller.kind in kinds


@dataclass(slots=True)
class Run:
    """What the paths are run with. `turns` is about how many questions each path asks; `aims` are
    role, type and letter of the writes that are tried (none: any)."""

    served: Served
    rng: Random
    askers: list[Asker]
    tally: Tally
    turns: int
    elements: Elements
    aims: frozenset[tuple[str, str, str]] = frozenset()
    _all: list[Oracle] = field(default_factory=list)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows of the world."""
        return self.served.world.record.rows()

    @property
    def everything(self) -> Client:
        """A client from whom nothing is hidden."""
        return self.served.everything

    @property
    def oracle(self) -> Oracle:
        """The oracle that knows everything: questions are made of what it knows."""
        if not self._all:
            kept = [stamped(self.elements, row) for row in self.rows if not row.is_deleted]
            self._all.append(oracle_of(self.served.world, self.elements, kept))
        return self._all[0]

    def one(self, some: Sequence[T]) -> T:
        """Return one of some by chance."""
        return self.rng.choice(some)

    def asker(self) -> Asker:
        """Return a caller by chance."""
        return self.one(self.askers)

    def row_for(self, asker: Asker, *types: str, letter: str = "r") -> Row:
        """Return a row by chance: as often one that the caller sees as one that it does not."""
        rows = [row for row in self.rows if not types or row.type in types]
        wanted = self.rng.random() < 0.5
        some = [row for row in rows if asker.sight.sees(row, letter) == wanted]
        return self.one(some or rows)

    def another_id(self) -> str:
        """Return an id that nothing has."""
        return f"nobody-{self.rng.randrange(10**9)}"


def _has_ended(world: World, caller: Caller) -> bool:
    """Tell whether nobody is let in as this carer any more, whatever a Consent says."""
    row = world.record.row(caller.person) if caller.kind == "carer" and caller.person else None
    if row is None:
        return False
    period = row.document.get("period")
    return row.is_deleted or row.document.get("active") is False or not is_within(period, world.now)


def run_on(served: Served, *, seed: int, askers: int, turns: int) -> Run:
    """Return a run with some of the world's callers, of every role and kind that it has."""
    rng, elements = Random(seed), Elements()
    world = served.world
    by_role: dict[str, list[str]] = {}
    for name, caller in world.callers.items():
        if not _has_ended(world, caller):
            by_role.setdefault(caller.role, []).append(name)
    for names in by_role.values():
        rng.shuffle(names)
    chosen: list[str] = []
    while len(chosen) < min(askers, sum(map(len, by_role.values())) + len(chosen)):
        chosen += [names.pop() for names in by_role.values() if names]
    every = [
        Asker(name, served.clients[name], Sight(world, world.callers[name], elements))
        for name in chosen
    ]
    return Run(served, rng, every, Tally(seed), turns, elements)
