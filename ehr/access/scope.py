"""What visibility goes by: the rules of a caller, and whom they mean, apart from each other.

Callers with equal rules have equal statements, whoever their patients are: those are values, which
every run of a statement gets anew (`ehr/store/templates.py`).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from auth.principal import Called, Principal
from auth.rights import CONTEXT, OWN, Rule, rules
from auth.roles.known import role_of
from ehr.access.names import (
    AUTHOR,
    CONTEXT_KEY,
    GRANTEES,
    NOW,
    ORGANISATION,
    OWN_KEYS,
    PLACE,
    PLACE_NAME,
    PURPOSE,
    RIDS,
    SELF_ID,
)
from ehr.access.relationships.rows import named
from ehr.store.engine import Database
from ehr.store.locator import locate
from ehr.store.pairs import number_list

# Has nothing: no patient, and no organisation ever gets this key.
NOBODYS_KEY = -(1 << 62)
_NOBODY = Called((), (), 0, 0)
_MOST_KEYS, _MOST_SCOPES = 100_000, 10_000

All = tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """All that visibility goes by: callers with equal scopes have the same statements.

    `rules` are the alternatives for each letter that is needed, all of which must hold; None is a
    caller without scopes. `role` is a word of the role table; empty for callers without scopes.
    `whole`: rows of which parts are left out do not count; `reads` are the rules for reading, which
    decide what opens a Binary. Whom they mean is no part of what is
    compared: `context` and `own` are keys, `values` the values that statements which show this
    caller's rows are run with.
    """

    kind: str
    organisation: str | None
    rules: tuple[All, ...] | None = None
    role: str = ""
    whole: bool = False
    reads: All = ()
    context: int = field(default=NOBODYS_KEY, compare=False)
    own: frozenset[int] = field(default=frozenset(), compare=False)
    values: Mapping[str, Any] = field(default_factory=dict, compare=False)
    shape: int = field(default=0, init=False, compare=False)

    def __post_init__(self) -> None:
        """Work out the hash: it is asked for with every statement."""
        shape = hash((self.kind, self.rules, self.role, self.whole, self.reads))
        object.__setattr__(self, "shape", shape)

    def __hash__(self) -> int:
        return self.shape

    def with_values(self, values: Mapping[str, Any]) -> "Scope":
        """Return the same for another moment, without working out the hash again."""
        made = object.__new__(Scope)
        for name in _FIELDS:
            object.__setattr__(made, name, getattr(self, name))
        object.__setattr__(made, "values", values)
        return made

    def concerns(self, type: str) -> bool:
        """Tell whether any row of a type may be seen, for its type."""
        return self.rules is None or all(
            any(rule.concerns(type) for rule in some) for some in self.rules
        )


_FIELDS = Scope.__slots__
EVERYTHING = Scope("system", None)


def scope_of(database: Database, principal: Principal, letters: str = "s") -> Scope:
    """Return the scope of a caller who needs each of these letters for a row."""
    known: Scope | None = database.scopes.get((principal, letters))
    if known is None:
        known = _made(database, principal, letters)
        if _is_lasting(known, principal) and not database.is_joined:
            _keep(database, (principal, letters), known)
    if not known.role:
        return known
    return known.with_values({**known.values, **_of_moment(database, principal)})


def _is_lasting(scope: Scope, principal: Principal) -> bool:
    """Tell whether the record knows all patients who are meant, so that nothing will change."""
    is_known = CONTEXT_KEY not in scope.values or scope.context != NOBODYS_KEY
    return is_known and (OWN_KEYS not in scope.values or len(scope.own) == len(principal.patients))


def _made(database: Database, principal: Principal, letters: str) -> Scope:
    if principal.scopes is None:
        return Scope(principal.kind, principal.organisation)
    needed = tuple(dict.fromkeys(rules(principal, letter) for letter in letters))
    whose = {rule.whose for some in needed for rule in some}
    context, own, values = NOBODYS_KEY, frozenset[int](), dict[str, Any]()
    if CONTEXT in whose and principal.patient is not None:
        context = keys_of(database, (principal.patient,)).get(principal.patient, NOBODYS_KEY)
        values[CONTEXT_KEY] = context
    if OWN in whose:
        own = frozenset(keys_of(database, principal.patients).values())
        values[OWN_KEYS] = number_list(database.dialect, sorted(own))
    values[SELF_ID] = (principal.person or "").partition("/")[2]
    values[AUTHOR], values[ORGANISATION] = principal.id, principal.organisation or ""
    values[PURPOSE] = principal.purpose or ""
    # What differs between organisations is among the values.
    reads = rules(principal, "r")
    role = role_of(principal)
    return Scope(principal.kind, None, needed, role, False, reads, context, own, values)


def _of_moment(database: Database, principal: Principal) -> dict[str, Any]:
    """Return the values that say who a caller is now: who was not asked at the door is nobody."""
    called = principal.called or _NOBODY
    key = (called.names, called.rids, principal.organisation)
    known: Mapping[str, Any] | None = database.scopes.get(key)
    if known is None:
        known = _of_names(database, *key)
        if not database.is_joined:
            _keep(database, key, known)
    return {**known, NOW: called.now, PLACE: called.place}


def _of_names(
    database: Database, names: tuple[str, ...], rids: tuple[int, ...], at: str | None
) -> Mapping[str, Any]:
    hashes = sorted({named(database.hasher, name) for name in names})
    return {
        GRANTEES: number_list(database.dialect, hashes),
        RIDS: number_list(database.dialect, rids),
        PLACE_NAME: named(database.hasher, f"Organization/{at}") if at else 0,
    }


def _keep(database: Database, key: Hashable, value: Any) -> None:
    if len(database.scopes) >= _MOST_SCOPES:
        database.scopes.clear()
    database.scopes[key] = value


def bound_to(principal: Principal) -> str:
    """Return what page links are bound to: who asks, by which app, and what it is permitted."""
    if principal.scopes is None:
        return principal.id
    parts = (
        principal.id, principal.client, principal.patient, principal.patients,
        principal.organisation, principal.role,
    )  # fmt: skip
    return sha256(repr((*parts, str(principal.scopes))).encode()).hexdigest()


def keys_of(database: Database, ids: Sequence[str]) -> dict[str, int]:
    """Return the keys of these patients, those that the record knows.

    A patient has one key for ever, so it is asked for once.
    """
    known = database.patient_keys
    found = {id: known[id] for id in ids if id in known}
    missing = [("Patient", id) for id in ids if id not in found]
    if not missing:
        return found
    with database.read() as connection:
        fresh = {name[1]: one.patient_key for name, one in locate(connection, missing).items()}
    # A transaction that reads what it has done so far may still take it back.
    if not database.is_joined:
        if len(known) + len(fresh) > _MOST_KEYS:
            known.clear()
        known.update(fresh)
    return found | fresh
