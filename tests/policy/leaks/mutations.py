"""The mutation run: each clause of the policy is taken away, and the suite must notice.

A clause that can go without the suite noticing is not tried by it. `clauses.py` and `written.py`
have the clauses. Where the product fails (5xx) without one, nothing is noticed: a caller would be
told of a fault, not of what is hidden.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import _lru_cache_wrapper
from pathlib import Path
from random import Random
from sys import modules
from unittest.mock import patch

from flask import Flask

from ehr.app import create_app
from ehr.record import open_record
from tests import engines
from tests.policy import role_table
from tests.policy.leaks.asking import Asking, serve
from tests.policy.leaks.clauses import (
    CLAUSES,
    DECIDED_ELSEWHERE,
    ELSEWHERE,
    SEED,
    TRAIL,
    WORDS,
    Clause,
    product,
    without_word,
)
from tests.policy.leaks.measuring import opened
from tests.policy.leaks.paths import PATHS
from tests.policy.leaks.paths.searching import all_of
from tests.policy.leaks.running import Asker, Run, run_on
from tests.policy.leaks.tally import Tally
from tests.policy.leaks.written import WRITING
from tests.policy.world import make_world

_CELLS = role_table.cells()
_TRIES = 20
# How large the world is in which each is tried, and how many ask.
PATIENTS, ASKERS = 16, 80
# Takes nothing away: what is noticed then is a difference of the suite itself.
UNCHANGED = ""
ALL: dict[str, Clause] = {
    **CLAUSES,
    **ELSEWHERE,
    **{word: without_word(word) for word in WORDS},
    **WRITING,
}


@contextmanager
def without(name: str) -> Iterator[None]:
    """Take a clause away."""
    if name == UNCHANGED:
        yield
        return
    change = ALL[name]
    holder, _, attribute = change.place.replace(":", ".").rpartition(".")
    module, _, path = change.place.partition(":")
    outer = path.rpartition(".")[0]
    found = product(f"{module}:{outer}") if outer else modules[holder]
    _forget()
    try:
        with patch.object(found, attribute, change.by):
            yield
    finally:
        _forget()


def _forget() -> None:
    """Empty what the product keeps of conditions that it has made."""
    for name, module in list(modules.items()):
        if name.partition(".")[0] in ("ehr", "auth"):
            for one in vars(module).values():
                if isinstance(one, _lru_cache_wrapper):
                    one.cache_clear()


@dataclass(frozen=True, slots=True)
class Noticed:
    """What the suite notices first without a clause, and with it by the same questions.

    `failed` is what the product failed on instead.
    """

    told: str = ""
    anyway: str = ""
    failed: str = ""

    def is_right(self, name: str) -> bool:
        """Tell whether this is what should be noticed."""
        return not (self.anyway or self.failed) and bool(self.told) == (name != UNCHANGED)

    def __str__(self) -> str:
        if self.failed:
            return f"FAILS: {self.failed}"
        return f"DIFFERS ANYWAY: {self.anyway}" if self.anyway else self.told or "NOT NOTICED"


def notices(run: Run, name: str) -> Noticed:
    """Return what the suite notices without a clause.

    What is judged in a place of its own is asked again with the clause: a difference that is there
    all the same says nothing of the clause.
    """
    state = run.rng.getstate()
    noticed, tries = _tried(run, name, name, _TRIES)
    if not noticed.told or noticed.failed or name == UNCHANGED or not ALL[name].path:
        return noticed
    run.rng.setstate(state)
    return replace(noticed, anyway=_tried(run, UNCHANGED, name, tries)[0].told)


def _tried(run: Run, gone: str, name: str, tries: int) -> tuple[Noticed, int]:
    """Ask what is asked about `name` with something gone; return the first difference, how often
    it was asked."""
    with without(gone):
        record = open_record(run.served.record.settings)
        failed: list[str] = []
        try:
            app = create_app(replace(record, clock=run.served.record.clock))
            tally, askers = Tally(run.tally.seed), _let_in(run, app, failed)
            other = replace(run, tally=tally, askers=askers)
            asked = 1
            if name != UNCHANGED and ALL[name].path:
                asked = _ask_there(other, ALL[name], tries, failed)
            else:
                _see_all(other, name)
            first = tally.report().splitlines()[2] if tally.wrong else ""
        except Exception as fault:
            return Noticed(failed=f"{failed[:1]} {fault!r}"), 1
        finally:
            record.database.close()
    return Noticed(first, failed="".join(failed[:1])), asked


def _let_in(run: Run, app: Flask, failed: list[str]) -> list[Asker]:
    """Return the same callers, on an app that was made without the clause."""
    return [
        replace(one, client=Asking(app.test_client(), one.client.token, failed))
        for one in run.askers
    ]


def _ask_there(run: Run, clause: Clause, tries: int, failed: Sequence[str]) -> int:
    """Ask by the path of a clause until something differs, or fails. Return how often."""
    roles = clause.roles or {role for role, _, _ in clause.aims} - {"named-lead"}
    run.askers[:] = [one for one in run.askers if not roles or one.sight.caller.role in roles]
    if clause.path == TRAIL:
        run.askers[:] = {one.sight.caller.role: one for one in run.askers}.values()
    run.aims = clause.aims
    for asked in range(1, tries + 1):
        PATHS[clause.path](run)
        if run.tally.wrong or failed:
            return asked
    return tries


def _see_all(run: Run, name: str) -> None:
    """Ask everybody for all rows of each type, until something differs."""
    pairs = _pairs(run)
    Random(run.tally.seed).shuffle(pairs)
    # Those whom a word is about come first: they notice at once.
    for asker, type in sorted(pairs, key=lambda pair: not _is_narrowed(pair[0], pair[1], name)):
        all_of(run, asker, type)
        if run.tally.wrong:
            return


def _is_narrowed(asker: Asker, type: str, word: str) -> bool:
    """Tell whether a word narrows what the caller's role reads of a type."""
    return any(word in words for words in _CELLS.get((asker.sight.caller.role, type, "s"), ()))


def unnoticed(engine: str, folder: Path, only: Sequence[str] = ()) -> set[str]:
    """Take each clause away, print what notices it, and return those that nothing notices.

    Nothing taken away is a clause too, by the empty name: what is noticed then is a fault.
    """
    found: set[str] = set()
    for seed, names in _worlds(only or (UNCHANGED, *ALL)):
        found |= _unnoticed_of(names, seed, engine, folder)
    return found - DECIDED_ELSEWHERE


def _worlds(names: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield what is tried on one record, by the seed of its world.

    What is asked of the trail has a record of its own, of which nobody has asked anything.
    """
    found: dict[tuple[int, str], list[str]] = {}
    for name in names:
        clause = ALL.get(name)
        alone = name if clause is not None and clause.path == TRAIL else ""
        found.setdefault((clause.seed if clause is not None else SEED, alone), []).append(name)
    for (seed, _), some in found.items():
        yield seed, some


def _unnoticed_of(names: Sequence[str], seed: int, engine: str, folder: Path) -> set[str]:
    """Try some clauses on one record."""
    found: set[str] = set()
    with engines.fresh_url(engine, folder) as url:
        record = opened(url)
        served = serve(record, make_world(PATIENTS, seed=seed))
        run = run_on(served, seed=seed, askers=ASKERS, turns=100)
        for name in names:
            begun = time.monotonic()
            noticed = notices(run, name)
            seconds = time.monotonic() - begun
            print(f"{name or 'nothing':45} {seconds:5.0f} s  {str(noticed)[:150]}", flush=True)  # noqa: T201
            if not noticed.is_right(name):
                found.add(name)
        record.database.close()
    return found


def _pairs(run: Run) -> list[tuple[Asker, str]]:
    """Return each caller with each type of which there are rows that somebody is kept from."""
    types = sorted({row.type for row in run.rows if not row.is_shared})
    return [(asker, type) for asker in run.askers for type in types]
