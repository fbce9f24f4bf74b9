"""Consent rules as table rows, in the order of the columns of `consent_rule`."""

from collections.abc import Iterable
from typing import Any

from ehr.access.consents.model import ConsentRule
from ehr.store.hashing import Hasher
from fhir_profiles.definitions import type_number

Row = tuple[Any, ...]


def rule_rows(
    hasher: Hasher, patient_key: int, rid: int, rules: Iterable[ConsentRule]
) -> list[Row]:
    """Return the rows of the rules of one Consent. Codes are hashed as tokens of the index are."""
    return [
        (patient_key, rid, n, *_columns(hasher, one)) for n, one in enumerate(rules)
    ]  # fmt: skip


def _columns(hasher: Hasher, rule: ConsentRule) -> Row:
    type, _, id = rule.item.partition("/")
    return (
        rule.group,
        rule.is_exception,
        hasher.once(rule.actor) if rule.actor else 0,
        type_number(rule.type) if rule.type else 0,
        hasher.once(rule.system) if rule.system else 0,
        hasher.once(rule.code) if rule.code else 0,
        rule.least,
        rule.most,
        rule.sens,
        type_number(type) if id else 0,
        id,
        rule.purpose,
        rule.from_,
        rule.to,
        rule.spares_authors,
        rule.may_be_lifted,
        rule.actor,
    )
