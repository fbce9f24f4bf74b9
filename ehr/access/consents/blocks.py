"""Whether a patient shuts the whole record, to somebody by name or to all. Pure."""

from collections.abc import Collection, Iterable

from ehr.access.consents.model import HIGHEST, LOWEST, ConsentRule
from ehr.access.relationships.kinds import PEOPLE
from ehr.access.terms import type_named

# What somebody would use the record for who opens it in an emergency.
_TREATING = frozenset({"", "TREAT"})


def keeps_out(rules: Iterable[ConsentRule], names: Collection[str], at: int) -> bool:
    """Tell whether a denial in force at a moment (ms) names this person, for all of the record.

    Exceptions to it make no difference: what they leave open is opened by what does so already.
    """
    return any(
        not rule.is_exception
        and rule.actor in names
        and type_named(rule.actor) in PEOPLE | {""}
        and rule.from_ <= at < rule.to
        and rule.purpose in _TREATING
        and _is_of_all(rule)
        for rule in rules
    )


def stops_sharing(rules: Iterable[ConsentRule], until: int) -> bool:
    """Tell whether denials shut the whole record to all, at some moment before `until` (ms)."""
    return any(
        not rule.is_exception
        and not rule.actor
        and rule.from_ < until
        and rule.purpose in _TREATING
        and _is_of_all(rule)
        for rule in rules
    )


def _is_of_all(rule: ConsentRule) -> bool:
    narrowing = (rule.type, rule.system, rule.code, rule.item, rule.sens)
    return not any(narrowing) and (rule.least, rule.most) == (LOWEST, HIGHEST)
