"""Which rows of a write its caller may see and change, asked of the rows as they stand, in SQL.

For callers of whom the role table is asked: what relationship, labels and consent open can't be
told of a row alone. Each rule is asked for itself, so that the one that holds before a write can be
asked for after it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from auth.principal import Principal
from auth.rights import Rule, rules
from ehr.access.names import GRANTEES, NOW
from ehr.access.relationships.held import Grantees, is_held
from ehr.access.relationships.kinds import LEADS, OF_CARE, Ceiling, Kind
from ehr.access.rows import Row
from ehr.access.scope import Scope, scope_of
from ehr.access.visible import is_open, is_permitted_by
from ehr.store.engine import Database
from ehr.store.pairs import in_keys, in_pairs
from ehr.store.tables import relationship, resource
from ehr.store.templates import rows_by

Place = tuple[int, int]  # (patient_key, rid)
_ROW = resource.alias("judged")
# What is finished by a write need not be unfinished after it.
_BEFORE_ONLY = frozenset({"unfinished"})


def permitting(
    connection: Connection,
    database: Database,
    principal: Principal,
    letter: str,
    places: Mapping[Place, str],
    *,
    after: bool = False,
    whole: bool = False,
) -> dict[Place, frozenset[int]]:
    """Return by which of the caller's rules for a letter each row is permitted, those that are.

    `places` have the types of the rows. A row of which parts are left out for the caller is read,
    not written, and not there where it is to be seen `whole`. `after`: as the rows stand once they
    are written.
    """
    some = rules(principal, letter)
    found: dict[Place, frozenset[int]] = {}
    if not some or not places:
        return found
    scope = replace(scope_of(database, principal, letter), whole=whole or letter in "cud")
    types = frozenset(places.values())
    asked = [n for n, rule in enumerate(some) if any(map(rule.concerns, types))]
    if not asked:
        return found
    listed = in_pairs(connection, _ROW.c.patient_key, _ROW.c.rid, list(places))

    def make() -> Select[*tuple[Any, ...]]:
        met = [_is_met(database, scope, some[n], types, after=after) for n in asked]
        named = (one.label(f"rule_{n}") for n, one in zip(asked, met, strict=True))
        return select(_ROW.c.patient_key, _ROW.c.rid, *named).where(listed)

    # To build what a rule means takes longer than to ask it by a hundred times.
    kept = ("permitting", scope, types, after)
    for key, rid, *met in rows_by(connection, kept, listed, make, dict(scope.values)):
        by = frozenset(n for n, holds in zip(asked, met, strict=True) if holds)
        if by:
            found[key, rid] = by
    return found


def _is_met(
    database: Database, scope: Scope, rule: Rule, types: frozenset[str], *, after: bool
) -> ColumnElement[bool]:
    asked = replace(rule, words=rule.words - _BEFORE_ONLY) if after else rule
    here = types & rule.types if rule.types else types
    row = Row(_ROW, database.hasher, scope.values, None, here)
    # The rows are of other types as well, which the rule says nothing of.
    is_meant = [row.is_of(*here)] if here < types else []
    return and_(*is_meant, is_permitted_by(asked, row, scope), is_open(row, scope, rule))


def seen(
    connection: Connection,
    database: Database,
    principal: Principal,
    places: Mapping[Place, str],
    letters: Collection[str] = ("r", "s"),
    *,
    whole: bool = False,
) -> frozenset[Place]:
    """Return those rows that the caller may see, or see `whole`, by one of these letters."""
    found: set[Place] = set()
    for letter in letters:
        left = {place: type for place, type in places.items() if place not in found}
        found.update(permitting(connection, database, principal, letter, left, whole=whole))
    return frozenset(found)


def granted(
    connection: Connection, database: Database, principal: Principal, key: int
) -> frozenset[str]:
    """Return what a carer is granted of a patient's record, as `read:plan`."""
    values = scope_of(database, principal, "r").values
    caller = Grantees(values.get(GRANTEES, ""), values.get(NOW, 0))
    held = relationship.alias("granted")
    statement = select(held.c.permits).where(
        held.c.patient_key == key, is_held(held, Ceiling.MINIMAL, caller, kinds=(Kind.PROXY,))
    )
    return frozenset(one for (permits,) in connection.execute(statement) for one in permits.split())


def standings(
    connection: Connection, database: Database, principal: Principal, keys: Collection[int]
) -> dict[int, frozenset[str]]:
    """Return what the caller is to each of these patients: `registered`, `lead`, and `cares` with
    any relationship of care or one that somebody with such a one delegated."""
    values = scope_of(database, principal, "r").values
    caller = Grantees(values.get(GRANTEES, ""), values.get(NOW, 0))
    held = relationship.alias("standing")
    found: dict[int, set[str]] = {}
    if not keys or not caller.listed:
        return {}
    statement = select(held.c.patient_key, held.c.kind, held.c.permits).where(
        in_keys(connection, held.c.patient_key, keys),
        is_held(held, Ceiling.ROLE, caller, kinds=(*OF_CARE, Kind.DELEGATED)),
    )
    for key, kind, permits in connection.execute(statement).all():
        some = found.setdefault(key, {"cares"})
        if kind == Kind.REGISTERED:
            some.add("registered")
        elif kind == Kind.TEAM and permits == LEADS:
            some.add("lead")
    return {key: frozenset(some) for key, some in found.items()}
