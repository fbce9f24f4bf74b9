"""What a caller's scopes permit, cut down to what kind and role may: rules, letter by letter. Pure.

Letters are those of SMART scopes, and `h` for histories: who may read or search has that too, where
the role may. Deny by default. Scopes add up inside a context and across contexts; kind and role are
the ceiling:

    kind           contexts             whose                          what
    system         system/              everybody                      all but the server's types
    operator       user/, system/       who they have to do with       the role's, of `roles/`
    professional   user/                the same                       the role's, and the lead's
                   patient/             of these, the one in context   the same
    patient        user/                own patients, what all share   the role's
                   patient/             the one in context of these    the same
    carer          as patient                                          the role's

AuditEvents are written by the server and by systems whose scope names the type, which read what
they added; a wildcard means none, and nobody changes one.

`patient/` and `user/` scopes of patients and carers reach what all share for reading only. With
`openid fhirUser` everybody reads the resource that says who they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from auth.principal import Principal
from auth.roles.known import OF_STAFF, WORDS, role_of
from auth.roles.matrix import narrowings
from auth.scopes import ANY, Filter, ResourceScope
from fhir_profiles.definitions import resource_types
from fhir_profiles.owners import SHARED

EVERYBODY, OWN, CONTEXT, NOBODY, SELF = "everybody", "own", "context", "nobody", "self"

# Types whose resources say how the server works.
OF_SERVER = frozenset({"SearchParameter"})
# Of what all share: who and what care is given by, and words that it is written in.
DIRECTORY = frozenset(
    {
        "CodeSystem", "ConceptMap", "Endpoint", "HealthcareService", "InsurancePlan", "Location",
        "Medication", "MedicationKnowledge", "Organization", "OrganizationAffiliation",
        "PlanDefinition", "Practitioner", "PractitionerRole", "Questionnaire", "Substance",
        "ValueSet",
    }
)  # fmt: skip
# What says who did what: evidence, which is added to and never changed.
OF_AUDIT = frozenset({"AuditEvent"})
_OF_EVENTS = frozenset("crsh")
_OF_SYSTEMS = frozenset(resource_types()) - OF_SERVER - OF_AUDIT
_READ_BY_SYSTEMS = frozenset(resource_types()) - OF_AUDIT

_REACH = {
    "system": {"system": EVERYBODY},
    "operator": {"user": EVERYBODY, "system": EVERYBODY},
    "professional": {"user": EVERYBODY, "patient": CONTEXT},
    "patient": {"user": OWN, "patient": CONTEXT},
    "carer": {"user": OWN, "patient": CONTEXT},
}
_OF_PEOPLE = ("patient", "carer")
# Kinds of whom the role table is asked.
JUDGED = ("professional", "operator", *_OF_PEOPLE)
# Stands beside the words of the table: the caller leads the team of the patient.
LEAD = "lead"
_LEADS = "named-lead"
_READING = "rsh"
_HISTORY = frozenset("rs")
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of some types (None: any) that are permitted, if they meet the filter.

    `whose`: EVERYBODY's, the caller's OWN patients', those of the patient in CONTEXT, NOBODY's
    (what all share), or the one that is the caller's SELF. Of staff, EVERYBODY and CONTEXT are
    those whom they have to do with (`ehr/access/`). All `words` must hold (`roles/narrowings.py`,
    and LEAD). `writes` is told of carers alone, who are granted reading and writing apart.
    """

    whose: str
    types: frozenset[str] | None
    filter: Filter = ()
    words: frozenset[str] = _NONE
    writes: bool = False

    def concerns(self, type: str | None) -> bool:
        """Tell whether it says anything of this type (None: of any)."""
        return self.types is None or (bool(self.types) if type is None else type in self.types)


_WHATEVER = Rule(EVERYBODY, None)


@lru_cache(maxsize=4096)
def rules(principal: Principal, letter: str) -> tuple[Rule, ...]:
    """Return what scopes permit a caller by one letter; none for a caller without scopes."""
    scopes = principal.scopes
    if scopes is None:
        return ()
    found: dict[tuple[str, Filter, frozenset[str]], frozenset[str] | None] = {}
    for scope in scopes.resources:
        for whose, types in _reached(principal, scope, letter):
            for words, some_types in _by_role(principal, letter, types):
                at = (whose, scope.filter, words)
                known = found.get(at, _NONE)
                found[at] = None if known is None or some_types is None else known | some_types
    writes = principal.kind == "carer" and letter not in _READING
    some = [
        Rule(whose, types, filter, words, writes)
        for (whose, filter, words), types in found.items()
        if types != _NONE
    ]
    if letter in "rh" and principal.person and scopes.has("openid") and scopes.has("fhirUser"):
        some.append(Rule(SELF, frozenset({principal.person.partition("/")[0]})))
    if _WHATEVER in some:
        return (_WHATEVER,)
    return tuple(sorted(some, key=_order))


@lru_cache(maxsize=256)
def rules_of_role(role: str, letter: str) -> tuple[Rule, ...]:
    """Return what a role permits by one letter, whatever the scopes are; all for no role."""
    if not role:
        return (_WHATEVER,)
    found = [*_of_role(role, letter, None)]
    if role in OF_STAFF:
        found += _of_lead(role, letter, None)
    return tuple(sorted((Rule(EVERYBODY, some, (), words) for words, some in found), key=_order))


def permits(principal: Principal, letters: str, type: str | None) -> bool:
    """Tell whether each letter is permitted for some rows of a type; for any type where None.

    Without letters: whether any of them is. The caller's own resource is left to who knows its id.
    """
    any_one = not letters
    found = (
        any(rule.concerns(type) for rule in rules(principal, letter) if rule.whose != SELF)
        for letter in letters or "cruds"
    )
    return any(found) if any_one else all(found)


def permits_all(principal: Principal, letters: str, type: str) -> bool:
    """Tell whether each letter is permitted for every row of a type, whoever's it is."""
    return all(
        any(
            rule.whose == EVERYBODY and not rule.filter and rule.concerns(type)
            for rule in rules(principal, letter)
        )
        for letter in letters
    )


def role_permits(principal: Principal, letters: str, type: str | None) -> bool:
    """Tell whether the caller's role may do what each letter stands for with some rows of a type.

    Any type where None. Callers of whom the role table is not asked may.
    """
    if not is_judged(principal):
        return True
    types = None if type is None else frozenset({type})
    return all(_by_role(principal, letter, types) for letter in letters)


def roles_that_may(letters: str, type: str) -> tuple[str, ...]:
    """Return the roles of staff that may do what letters stand for with some rows of a type."""
    types = frozenset({type})
    return tuple(
        role for role in WORDS
        if role in OF_STAFF and all(_of_role(role, letter, types) for letter in letters)
    )  # fmt: skip


def is_judged(principal: Principal) -> bool:
    """Tell whether the role table is asked: of people who signed in, whatever their app."""
    return principal.scopes is not None and principal.kind in JUDGED


def is_self(principal: Principal, type: str | None, id: str | None) -> bool:
    """Tell whether a caller may read this resource because it says who the caller is."""
    scopes = principal.scopes
    return (
        scopes is not None
        and scopes.has("openid")
        and scopes.has("fhirUser")
        and principal.person == f"{type}/{id}"
    )


def context_of(principal: Principal) -> str:
    """Return the context of scopes that this caller would ask for more in."""
    if principal.kind == "system":
        return "system"
    return "patient" if principal.patient else "user"


def _reached(
    principal: Principal, scope: ResourceScope, letter: str
) -> list[tuple[str, frozenset[str] | None]]:
    """Return whose rows of which types one scope permits by a letter."""
    whose = _REACH.get(principal.kind, {}).get(scope.context)
    if whose is None or not _has_letter(scope, letter) or not _has_anybody(principal, whose):
        return []
    if scope.type in OF_AUDIT and scope.context == "system" and letter in _OF_EVENTS:
        return [(whose, OF_AUDIT)]
    if letter not in _READING:
        written = _OF_SYSTEMS if principal.kind == "system" else None
        return [(whose, _narrowed(written, scope.type))]
    read = _READ_BY_SYSTEMS if principal.kind == "system" else None
    mine = (whose, _narrowed(read, scope.type))
    if whose == EVERYBODY:
        return [mine]
    shared = DIRECTORY if principal.kind in _OF_PEOPLE else SHARED
    if scope.type in SHARED:
        return [(NOBODY, _narrowed(shared, scope.type))]
    return [mine, (NOBODY, _narrowed(shared, scope.type))]


def _has_letter(scope: ResourceScope, letter: str) -> bool:
    """Tell whether a scope has a letter; who may read or search may see histories."""
    return letter in scope.letters or (letter == "h" and not _HISTORY.isdisjoint(scope.letters))


def _by_role(
    principal: Principal, letter: str, types: frozenset[str] | None
) -> Sequence[tuple[frozenset[str], frozenset[str] | None]]:
    """Return of these types those that the caller's role may, by the words that narrow them."""
    if not is_judged(principal):
        return [(_NONE, types)]
    role = role_of(principal)
    found = _of_role(role, letter, types)
    return (*found, *_of_lead(role, letter, types)) if principal.kind == "professional" else found


@lru_cache(maxsize=4096)
def _of_role(
    role: str, letter: str, types: frozenset[str] | None
) -> Sequence[tuple[frozenset[str], frozenset[str] | None]]:
    found: dict[frozenset[str], set[str]] = {}
    for type in resource_types() if types is None else types:
        for words in narrowings(role, letter, type):
            found.setdefault(words, set()).add(type)
    return [(words, frozenset(some)) for words, some in found.items()]


@lru_cache(maxsize=4096)
def _of_lead(
    role: str, letter: str, types: frozenset[str] | None
) -> Sequence[tuple[frozenset[str], frozenset[str] | None]]:
    """Return what leading the team of a patient adds to a role."""
    whole = {
        type for words, some in _of_role(role, letter, types) if not words for type in some or ()
    }
    return [
        (words | {LEAD}, left)
        for words, some in _of_role(_LEADS, letter, types)
        if (left := (some or _NONE) - whole)
    ]


def _has_anybody(principal: Principal, whose: str) -> bool:
    if whose == CONTEXT:
        is_own = principal.kind not in _OF_PEOPLE or principal.patient in principal.patients
        return principal.patient is not None and is_own
    return whose != OWN or bool(principal.patients)


def _narrowed(types: frozenset[str] | None, type: str) -> frozenset[str] | None:
    if type == ANY:
        return types
    return frozenset({type}) if types is None or type in types else _NONE


def _order(rule: Rule) -> tuple[str, Filter, list[str]]:
    return rule.whose, rule.filter, sorted(rule.words)
