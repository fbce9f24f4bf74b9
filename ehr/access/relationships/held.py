"""Which relationships are in force for a caller now, as SQL: by caller, and by patient.

All that is said of a relationship is judged here, at each request: from and to, on whose behalf,
what it rests on. Callers have at most some fifty names (`Terms.name`): the person, their roles,
organisations, services and teams, each identifier-only name with its type and without. Hashes and
time are values that begin with `caller_`: statements are the same for all (`store/templates.py`).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    not_,
    or_,
    select,
)

from ehr.access.names import GRANTEES, NOW
from ehr.access.relationships.kinds import OF_CARE, OF_STAFF, Ceiling, Kind
from ehr.access.relationships.rows import named
from ehr.access.there import there_is
from ehr.store.hashing import Hasher
from ehr.store.pairs import among_few, number_list
from ehr.store.tables import relationship

# Kinds that are in force only while something else is.
_RESTING = (Kind.REFERRAL, Kind.DELEGATED)


@dataclass(frozen=True, slots=True)
class Grantees:
    """The names of a caller as a statement's value, and the moment it asks at, in ms."""

    listed: str
    now: int


def grantees(hasher: Hasher, dialect: str, names: Iterable[str], now: int) -> Grantees:
    """Return who a caller is to relationships."""
    hashes = sorted({named(hasher, name) for name in names if name})
    return Grantees(number_list(dialect, hashes), now)


def caller_patients(
    caller: Grantees,
    at_least: Ceiling = Ceiling.MINIMAL,
    kinds: Collection[Kind] | None = None,
) -> Select[int]:
    """Return the SELECT of the keys of patients to whom a caller has a relationship now."""
    row = relationship.alias("held")
    held = is_held(row, at_least, caller, kinds=kinds)
    return select(row.c.patient_key).distinct().where(held)


def is_related(
    patient_key: ColumnElement[int],
    caller: Grantees,
    at_least: Ceiling = Ceiling.MINIMAL,
    kinds: Collection[Kind] | None = None,
) -> ColumnElement[bool]:
    """Return the condition that a caller has a relationship to the patient with this key now."""
    row = relationship.alias("held")
    held = is_held(row, at_least, caller, kinds=kinds)
    return there_is(row, row.c.patient_key == patient_key, held)


def is_held(
    row: FromClause,
    at_least: Ceiling,
    caller: Grantees,
    *,
    kinds: Collection[Kind] | None = None,
) -> ColumnElement[bool]:
    """Return the condition that `row`, an alias of `relationship`, is in force for a caller.

    Any kind will do, unless some are named.
    """
    if at_least is Ceiling.NOTHING:
        raise ValueError("everybody has no relationship to everybody")
    mine = bindparam(GRANTEES, caller.listed, Text)
    now = bindparam(NOW, caller.now, BigInteger)
    some = frozenset(Kind if kinds is None else kinds)
    parts = [
        among_few(row.c.grantee, mine),
        _is_live(row, now),
        row.c.ceiling >= int(at_least),
    ]
    if kinds is not None:
        numbers = sorted(map(int, some))
        parts.append(row.c.kind == numbers[0] if len(numbers) == 1 else row.c.kind.in_(numbers))
    if Kind.TEAM in some:
        parts.append(or_(row.c.behalf == 0, among_few(row.c.behalf, mine)))
    if Kind.REFERRAL in some:
        parts += _is_up_to_date(row, at_least)
    if Kind.DELEGATED in some:
        giver = _giver_holds(row, mine, now, at_least)
        parts.append(or_(row.c.kind != int(Kind.DELEGATED), giver))
    if Kind.PROXY in some:
        parts.append(or_(row.c.kind != int(Kind.PROXY), _carer_is_there(row, now)))
    return and_(*parts)


def is_simply_held(row: FromClause, caller: Grantees) -> ColumnElement[bool]:
    """Return a condition by which `is_held` is met, for staff as far as the role goes.

    It holds for what rests on nothing else, and is short: most relationships are such.
    """
    kinds = sorted(int(kind) for kind in OF_STAFF if kind not in _RESTING)
    return and_(
        among_few(row.c.grantee, bindparam(GRANTEES, caller.listed, Text)),
        _is_live(row, bindparam(NOW, caller.now, BigInteger)),
        row.c.ceiling >= int(Ceiling.ROLE),
        row.c.kind.in_(kinds),
        row.c.behalf == 0,
    )


def _is_live(row: FromClause, now: BindParameter[int]) -> ColumnElement[bool]:
    return and_(row.c.from_at <= now, row.c.to_at > now)


def _is_up_to_date(row: FromClause, at_least: Ceiling) -> list[ColumnElement[bool]]:
    """A request opens the minimum alone where there are Tasks about it, which say who accepted."""
    if at_least is Ceiling.MINIMAL:
        return []
    task = relationship.alias("task")
    has_task = there_is(
        task,
        task.c.patient_key == row.c.patient_key,
        task.c.kind == int(Kind.REFERRAL),
        task.c.from_task,
        task.c.basis == row.c.basis,
    )
    is_request = and_(row.c.kind == int(Kind.REFERRAL), not_(row.c.from_task))
    return [not_(and_(is_request, has_task))]


def _giver_holds(
    row: FromClause, mine: BindParameter[str], now: BindParameter[int], at_least: Ceiling
) -> ColumnElement[bool]:
    """Who delegates must hold as much now; on whose behalf, that colleague acts for as well."""
    holder = relationship.alias("holder")
    return there_is(
        holder,
        holder.c.patient_key == row.c.patient_key,
        holder.c.grantee == row.c.basis,
        holder.c.kind.in_([int(kind) for kind in OF_CARE]),
        or_(holder.c.behalf == 0, among_few(holder.c.behalf, mine)),
        _is_live(holder, now),
        holder.c.ceiling >= int(at_least),
        *_is_up_to_date(holder, at_least),
    )


def _carer_is_there(row: FromClause, now: BindParameter[int]) -> ColumnElement[bool]:
    """The RelatedPerson of a proxy must be there."""
    person = relationship.alias("person")
    return there_is(
        person,
        person.c.patient_key == row.c.patient_key,
        person.c.grantee == row.c.basis,
        person.c.kind == int(Kind.RELATED),
        _is_live(person, now),
    )
