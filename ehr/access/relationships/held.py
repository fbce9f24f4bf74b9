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
    exists,
    not_,
    or_,
    select,
)

from ehr.access.relationships.kinds import OF_CARE, Ceiling, Kind
from ehr.access.relationships.rows import named
from ehr.store.hashing import Hasher
from ehr.store.pairs import listed_numbers, number_list
from ehr.store.tables import relationship

GRANTEES, NOW = "caller_grantees", "caller_now"


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
    held = _held(row, caller, at_least, kinds)
    return select(row.c.patient_key).distinct().where(held)


def is_related(
    patient_key: ColumnElement[int],
    caller: Grantees,
    at_least: Ceiling = Ceiling.MINIMAL,
    kinds: Collection[Kind] | None = None,
) -> ColumnElement[bool]:
    """Return the condition that a caller has a relationship to the patient with this key now."""
    row = relationship.alias("held")
    return exists().where(row.c.patient_key == patient_key, _held(row, caller, at_least, kinds))


def _held(
    row: FromClause, caller: Grantees, at_least: Ceiling, kinds: Collection[Kind] | None
) -> ColumnElement[bool]:
    if at_least is Ceiling.NOTHING:
        raise ValueError("everybody has no relationship to everybody")
    mine = bindparam(GRANTEES, caller.listed, Text)
    now = bindparam(NOW, caller.now, BigInteger)
    parts = [
        listed_numbers(row.c.grantee, mine),
        _is_live(row, now),
        or_(row.c.behalf == 0, listed_numbers(row.c.behalf, mine)),
        _reaches(row, at_least),
        _rests_well(row, now, at_least),
    ]
    if kinds is not None:
        parts.append(row.c.kind.in_(sorted(kinds)))
    return and_(*parts)


def _is_live(row: FromClause, now: BindParameter[int]) -> ColumnElement[bool]:
    return and_(row.c.from_at <= now, row.c.to_at > now)


def _reaches(row: FromClause, at_least: Ceiling) -> ColumnElement[bool]:
    """A request opens the minimum alone where there are Tasks about it, which say who accepted."""
    enough = row.c.ceiling >= int(at_least)
    if at_least is Ceiling.MINIMAL:
        return enough
    task = relationship.alias("told")
    has_task = exists().where(
        task.c.patient_key == row.c.patient_key,
        task.c.kind == int(Kind.REFERRAL),
        task.c.from_task,
        task.c.basis == row.c.basis,
    )
    is_request = and_(row.c.kind == int(Kind.REFERRAL), not_(row.c.from_task))
    return and_(enough, not_(and_(is_request, has_task)))


def _rests_well(row: FromClause, now: BindParameter[int], at_least: Ceiling) -> ColumnElement[bool]:
    """Who delegated must hold as much now; the RelatedPerson of a proxy must be there."""
    holder, person = relationship.alias("holder"), relationship.alias("person")
    is_held = exists().where(
        holder.c.patient_key == row.c.patient_key,
        holder.c.grantee == row.c.basis,
        holder.c.kind.in_([int(kind) for kind in OF_CARE]),
        _is_live(holder, now),
        _reaches(holder, at_least),
    )
    is_there = exists().where(
        person.c.patient_key == row.c.patient_key,
        person.c.grantee == row.c.basis,
        person.c.kind == int(Kind.RELATED),
        _is_live(person, now),
    )
    return and_(
        or_(row.c.kind != int(Kind.DELEGATED), is_held),
        or_(row.c.kind != int(Kind.PROXY), is_there),
    )
