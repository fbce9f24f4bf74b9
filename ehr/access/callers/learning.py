"""What the directory says of somebody, learnt from its resources and kept while they stay."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from ehr.access.callers.known import Known, Place, Rows, Standing
from ehr.access.terms import Terms, parts
from ehr.store import read
from ehr.store.engine import of
from ehr.store.locator import locate
from ehr.store.rows import identifier_text
from fhir_profiles import json_format
from fhir_profiles.definitions import type_name

_SERVICES = frozenset({"HealthcareService"})
_ORGANISATION = frozenset({"Organization"})
_MOST_KEPT = 20_000
_KNOWN = "known"


def known_of(connection: Connection, who: str, at: str, terms: Terms, rows: Rows) -> Known:
    """Return what the directory says of a person at an organisation, as of these rows."""
    kept: dict[Any, Any] = of(connection).directory
    known: Known | None = kept.get((_KNOWN, who, at))
    if known is None or known.rows != rows or not known.is_whole:
        known = _learnt(connection, who, at, terms, rows)
        # What a transaction has done so far may still be taken back.
        if not of(connection).is_joined:
            keep(connection, (_KNOWN, who, at), known)
    return known


def keep(connection: Connection, name: tuple[str, ...], what: Known | Standing) -> None:
    """Keep what was learnt, for as long as there is room."""
    kept: dict[Any, Any] = of(connection).directory
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[name] = what


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
    rids = rids_of(connection, named)
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
        is_whole=local <= rids.keys(),
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


def rids_of(connection: Connection, names: Iterable[str]) -> dict[str, int]:
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
