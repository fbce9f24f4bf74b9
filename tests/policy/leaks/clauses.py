"""The clauses of the policy as the record has them, and what takes each away.

Names are those of the product: one that is not there any more fails, so that this table follows.
What `auth/README.md` numbers has its number. Those of writing are in `written.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sqlalchemy import false, true

Aims = frozenset[tuple[str, str, str]]
SEED = 21


def always(*_: Any, **__: Any) -> Any:
    """Stand for a condition that is always met."""
    return true()


def never(*_: Any, **__: Any) -> Any:
    """Stand for a condition that is never met."""
    return false()


def nothing(*_: Any, **__: Any) -> list[Any]:
    """Stand for what adds nothing."""
    return []


@dataclass(frozen=True, slots=True)
class Clause:
    """What stands at a place, `module:name` or `module:Class.name`, is replaced.

    It is asked about by one path, callers of some roles (none: of any); without a path by searches
    of everybody for all rows. `aims` are role, type and letter of the writes that are tried. `seed`
    is that of the world: not each has somebody who sees such rows.
    """

    place: str
    by: Any
    path: str = ""
    roles: tuple[str, ...] = ()
    aims: Aims = frozenset()
    seed: int = SEED


def product(place: str) -> Any:
    """Return what stands at a place of the product."""
    module, _, path = place.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


CLAUSES: Mapping[str, Clause] = {
    "2 relationship of staff": Clause("ehr.access.opening.opened:_by_role", always),
    "2 relationship in force": Clause("ehr.access.relationships.held:_is_live", always),
    "2 who delegates has it": Clause("ehr.access.relationships.held:_giver_holds", always),
    "2 the carer is the patient's": Clause("ehr.access.relationships.held:_carer_is_there", always),
    "2 the grant's areas": Clause("ehr.access.opening.opened:_permits", always),
    "3 sealed": Clause("ehr.access.rows:Row.is_sealed", never),
    "3 locked": Clause("ehr.access.rows:Row.is_locked", never),
    "3 sensitivities": Clause("ehr.access.rows:Row.has_any", never),
    "3 carers and what is above N": Clause("ehr.access.rows:Row.is_plain", always),
    "3 release times": Clause("ehr.access.rows:Row.is_out", always),
    "3 who wrote it, too much": Clause("ehr.access.rows:Row.is_entered_here", always),
    "3 who wrote it, too little": Clause("ehr.access.rows:Row.is_entered_here", never),
    "3 patients": Clause("ehr.access.visible:opened_to_patient", always),
    "3 systems": Clause("ehr.access.visible:opened_to_system", always),
    "4 denials": Clause("ehr.access.opening.opened:is_denied", never),
    "4 denials that broken glass lifts": Clause(
        "ehr.access.consents.denied:_has_broken_glass", always
    ),
    "4 denials that broken glass does not lift": Clause(
        "ehr.access.consents.denied:_has_broken_glass", never
    ),
    "4 what denials spare": Clause("ehr.access.consents.denied:_is_spared", always),
    "4 what denials do not spare": Clause("ehr.access.consents.denied:_is_spared", never),
    "unfiled rows": Clause("ehr.access.visible:is_unfiled_here", always),
    "unfiled rows of systems": Clause("ehr.access.visible:is_unfiled_of_system", always),
    "whose rows a scope means": Clause("ehr.access.visible:is_whose", nothing),
    "Binaries through what refers to them": Clause("ehr.access.visible:_is_referred_to", always),
}
SEE_PARTS = ("social-worker", "care-coordinator")
# Who asks of the trail, one of each role: each question adds to it, and is told of from then on.
TRAIL = "audit"
# What is judged in a place of its own, and the path that asks there.
ELSEWHERE: Mapping[str, Clause] = {
    "labels of a version": Clause(
        "ehr.access.rows:Row.conf", property(lambda row: row.row.c.conf), "history relabelled"
    ),
    "sensitivities of a version": Clause(
        "ehr.access.rows:Row.sens", property(lambda row: row.row.c.sens), "history relabelled"
    ),
    "parts in answers": Clause(
        "ehr.interactions.access.parts:left_of", lambda one: one, "parts", SEE_PARTS
    ),
    "parts in includes": Clause("ehr.search.results.include:is_shown", always, "linked", SEE_PARTS),
    "parts that contain": Clause(
        "ehr.search.plan.chained:is_seen_whole", always, "contained", SEE_PARTS, seed=22
    ),
    "who goes on with a search": Clause(
        "ehr.search.answer:bound_to", lambda _: "anybody", "page link"
    ),
    "whose acts are told": Clause(
        "ehr.interactions.audit_events.reader:Reader.conditions", nothing, TRAIL
    ),
    "rows behind events": Clause(
        "ehr.interactions.audit_events.reader:_told_of",
        lambda reader, connection, events: list(events),
        TRAIL,
    ),
    "who may know who made it": Clause(
        "ehr.interactions.provenance.told:_may_see", lambda *_: True, "provenance"
    ),
    "what a write by id may find": Clause(
        "ehr.interactions.access.permission:_covers", lambda *_: True, "writes by id"
    ),
}
# Words of the role table that narrow reading; each is taken away by itself.
WORDS = (
    "area", "grant", "key", "live", "measured", "mine", "need", "party", "plain", "plan",
    "released", "review", "self", "shared", "social", "told", "unlocked", "vital", "aggregate",
)  # fmt: skip
# What reading is narrowed by too, and what opens the row decides already: a carer's rows are opened
# by the grant, the row that is `self` by who asks, and what is not `released` not to its patient.
# What may be changed as it stands is asked again with what it becomes; of deletions, which become
# nothing, the role table narrows none.
DECIDED_ELSEWHERE = frozenset({"grant", "self", "released", "writes: may be changed"})


def without_word(name: str) -> Clause:
    """Return what takes away a word of the role table that narrows reading."""
    met_by_word = product("ehr.access.visible:met_by_word")

    def met(word: str, *given: Any, **named: Any) -> Any:
        return true() if word == name else met_by_word(word, *given, **named)

    return Clause("ehr.access.visible:met_by_word", met)
