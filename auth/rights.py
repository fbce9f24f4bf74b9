"""What a caller's scopes permit, cut down to what its kind may: rules, letter by letter. Pure.

Deny by default. Scopes add up inside a context and across contexts; the ceiling of the kind is
what is left of them:

    kind           contexts             reads                         creates, updates, deletes
    system         system/              everything                    all but the server's own types
    operator       user/, system/       everything                    the server's own types
    professional   user/                everything                    clinical types
                   patient/             the patient in context        the same, of that patient
    patient        user/                own patients, directory       creates `REPORTED`
                   patient/             the one in context of these   the same
    carer          as patient                                         the same, but for Consent

AuditEvents are written by the server and by systems whose scope names the type; a wildcard does
not, and nobody changes one.

`patient/` and `user/` scopes of patients and carers reach what all share for reading only. With
`openid fhirUser` everybody reads the resource that says who they are.
"""

from dataclasses import dataclass
from functools import lru_cache

from auth.principal import Principal
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
# What patients say of themselves.
REPORTED = frozenset(
    {
        "Communication", "Consent", "Goal", "MedicationStatement", "Observation",
        "QuestionnaireResponse", "Task",
    }
)  # fmt: skip
# What says who did what: evidence, which is added to and never changed.
OF_AUDIT = frozenset({"AuditEvent"})
_CLINICAL = frozenset(resource_types()) - SHARED - OF_AUDIT | {"Medication", "Substance"}
_OF_SYSTEMS = frozenset(resource_types()) - OF_SERVER - OF_AUDIT

_REACH = {
    "system": {"system": EVERYBODY},
    "operator": {"user": EVERYBODY, "system": EVERYBODY},
    "professional": {"user": EVERYBODY, "patient": CONTEXT},
    "patient": {"user": OWN, "patient": CONTEXT},
    "carer": {"user": OWN, "patient": CONTEXT},
}
_OF_PEOPLE = ("patient", "carer")
_READING = "rs"
_NONE: frozenset[str] = frozenset()

# None stands for all types.
_WRITTEN: dict[str, dict[str, frozenset[str]]] = {
    "system": dict.fromkeys("cud", _OF_SYSTEMS),
    "operator": dict.fromkeys("cud", OF_SERVER),
    "professional": dict.fromkeys("cud", _CLINICAL),
    "patient": {"c": REPORTED},
    "carer": {"c": REPORTED - {"Consent"}},
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of some types (None: any) that are permitted, if they meet the filter.

    `whose`: EVERYBODY's, the caller's OWN patients', those of the patient in CONTEXT, NOBODY's
    (what all share), or the one that is the caller's SELF.
    """

    whose: str
    types: frozenset[str] | None
    filter: Filter = ()

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
    found: dict[tuple[str, Filter], frozenset[str] | None] = {}
    for scope in scopes.resources:
        for whose, types in _reached(principal, scope, letter):
            at = (whose, scope.filter)
            known = found.get(at, _NONE)
            found[at] = None if known is None or types is None else known | types
    some = [
        Rule(whose, types, filter) for (whose, filter), types in found.items() if types != _NONE
    ]
    if letter == "r" and principal.person and scopes.has("openid") and scopes.has("fhirUser"):
        some.append(Rule(SELF, frozenset({principal.person.partition("/")[0]})))
    if _WHATEVER in some:
        return (_WHATEVER,)
    return tuple(sorted(some, key=_order))


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
    if whose is None or letter not in scope.letters or not _has_anybody(principal, whose):
        return []
    if letter not in _READING:
        if scope.type in OF_AUDIT and scope.context == "system" and letter == "c":
            return [(whose, OF_AUDIT)]
        return [(whose, _narrowed(_WRITTEN[principal.kind].get(letter, _NONE), scope.type))]
    mine = (whose, _narrowed(None, scope.type))
    if whose == EVERYBODY:
        return [mine]
    shared = DIRECTORY if principal.kind in _OF_PEOPLE else SHARED
    if scope.type in SHARED:
        return [(NOBODY, _narrowed(shared, scope.type))]
    return [mine, (NOBODY, _narrowed(shared, scope.type))]


def _has_anybody(principal: Principal, whose: str) -> bool:
    if whose == CONTEXT:
        is_own = principal.kind not in _OF_PEOPLE or principal.patient in principal.patients
        return principal.patient is not None and is_own
    return whose != OWN or bool(principal.patients)


def _narrowed(types: frozenset[str] | None, type: str) -> frozenset[str] | None:
    if type == ANY:
        return types
    return frozenset({type}) if types is None or type in types else _NONE


def _order(rule: Rule) -> tuple[str, Filter]:
    return rule.whose, rule.filter
