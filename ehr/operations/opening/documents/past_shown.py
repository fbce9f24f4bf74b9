"""Relationships and rules of consents as parts of an answer. Pure."""

from ehr.access.consents import ConsentRule
from ehr.access.consents.model import HIGHEST, LOWEST
from ehr.access.relationships import Relationship
from ehr.access.terms import ALWAYS, FOREVER
from ehr.operations.opening.values import Told
from fhir_profiles.facets import BITS, CONFIDENTIALITY

_LEVELS = {level: code for code, level in CONFIDENTIALITY.items()}


def relationship_parts(source: str, one: Relationship) -> tuple[Told, ...]:
    """Return what is told of a relationship that comes of a version; without `from` or `to` it is
    open there."""
    return (
        ("kind", "Code", _code(one.kind.name)),
        ("opens", "Code", _code(one.ceiling.name)),
        ("to-whom", "String", one.grantee),
        ("on-behalf-of", "String", one.behalf),
        ("rests-on", "String", one.basis),
        ("permits", "String", one.permits),
        *_span(one.from_, one.to),
        ("source", "Reference", {"reference": source}),
    )


def rule_parts(source: str, rule: ConsentRule) -> tuple[Told, ...]:
    """Return what is told of a rule: whom it keeps from what. Nothing said: everybody, all."""
    levels = f"{_LEVELS[rule.least]} to {_LEVELS[rule.most]}"
    is_of_all = (rule.least, rule.most) == (LOWEST, HIGHEST)
    sensitivities = " ".join(code for code, bit in BITS.items() if rule.sens & bit)
    return (
        ("effect", "Code", "permit" if rule.is_exception else "deny"),
        ("whom", "String", rule.actor),
        ("type", "String", rule.type),
        ("code", "String", f"{rule.system}|{rule.code}" if rule.code or rule.system else ""),
        ("confidentiality", "String", "" if is_of_all else levels),
        ("sensitivity", "String", sensitivities),
        ("item", "String", rule.item),
        ("purpose", "String", rule.purpose),
        ("spares-authors", "Code", "yes" if rule.spares_authors else "no"),
        ("break-glass", "Code", "lifts" if rule.may_be_lifted else "does-not-lift"),
        *_span(rule.from_, rule.to),
        ("source", "Reference", {"reference": source}),
    )


def _span(first: int, end: int) -> tuple[Told, ...]:
    begins = (("from", "Instant", first),) if first > ALWAYS else ()
    return (*begins, *((("to", "Instant", end),) if end < FOREVER else ()))


def _code(name: str) -> str:
    return name.lower().replace("_", "-")
