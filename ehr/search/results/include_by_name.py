"""Includes that follow canonicals: by the url of a definition, which lies under any key.

FHIR R4 §2.3.0.5 (canonicals), §3.1.1.5.4. A round of includes hands over the names it met, and one
statement finds the definitions; the other way round, one finds the names of the round's rows.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache

from sqlalchemy import select, union_all

from ehr.search.asking import Asking
from ehr.search.parameters.reference_paths import canonical_path
from ehr.search.parameters.supported import parameters_named, supported_names
from ehr.search.plan.canonicals import Name, definitions, named_rows, names_of
from ehr.search.plan.rows import ROW
from ehr.search.request import Include
from ehr.search.results.linked import Linked
from ehr.store.templates import rows_of
from fhir_profiles.definitions import resource_types, type_name
from fhir_profiles.search_parameters import SearchParameter

Names = Mapping[int, Collection[Name]]  # by the path of the canonicals


def paths_forward(includes: Sequence[Include], types: set[str]) -> dict[int, tuple[str, ...]]:
    """Return the canonicals to follow from rows of these types, and to what types each leads."""
    found: dict[int, tuple[str, ...]] = {}
    for include in includes:
        for source in sorted(types if include.source is None else types & {include.source}):
            for parameter in parameters_of(include, source):
                path = canonical_path(parameter)
                if path is not None:
                    more = _leads_to(parameter, include)
                    found[path] = tuple(dict.fromkeys((*found.get(path, ()), *more)))
    return found


def names_of_edge(
    includes: Sequence[Include], edge: Sequence[Linked], asking: Asking, *, check: bool
) -> Names:
    """Return by what names canonicals may lead to rows of the edge.

    `check` that those rows may be seen themselves.
    """
    types = {row.type for row in edge}
    led = {
        path: set(_leads_to(parameter, include)) & types
        for include in includes
        for parameter in parameters_of(include, include.source)
        if (path := canonical_path(parameter)) is not None
    }
    reached = set().union(*led.values()) if led else set()
    if not reached:
        return {}
    types_at = {row.place: row.type for row in edge if row.type in reached}
    names = names_of(types_at, sorted(reached), asking, check=check)
    found = {
        path: {name for place, name in names.items() if types_at[place] in some}
        for path, some in led.items()
    }
    return {path: some for path, some in found.items() if some}


def definitions_named(
    wanted: Sequence[tuple[tuple[str, ...], Collection[Name]]], asking: Asking, *, limit: int
) -> Iterator[Linked]:
    """Yield the definitions of some types that have one of some names, as may be seen."""
    parts = [
        part for types, names in wanted for part in named_rows(ROW, types, names, asking)
    ]  # fmt: skip
    if not parts:
        return
    statement = select(union_all(*parts).subquery()).distinct().limit(limit)
    for number, key, rid in rows_of(asking.connection, statement):
        yield Linked(type_name(number), (key, rid))


def _leads_to(parameter: SearchParameter, include: Include) -> tuple[str, ...]:
    types = definitions(parameter.targets)
    return tuple(one for one in types if include.target in (None, one))


def parameters_of(include: Include, source: str | None) -> tuple[SearchParameter, ...]:
    """Return the parameters of a type (None: of any) that are followed, all for a wildcard."""
    if include.parameters:
        return include.parameters
    own = tuple(one for one in include.further if source in (None, one.type))
    return _references_of(source) + own


@cache
def _references_of(type: str | None) -> tuple[SearchParameter, ...]:
    if type is None:
        return tuple(one for each in resource_types() for one in _references_of(each))
    named = (parameters_named((type,), code)[0] for code in sorted(supported_names((type,))))
    return tuple(parameter for parameter in named if parameter.kind == "reference")
