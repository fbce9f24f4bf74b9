"""Who a caller is to resources: the names and rows by which they mean the caller, as of now.

auth/README.md, *From the role to the row*. A professional is the person, the PractitionerRoles of
that person in force at the organisation signed in at, the services that these name, and that
organisation; each also by its identifiers. Patients and carers are themselves only,
systems the organisation that they act for. What the
directory says is kept for as long as its resources stay as they are: one statement looks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from auth.principal import Called, Principal
from auth.tokens import InForce
from ehr.access.relationships.emergencies import EMERGENCIES, EMERGENCY, emergency_values
from ehr.access.terms import Terms, parts
from ehr.store import read, token_rows
from ehr.store.engine import is_postgres, of
from ehr.store.locator import locate
from ehr.store.rows import identifier_text
from ehr.store.statements import query
from fhir_profiles import json_format
from fhir_profiles.definitions import type_name, type_number
from fhir_profiles.identity import stable_id

_STAFF = ("professional", "operator")
_SERVICES = frozenset({"HealthcareService"})
_ORGANISATION = frozenset({"Organization"})
_MOST_KEPT = 10_000

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

Row = tuple[Any, ...]  # type, id and version
Rows = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A PractitionerRole at the caller's organisation: what it adds while its period lasts."""

    from_: int
    to: int
    names: tuple[str, ...]
    rids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory says of somebody, as of these rows."""

    rows: Rows
    person: Place
    organisation: Place
    places: tuple[Place, ...]

    def at(self, now: int, emergencies: tuple[int, ...]) -> Called:
        """Return who somebody is at a moment, in ms; `emergencies` are those in `Called`."""
        there = [place for place in self.places if place.from_ <= now < place.to]
        names = [*self.person.names, *self.organisation.names]
        rids = [*self.person.rids]
        for place in there:
            names += place.names
            rids += place.rids
        at = self.organisation.rids
        every = tuple(dict.fromkeys(names)), tuple(dict.fromkeys((*rids, *at)))
        return Called(*every, at[0] if at else 0, now, emergencies)


def called(connection: Connection, principal: Principal, terms: Terms, now: int) -> Called:
    """Return who a caller is now, in ms; whoever is not staff has one name."""
    if principal.kind not in _STAFF:
        return _alone(principal, now)
    who, at = _named(principal)
    return _said(connection, who, at, terms, _rows(connection, who, at, terms, now), now)


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

    In one statement; who that is, is left out where it would take another.
    """
    who, at = _named(principal)
    kept: dict[str, int] = of(connection).directory
    is_staff = principal.kind in _STAFF
    if principal.scopes is None or (is_staff and (who not in kept or (at and at not in kept))):
        return token_in_force(connection, hash, principal)
    if not is_staff:
        one = token_in_force(connection, hash, principal)
        return one and InForce(one.version, _alone(principal, clock()))
    mark, now = "%b" if is_postgres(connection) else "?", clock()
    asked = token_rows.beside(mark, _ROWS.format(mark))
    by = terms()
    beside = _values(connection, who, kept[who], kept.get(at, 0), now, by.break_glass)
    found = query(connection, asked, (hash, *beside))
    if not any(row[0] == token_rows.TOKEN for row in found):
        return None
    return InForce(_version_of(who, found), _said(connection, who, at, by, found, now))


def _version_of(who: str, found: Iterable[Row]) -> int:
    """Return the version of a person whose row was found: a deletion is one too."""
    type, _, id = who.partition("/")
    number = type_number(type)
    return next((abs(row[2]) for row in found if row[0] == number and row[1] == id), 0)


def _said(
    connection: Connection, who: str, at: str, terms: Terms, found: Iterable[Row], now: int
) -> Called:
    """Return who somebody is, by what `_ROWS` found."""
    rows = tuple(sorted(row for row in found if row[0] > 0 and row[2] > 0))
    emergencies = tuple(sorted(int(row[1]) for row in found if row[0] == EMERGENCY))
    return _known(connection, who, at, terms, rows).at(now, emergencies)


def _named(principal: Principal) -> tuple[str, str]:
    at = principal.organisation
    return principal.person or "", f"Organization/{at}" if at else ""


def _alone(principal: Principal, now: int) -> Called:
    """Return who a caller is of whom the directory says nothing."""
    name = _named(principal)[principal.kind == "system"]
    return Called((name,) if name else (), (), 0, now)


def _known(connection: Connection, who: str, at: str, terms: Terms, rows: Rows) -> Known:
    kept: dict[tuple[str, str], Known] = of(connection).directory
    known = kept.get((who, at))
    if known is None or known.rows != rows:
        known = _learnt(connection, who, at, terms, rows)
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        # What a transaction has done so far may still be taken back.
        if not of(connection).is_joined:
            kept[who, at] = known
    return known


def _rows(connection: Connection, who: str, at: str, terms: Terms, now: int) -> list[Row]:
    rids = _rids(connection, [name for name in (who, at) if name])
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


def _learnt(connection: Connection, who: str, at: str, terms: Terms, rows: Rows) -> Known:
    documents = dict(_documents(connection, rows))
    roles = [
        (name, one)
        for name, one in documents.items()
        if name.startswith("PractitionerRole/")
        and one.get("active") is not False
        and terms.name(one.get("organization"), _ORGANISATION) == at
    ]
    services = {name: _services(role, terms) for name, role in roles}
    local = {name for some in services.values() for name in some if _is_local(name)}
    named = [*(name for name, _ in roles), *local, *(one for one in (who, at) if one)]
    rids = _rids(connection, named)
    places = []
    for name, role in roles:
        period = terms.period(role.get("period"))
        if period is not None:
            names = (*_all_names(name, role), *services[name])
            some = tuple(rids[one] for one in (name, *services[name]) if one in rids)
            places.append(Place(*period, names, some))
    return Known(
        rows,
        _always(who, documents.get(who), rids),
        _always(at, documents.get(at), rids),
        tuple(places),
    )


def _always(name: str, document: Mapping[str, Any] | None, rids: Mapping[str, int]) -> Place:
    names = () if not name else (name,) if document is None else tuple(_all_names(name, document))
    return Place(0, 0, names, (rids[name],) if name in rids else ())


def _all_names(name: str, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a Reference may name a resource of this record: by itself, or by an identifier."""
    yield name
    type = name.partition("/")[0]
    for one in parts(dict(document), "identifier"):
        system, value = one.get("system"), one.get("value")
        if isinstance(system, str) and isinstance(value, str):
            text = f"?identifier={identifier_text(system, value)}"
            yield text
            yield type + text


def _documents(connection: Connection, rows: Rows) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, id, _ in rows:
        found = read.newest(connection, type_name(number), id)
        if found is not None and not found.deleted:
            yield f"{found.type}/{id}", json_format.reparse(found.json())


def _rids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the rows of resources, which have the same for ever."""
    kept: dict[str, int] = of(connection).directory
    found = {name: kept[name] for name in names if name in kept}
    missing = {
        (type, id) for type, _, id in (name.partition("/") for name in names if name not in found)
    }
    fresh = {f"{one[0]}/{one[1]}": place.rid for one, place in locate(connection, missing).items()}
    if not of(connection).is_joined:
        kept.update(fresh)
    return found | fresh


def _services(role: dict[str, Any], terms: Terms) -> list[str]:
    named = (terms.name(each, _SERVICES) for each in parts(role, "healthcareService"))
    return [name for name in named if name is not None]


def _is_local(name: str) -> bool:
    return "?" not in name and "://" not in name
