"""A load as a whole: phases in order, a second try for what came too early, rejects and figures."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from ehr.bulk.results import Outcome, Reject
from ehr.bulk.sources import Source
from ehr.bulk.state import State
from ehr.bulk.units import Piece, Unit, units

Advance = Callable[[int, int], None]  # (bytes of the sources, resources)


class Loader(Protocol):
    """What takes units in: the store directly, or a server by HTTP."""

    def load(self, units: Iterable[Unit]) -> Iterator[tuple[Unit, Outcome]]:
        """Load units; yield each with what became of it."""


@dataclass(slots=True)
class Summary:
    """The figures of a load. `skipped`: units that an earlier, stopped load took in."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    rejects: list[Reject] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """Return the figures as `--json` prints them."""
        return {
            "created": self.created,
            "updated": self.updated,
            "skipped": self.skipped,
            "rejected": len(self.rejects),
        }


def load_sources(
    loader: Loader, sources: Sequence[Source], state: State, advance: Advance
) -> Summary:
    """Load every document, in phases. What lacked something is tried again at the end."""
    summary = Summary()
    early: list[Unit] = []
    for _, some in groupby(sources, key=lambda source: source.phase):
        fresh = _fresh(units(list(some)), state, summary, advance)
        early += _run(loader, fresh, state, summary, advance)
    while early:
        before = len(early)
        early = _run(loader, early, state, summary, advance)
        if len(early) >= before:
            break
    for unit in early:  # their reasons are known: tell them
        for _, outcome in loader.load([unit]):
            _count(summary, outcome)
            summary.rejects += outcome.rejects
    return summary


def _fresh(
    found: Iterable[Unit], state: State, summary: Summary, advance: Advance
) -> Iterator[Unit]:
    for unit in found:
        if unit.key in state:
            summary.skipped += 1
            advance(unit.size, 0)
        else:
            yield unit


def _run(
    loader: Loader, some: Iterable[Unit], state: State, summary: Summary, advance: Advance
) -> list[Unit]:
    """Load units; return those that may pass when more is there."""
    early: list[Unit] = []
    for unit, outcome in loader.load(some):
        _count(summary, outcome)
        later = [reject.piece for reject in outcome.rejects if reject.may_pass_later]
        summary.rejects += [one for one in outcome.rejects if not one.may_pass_later]
        early += [Unit((piece,), 0, is_retry=True) for piece in _distinct(later)]
        if not outcome.rejects:
            state.add(unit.key)
        advance(unit.size, outcome.loaded)
    return early


def _distinct(pieces: Sequence[Piece]) -> list[Piece]:
    return list({(piece.source, piece.line): piece for piece in pieces}.values())


def _count(summary: Summary, outcome: Outcome) -> None:
    summary.created += outcome.created
    summary.updated += outcome.updated


def write_rejects(rejects: Sequence[Reject], path: Path) -> None:
    """Write the rejects as NDJSON, one line each."""
    with path.open("w", encoding="utf-8") as file:
        for reject in rejects:
            file.write(json.dumps(reject.line(), ensure_ascii=False) + "\n")
