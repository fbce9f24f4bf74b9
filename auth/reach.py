"""Which events of the audit trail a caller may read, by role table and scopes. Pure.

The privacy officer reads all, other staff what they did themselves, patients what was done with
their own record. Carers are told as the patient is where their grant has the access log. Systems
read what they added themselves, and scoped ones by a scope that names the type. An operator's token
of `ehr token` reads all, as it reads the record; one who signed in is in the role of an
administrator, who reads none.
"""

from dataclasses import dataclass

from auth.principal import Principal
from auth.rights import CONTEXT, EVERYBODY, OWN, rules
from auth.roles.known import role_of
from auth.roles.matrix import narrowings

TYPE = "AuditEvent"
_ALL: frozenset[str] = frozenset()
_ACTS, _SHOWN = frozenset({"acts"}), frozenset({"shown"})
_GRANTED = _SHOWN | {"grant"}


@dataclass(frozen=True, slots=True)
class Reach:
    """Events of these patients (ids; None: any), by this author (None: any).

    `added_by`: those of others alone that this system added. `is_feed`: as a patient is told of
    them, which is less. `by_grant`: of those patients alone who granted the access log.
    """

    patients: tuple[str, ...] | None = None
    author: str | None = None
    is_feed: bool = False
    added_by: str | None = None
    by_grant: bool = False


def reach(principal: Principal, letter: str) -> Reach | None:
    """Return what a caller may read (`r`) or search (`s`) of the trail; None for nothing of it."""
    if principal.scopes is None and principal.kind == "operator":
        return Reach()
    if principal.kind == "system":
        return _of_system(principal, letter)
    patients = _patients(principal, letter)
    if patients == ():
        return None
    ways = narrowings(role_of(principal), letter, TYPE)
    if _ALL in ways:
        return Reach(patients)
    if _ACTS in ways:
        return Reach(patients, author=principal.id)
    if _SHOWN in ways and patients is not None:
        return Reach(patients, is_feed=True)
    if _GRANTED in ways and patients is not None:
        return Reach(patients, is_feed=True, by_grant=True)
    return None


def _of_system(principal: Principal, letter: str) -> Reach | None:
    reads = principal.scopes is None or _patients(principal, letter) is None
    return Reach(added_by=principal.client or principal.id) if reads else None


def _patients(principal: Principal, letter: str) -> tuple[str, ...] | None:
    """Return of which patients scopes permit events; None: of all.

    A scope with a filter permits none: events have no index to judge it by.
    """
    whose = {
        rule.whose
        for rule in rules(principal, letter)
        if rule.types is None or TYPE in rule.types
        if not rule.filter
    }
    if EVERYBODY in whose:
        return None
    own = principal.patients if OWN in whose else ()
    context = (principal.patient,) if CONTEXT in whose and principal.patient else ()
    return tuple(dict.fromkeys((*own, *context)))
