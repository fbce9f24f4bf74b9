"""Which patients a search is about, where its text says so: the keys of an in-patient plan.

DESIGN §5 (owner and key). A reference to a patient pins the patient's key when its element is the
one that files the resource. Any other reference to a patient may stand in rows filed elsewhere;
`member` says under which keys, and those are searched too.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from ehr.search.matching import KeyAndRow, TypeAndId
from ehr.search.reference import reference_paths
from ehr.search.request import Criterion, SearchRequest
from ehr.store.tables import member
from fhir_profiles.identity import stable_id
from fhir_profiles.owners import OWNER_PATHS
from fhir_profiles.search_parameters import SearchParameter

# More owners than this are not worth naming one by one.
_MOST_OWNERS = 500


def pinned_keys(
    connection: Connection,
    request: SearchRequest,
    named: Sequence[tuple[Criterion, Sequence[TypeAndId]]],
    places: Mapping[TypeAndId, KeyAndRow],
) -> tuple[int, ...] | None:
    """Return the keys under which every match lies, or None.

    `named` are the request's reference criteria with the resources they name.
    """
    place = request.compartment
    if place is not None and place.type == "Patient":
        found = places.get((place.type, place.id))
        return _with_owners(connection, (found[0],)) if found else None
    candidates = [one for one in named if _names_patients(*one, places)]
    for criterion, names in candidates:
        if _files(criterion.parameters[0]):
            return _keys(names, places)
    for _, names in candidates:
        return _with_owners(connection, _keys(names, places))
    return None


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


def _files(parameter: SearchParameter) -> bool:
    """Tell whether the parameter reads exactly the element that names the owner first."""
    owner = OWNER_PATHS.get(parameter.type, ("",))[0]
    paths = {path for path, _ in reference_paths(parameter)}
    return paths == {stable_id(f"{parameter.type}.{owner}")}


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
