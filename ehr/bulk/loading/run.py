"""A load as a whole: phases in order, a second try for what came too early, rejects and figures."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Protocol

from ehr.bulk.loading.results import Outcome, Reject
from ehr.bulk.loading.sources import Source
from ehr.bulk.loading.units import Unit, units
from ehr.store.load_marks import WHOLE

Advance = Callable[[int, int], None]  # (bytes of the sources, resources)


class Loader(Protocol):
    """What takes units in: the store directly, or a server by HTTP."""

    def load(self, units: Iterable[Unit]) -> Iterator[tuple[Unit, Outcome]]:
        """Load units; yield each with what became of it."""


class Progress(Protocol):
    """What an earlier load of the same has taken in, and what this one does."""

    def parts(self, unit: str) -> frozenset[str]:
        """Return the parts of a unit that are in; `WHOLE` for all of them."""

    def add(self, unit: str) -> None:
        """Remember that a unit is in as a whole."""

    def clear(self) -> None:
        """Forget everything: the load is complete."""

    def forget(self) -> None:
        """Begin anew, whatever an earlier load took in."""


@dataclass(slots=True)
class Summary:
    """The figures of a load. `skipped`: documents that an earlier load of the same took in."""

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
    loader: Loader, sources: Sequence[Source], state: Progress, advance: Advance
) -> Summary:
    """Load every document, in phases. What lacked something is tried again at the end."""
    summary = Summary()
    early: list[Unit] = []
    for _, some in groupby(sources, key=lambda source: source.phase):
        fresh = _fresh(units(list(some)), state, summary, advance)
        early += _run(loader, fresh, state, summary, advance).early
    left = -1
    while early:
        tried = _run(loader, early, state, summary, advance)
        early = tried.early
        if tried.lacking == left:
            break
        left = tried.lacking
    for unit, outcome in loader.load(early):  # their reasons are known: tell them
        _settle(unit, outcome, state, summary)
        summary.rejects += [one for one in outcome.rejects if one.may_pass_later]
    return summary


def _fresh(
    found: Iterable[Unit], state: Progress, summary: Summary, advance: Advance
) -> Iterator[Unit]:
    for unit in found:
        done = state.parts(unit.key)
        if WHOLE in done:
            summary.skipped += len(unit.pieces)
            advance(unit.size, 0)
        elif done:
            # Those of a Bundle's entries go by `piece/entry`.
            summary.skipped += sum("/" not in part for part in done)
            yield replace(unit, done=done)
        else:
            yield unit


@dataclass(slots=True)
class _Run:
    """Units that may pass when more is there, and how many resources of them lack something."""

    early: list[Unit] = field(default_factory=list)
    lacking: int = 0


def _run(
    loader: Loader, some: Iterable[Unit], state: Progress, summary: Summary, advance: Advance
) -> _Run:
    run = _Run()
    for unit, outcome in loader.load(some):
        _settle(unit, outcome, state, summary)
        lacking = sum(one.may_pass_later for one in outcome.rejects)
        if lacking:
            run.early.append(unit.again(outcome.settled))
            run.lacking += lacking
        advance(unit.size, outcome.loaded)
    return run


def _settle(unit: Unit, outcome: Outcome, state: Progress, summary: Summary) -> None:
    """Count what is in, and what never will be."""
    summary.created += outcome.created
    summary.updated += outcome.updated
    summary.rejects += [one for one in outcome.rejects if not one.may_pass_later]
    if not outcome.rejects:
        state.add(unit.key)


def write_rejects(rejects: Sequence[Reject], path: Path) -> Path:
    """Write the rejects as NDJSON, one line each, and return the file: a new one, maybe numbered.

    Those of an earlier load may be all that is left of what they name.
    """
    with _new_file(path) as file:
        for reject in rejects:
            file.write(json.dumps(reject.line(), ensure_ascii=False) + "\n")
    return Path(file.name)


def _new_file(path: Path) -> IO[str]:
    if path.exists() and not path.is_file():  # a pipe or a device
        return path.open("w", encoding="utf-8")
    named, number = path, 1
    while True:
        with suppress(FileExistsError):
            return named.open("x", encoding="utf-8")
        number += 1
        named = path.with_stem(f"{path.stem}-{number}")
