"""Who a caller is to resources: the names and rows by which they mean the caller, as of now.

auth/README.md, *From the role to the row*. A professional is the person, the PractitionerRoles of
that person in force at the organisation signed in at, the services that these name, and that
organisation; each also by its identifiers. Patients and carers are themselves only,
systems the organisation that they act for. What the directory says is kept for as long as its mark
stays as it is (`ehr/store/directory_mark.py`), and after that for as long as its resources do.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection

from auth.principal import Called, Principal
from auth.tokens import InForce
from ehr.access.callers.known import Row, Rows, Standing
from ehr.access.callers.learning import keep, known_of, rids_of
from ehr.access.relationships.emergencies import (
    EMERGENCIES,
    EMERGENCY,
    Emergency,
    emergency_of,
    emergency_values,
)
from ehr.access.terms import Terms
from ehr.store import token_rows
from ehr.store.engine import is_postgres, of
from ehr.store.statements import query
from fhir_profiles.definitions import type_number
from fhir_profiles.identity import stable_id

_STAFF = ("professional", "operator")

# The person and the organisation, and every role of the person, with their versions, below zero
# once deleted; and whose records the person has open in an emergency.
_ROWS = (
    "SELECT r.type, r.id, "  # noqa: S608  texts of ours
    "CASE WHEN r.deleted THEN -r.version ELSE r.version END FROM resource r "
    "WHERE r.patient_key = 0 AND r.rid IN ({0}, {0}) "
    "UNION ALL SELECT r.type, r.id, r.version FROM reference f JOIN resource r "
    "ON r.patient_key = f.patient_key AND r.rid = f.rid "
    "WHERE f.patient_key = 0 AND f.target_rid = {0} AND f.path = {0} AND r.deleted = false "
    f"UNION ALL {EMERGENCIES}"
)
_PRACTITIONER = stable_id("PractitionerRole.practitioner")


def called(connection: Connection, principal: Principal, terms: Terms, now: int) -> Called:
    """Return who a caller is now, in ms; whoever is not staff has one name."""
    if principal.kind not in _STAFF:
        return _alone(connection, principal, now)
    who, at = _named(principal)
    found = _rows(connection, who, at, terms, now)
    known = known_of(connection, who, at, terms, _directory_rows(found))
    return known.at(now, _emergencies(found))


def token_in_force(connection: Connection, hash: str, principal: Principal) -> InForce | None:
    """Return the version of whom a token stands for, None where it is no longer in force."""
    version = token_rows.in_force(connection, hash, principal.person)
    return None if version is None else InForce(version)


def in_force(
    terms: Callable[[], Terms],
    clock: Callable[[], int],
    connection: Connection,
    hash: str,
    principal: Principal,
) -> InForce | None:
    """Return what `token_in_force` does, and who the caller is now where scopes are asked about.

    In one statement, and in one more after the directory changed; who that is, is left out where
    it would take further ones.
    """
    if principal.scopes is None:
        return token_in_force(connection, hash, principal)
    if principal.kind not in _STAFF:
        one = token_in_force(connection, hash, principal)
        return one and InForce(one.version, _alone(connection, principal, clock()))
    named = _named(principal)
    kept: dict[Any, Any] = of(connection).directory
    standing: Standing | None = kept.get(named)
    if standing is not None:
        marked = token_rows.mark_in_force(connection, hash)
        if marked is None:
            return None
        if marked[0] == standing.mark:
            return standing.at(clock())
    who, at = named
    rid, place = kept.get(who), kept.get(at) if at else 0
    if rid is None or place is None:
        return token_in_force(connection, hash, principal)
    now, by = clock(), terms()
    values = _values(connection, who, rid, place, now, by.break_glass)
    return _learnt_beside(connection, hash, named, values, by, now)


def _learnt_beside(
    connection: Connection,
    hash: str,
    named: tuple[str, str],
    values: tuple[int, ...],
    terms: Terms,
    now: int,
) -> InForce | None:
    """Ask whether a token is in force and who its caller is, in one statement; keep that."""
    who, at = named
    sign = "%b" if is_postgres(connection) else "?"
    asked = token_rows.beside(sign, _ROWS.format(sign))
    found = query(connection, asked, (hash, *values))
    mark = next((row[1:2] for row in found if row[0] == token_rows.TOKEN), None)
    if mark is None:
        return None
    known = known_of(connection, who, at, terms, _directory_rows(found))
    standing = Standing(mark[0] or "", _version_of(who, found), known, _emergencies(found))
    # A record that an earlier release wrote has no mark yet.
    if standing.mark and not of(connection).is_joined:
        keep(connection, named, standing)
    return standing.at(now)


def _version_of(who: str, found: Iterable[Row]) -> int:
    """Return the version of a person whose row was found: a deletion is one too."""
    type, _, id = who.partition("/")
    number = type_number(type)
    return next((abs(row[2]) for row in found if row[0] == number and row[1] == id), 0)


def _directory_rows(found: Iterable[Row]) -> Rows:
    """Return of what `_ROWS` found the rows of the directory that stand."""
    return tuple(sorted(row for row in found if row[0] > 0 and row[2] > 0))


def _emergencies(found: Iterable[Row]) -> tuple[Emergency, ...]:
    return tuple(emergency_of(row[1]) for row in found if row[0] == EMERGENCY)


def _named(principal: Principal) -> tuple[str, str]:
    at = principal.organisation
    return principal.person or "", f"Organization/{at}" if at else ""


def _alone(connection: Connection, principal: Principal, now: int) -> Called:
    """Return who a caller is of whom the directory says nothing: patients and carers are parties
    by the row that they are."""
    is_system = principal.kind == "system"
    name = _named(principal)[is_system]
    rids = () if is_system or not name else tuple(rids_of(connection, [name]).values())
    return Called((name,) if name else (), rids, 0, now)


def _rows(connection: Connection, who: str, at: str, terms: Terms, now: int) -> list[Row]:
    rids = rids_of(connection, [name for name in (who, at) if name])
    if not rids:
        return []
    longest = terms.break_glass
    values = _values(connection, who, rids.get(who, 0), rids.get(at, 0), now, longest)
    return query(connection, _ROWS.format("%b" if is_postgres(connection) else "?"), values)


def _values(
    connection: Connection, who: str, rid: int, at: int, now: int, longest: int
) -> tuple[int, ...]:
    """Return the parameters of `_ROWS`, of a person and an organisation at these rows."""
    open_now = emergency_values(of(connection).hasher, who, now, longest)
    return (rid, at, rid, _PRACTITIONER, *open_now)
