"""Which patients a search is about, where its text says so: the keys of an in-patient plan.

ehr/README.md, *Owner and key*. A reference to a patient pins the patient's key when its element is
the one that files the resource; nothing else decides under which positive key a row lies. Any other
reference to a patient may stand in rows filed elsewhere; `member` says under which keys, and those
are searched too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, select

from ehr.search.matching import KeyAndRow, TypeAndId
from ehr.search.parameters.reference_paths import reference_paths
from ehr.search.request import Criterion, SearchRequest
from ehr.store.tables import member
from fhir_profiles.definitions import type_definition
from fhir_profiles.identity import stable_id
from fhir_profiles.owners import OWNER_PATHS
from fhir_profiles.search_parameters import SearchParameter

# More owners than this are not worth naming one by one.
_MOST_OWNERS = 500


@dataclass(frozen=True, slots=True)
class Pins:
    """The keys under which every match lies (None: any), and the criterion they stand for."""

    keys: tuple[int, ...] | None = None
    implied: Criterion | None = None


def pinned(
    connection: Connection,
    request: SearchRequest,
    named: Sequence[tuple[Criterion, Sequence[TypeAndId]]],
    places: Mapping[TypeAndId, KeyAndRow],
) -> Pins:
    """Return what pins the request; `named` are its criteria with the resources they name."""
    place = request.compartment
    if place is not None and place.type == "Patient":
        found = places.get((place.type, place.id))
        return Pins(_with_owners(connection, (found[0],))) if found else Pins()
    candidates = [one for one in named if _names_patients(*one, places)]
    for criterion, names in candidates:
        if files(criterion.parameters[0]):
            # Such a row has that key because of that reference: asking again only misleads
            # planners, which take key and reference for independent.
            exact = not any("_history" in value for value in criterion.values)
            return Pins(_keys(names, places), criterion if exact else None)
    for _, names in candidates:
        return Pins(_with_owners(connection, _keys(names, places)))
    return Pins()


def _names_patients(
    criterion: Criterion, names: Sequence[TypeAndId], places: Mapping[TypeAndId, KeyAndRow]
) -> bool:
    return (
        len(criterion.parameters) == 1
        and criterion.parameters[0].kind == "reference"
        and criterion.modifier in (None, "Patient")
        and len(names) >= len(criterion.values)
        and all(name[0] == "Patient" and name in places for name in names)
    )


@cache
def files(parameter: SearchParameter) -> bool:
    """Tell whether the parameter reads exactly the one reference that decides on the owner."""
    owners = OWNER_PATHS.get(parameter.type, ())
    field = type_definition(parameter.type).fields.get(owners[0]) if len(owners) == 1 else None
    if field is None or field.many:
        return False
    paths = {path for path, _ in reference_paths(parameter)}
    return paths == {stable_id(f"{parameter.type}.{owners[0]}")}


def _keys(names: Sequence[TypeAndId], places: Mapping[TypeAndId, KeyAndRow]) -> tuple[int, ...]:
    return tuple(sorted({places[name][0] for name in names}))


def _with_owners(connection: Connection, keys: tuple[int, ...]) -> tuple[int, ...] | None:
    owners = (
        connection.execute(
            select(member.c.owner_key)
            .where(member.c.member_key.in_(keys))
            .distinct()
            .limit(_MOST_OWNERS + 1)
        )
        .scalars()
        .all()
    )
    return tuple(sorted({*keys, *owners})) if len(owners) <= _MOST_OWNERS else None
