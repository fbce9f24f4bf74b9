"""The clauses of the policy as the record has them, and what takes each away.

A clause that can go without the suite noticing is not tried by it. Names are those of the product:
one that is not there any more fails, so that this table follows.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import _lru_cache_wrapper
from importlib import import_module
from pathlib import Path
from random import Random
from sys import modules
from typing import Any
from unittest.mock import patch

from flask import Flask
from sqlalchemy import false, true

from ehr.app import create_app
from ehr.record import open_record
from tests import engines
from tests.policy import role_table
from tests.policy.leaks.asking import Asking, serve
from tests.policy.leaks.measuring import opened
from tests.policy.leaks.paths import PATHS
from tests.policy.leaks.paths.searching import all_of
from tests.policy.leaks.running import Asker, Run, run_on
from tests.policy.leaks.tally import Tally
from tests.policy.world import make_world

_CELLS = role_table.cells()


def _always(*_: Any, **__: Any) -> Any:
    return true()


def _never(*_: Any, **__: Any) -> Any:
    return false()


def _nothing(*_: Any, **__: Any) -> list[Any]:
    return []


@dataclass(frozen=True, slots=True)
class Mutation:
    """What stands at a place, `module:name` or `module:Class.name`, is replaced."""

    place: str
    by: Callable[..., Any]


# What is taken away, by what it is in auth/README.md.
CLAUSES: Mapping[str, Mutation] = {
    "2 relationship of staff": Mutation("ehr.access.opened:_by_role", _always),
    "2 relationship in force": Mutation("ehr.access.relationships.held:_is_live", _always),
    "2 who delegates has it": Mutation("ehr.access.relationships.held:_giver_holds", _always),
    "2 the carer is the patient's": Mutation(
        "ehr.access.relationships.held:_carer_is_there", _always
    ),
    "2 the grant's areas": Mutation("ehr.access.opened:_permits", _always),
    "3 sealed": Mutation("ehr.access.rows:Row.is_sealed", _never),
    "3 locked": Mutation("ehr.access.rows:Row.is_locked", _never),
    "3 sensitivities": Mutation("ehr.access.rows:Row.has_any", _never),
    "3 carers and what is above N": Mutation("ehr.access.rows:Row.is_plain", _always),
    "3 release times": Mutation("ehr.access.rows:Row.is_out", _always),
    "3 who wrote it, too much": Mutation("ehr.access.rows:Row.is_entered_here", _always),
    "3 who wrote it, too little": Mutation("ehr.access.rows:Row.is_entered_here", _never),
    "3 patients": Mutation("ehr.access.visible:opened_to_patient", _always),
    "3 systems": Mutation("ehr.access.visible:opened_to_system", _always),
    "4 denials": Mutation("ehr.access.opened:is_denied", _never),
    "4 denials that broken glass lifts": Mutation(
        "ehr.access.consents.denied:_has_broken_glass", _always
    ),
    "4 denials that broken glass does not lift": Mutation(
        "ehr.access.consents.denied:_has_broken_glass", _never
    ),
    "4 what denials spare": Mutation("ehr.access.consents.denied:_is_spared", _always),
    "4 what denials do not spare": Mutation("ehr.access.consents.denied:_is_spared", _never),
    "unfiled rows": Mutation("ehr.access.visible:_is_unfiled_here", _always),
    "unfiled rows of systems": Mutation("ehr.access.visible:_is_unfiled_of_system", _always),
    "whose rows a scope means": Mutation("ehr.access.visible:_whose", _nothing),
    "Binaries through what refers to them": Mutation("ehr.access.visible:_is_referred_to", _always),
}
SEE_PARTS = ("social-worker", "care-coordinator")
_TRIES = 20
# What is judged in a place of its own, and the path that asks there.
ELSEWHERE: Mapping[str, tuple[Mutation, str, tuple[str, ...]]] = {
    "labels of a version": (
        Mutation("ehr.access.rows:Row.conf", property(lambda row: row.row.c.conf)),  # type: ignore[arg-type]
        "history relabelled",
        (),
    ),
    "sensitivities of a version": (
        Mutation("ehr.access.rows:Row.sens", property(lambda row: row.row.c.sens)),  # type: ignore[arg-type]
        "history relabelled",
        (),
    ),
    "parts in answers": (
        Mutation("ehr.interactions.access.parts:left_of", lambda one: one),
        "parts",
        SEE_PARTS,
    ),
    "parts in includes": (
        Mutation("ehr.search.results.include:is_shown", _always),
        "linked",
        SEE_PARTS,
    ),
    "parts that contain": (
        Mutation("ehr.search.plan.chained:is_seen_whole", _always),
        "contained",
        SEE_PARTS,
    ),
    "who goes on with a search": (
        Mutation("ehr.search.answer:bound_to", lambda _: "anybody"),
        "page link",
        (),
    ),
    "whose acts are told": (
        Mutation("ehr.interactions.audit_events.reader:Reader.conditions", _nothing),
        "audit",
        (),
    ),
    "rows behind events": (
        Mutation(
            "ehr.interactions.audit_events.reader:_told_of",
            lambda reader, connection, events: list(events),
        ),
        "audit",
        (),
    ),
    "who may know who made it": (
        Mutation("ehr.interactions.provenance.told:_may_see", lambda *_: True),
        "provenance",
        (),
    ),
    "what a write by id may find": (
        Mutation("ehr.interactions.access.permission:_covers", lambda *_: True),
        "writes by id",
        (),
    ),
}
# Who asks of the trail, one of each role: each question adds to it, and is told of from then on.
_TRAIL = "audit"
# Words of the role table that narrow reading; each is taken away by itself.
WORDS = (
    "area", "grant", "key", "live", "measured", "mine", "need", "party", "plain", "plan",
    "released", "review", "self", "shared", "social", "told", "unlocked", "vital", "aggregate",
)  # fmt: skip
# What reading is narrowed by too, and what opens the row decides already: a carer's rows are opened
# by the grant, the row that is `self` by who asks, and what is not `released` not to its patient.
DECIDED_ELSEWHERE = frozenset({"grant", "self", "released"})


# How large the world is in which each is tried, and how many ask.
PATIENTS, ASKERS = 16, 80
# Takes nothing away: what is noticed then is a difference of the suite itself.
UNCHANGED = ""


@contextmanager
def without(name: str) -> Iterator[None]:
    """Take a clause away, or the word of the role table."""
    if name == UNCHANGED:
        yield
        return
    if name in CLAUSES or name in ELSEWHERE:
        change = CLAUSES[name] if name in CLAUSES else ELSEWHERE[name][0]
        place, by = change.place, change.by
    else:
        place, by = "ehr.access.visible:met_by_word", _word_always(name)
    module, _, path = place.partition(":")
    holder: Any = import_module(module)
    *outer, attribute = path.split(".")
    for one in outer:
        holder = getattr(holder, one)
    _forget()
    try:
        with patch.object(holder, attribute, by):
            yield
    finally:
        _forget()


def _word_always(name: str) -> Callable[..., Any]:
    met_by_word = import_module("ehr.access.visible").met_by_word

    def met(word: str, *given: Any, **named: Any) -> Any:
        return true() if word == name else met_by_word(word, *given, **named)

    return met


def _forget() -> None:
    """Empty what the product keeps of conditions that it has made."""
    for name, module in list(modules.items()):
        if name.partition(".")[0] in ("ehr", "auth"):
            for one in vars(module).values():
                if isinstance(one, _lru_cache_wrapper):
                    one.cache_clear()


@dataclass(frozen=True, slots=True)
class Noticed:
    """What the suite notices first without a clause, and with it by the same questions."""

    told: str = ""
    anyway: str = ""


def notices(run: Run, name: str) -> Noticed:
    """Return what the suite notices without a clause.

    What is judged in a place of its own is asked again with the clause: a difference that is there
    all the same says nothing of the clause.
    """
    state = run.rng.getstate()
    told, tries = _tried(run, name, name, _TRIES)
    if not told or name not in ELSEWHERE:
        return Noticed(told)
    run.rng.setstate(state)
    return Noticed(told, _tried(run, UNCHANGED, name, tries)[0])


def _tried(run: Run, gone: str, name: str, tries: int) -> tuple[str, int]:
    """Ask what is asked about `name` with something gone; return the first difference, how often
    it was asked."""
    with without(gone):
        record = open_record(run.served.record.settings)
        try:
            app = create_app(replace(record, clock=run.served.record.clock))
            other = replace(run, tally=Tally(run.tally.seed), askers=_let_in(run, app))
            asked = 1
            if name in ELSEWHERE:
                asked = _ask_there(other, *ELSEWHERE[name][1:], tries)
            else:
                _see_all(other, name)
            return (other.tally.report().splitlines()[2] if other.tally.wrong else ""), asked
        finally:
            record.database.close()


def _let_in(run: Run, app: Flask) -> list[Asker]:
    """Return the same callers, on an app that was made without the clause."""
    return [
        replace(one, client=Asking(app.test_client(), one.client.token, run.served.failed))
        for one in run.askers
    ]


def _ask_there(run: Run, path: str, roles: tuple[str, ...], tries: int) -> int:
    """Ask by one path, callers of these roles (none: of any), until something differs.

    Return how often.
    """
    run.askers[:] = [one for one in run.askers if not roles or one.sight.caller.role in roles]
    if path == _TRAIL:
        run.askers[:] = {one.sight.caller.role: one for one in run.askers}.values()
    for asked in range(1, tries + 1):
        PATHS[path](run)
        if run.tally.wrong:
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


def unnoticed(engine: str, folder: Path) -> set[str]:
    """Take each clause away, print what notices it, and return those that nothing notices.

    Nothing taken away is a clause too, by the empty name: what is noticed then is a fault.
    """
    found: set[str] = set()
    of_trail = [name for name, one in ELSEWHERE.items() if one[1] == _TRAIL]
    others = [name for name in (UNCHANGED, *CLAUSES, *ELSEWHERE, *WORDS) if name not in of_trail]
    # What is asked of the trail has a record of its own, of which nobody has asked anything.
    for names in (others, *([name] for name in of_trail)):
        found |= _unnoticed_of(names, engine, folder)
    return found - DECIDED_ELSEWHERE


def _unnoticed_of(names: Sequence[str], engine: str, folder: Path) -> set[str]:
    """Try some clauses on one record."""
    found: set[str] = set()
    with engines.fresh_url(engine, folder) as url:
        record = opened(url)
        served = serve(record, make_world(PATIENTS, seed=21))
        run = run_on(served, seed=21, askers=ASKERS, turns=100)
        for name in names:
            begun = time.monotonic()
            noticed = notices(run, name)
            first = noticed.told or "NOT NOTICED"
            if noticed.anyway:
                first = f"DIFFERS ANYWAY: {noticed.anyway}"
            seconds = time.monotonic() - begun
            print(f"{name or 'nothing':45} {seconds:5.0f} s  {first[:150]}", flush=True)  # noqa: T201
            if noticed.anyway or bool(noticed.told) == (name == UNCHANGED):
                found.add(name)
        record.database.close()
    return found


def _pairs(run: Run) -> list[tuple[Asker, str]]:
    """Return each caller with each type of which there are rows that somebody is kept from."""
    types = sorted({row.type for row in run.rows if not row.is_shared})
    return [(asker, type) for asker in run.askers for type in types]
