"""Compartment searches: what refers to the focal resource by the parameters R4 names for its type.

FHIR R4 §3.1.1.2 (search contexts) and §2.28 (CompartmentDefinition).
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, FromClause, and_, false, or_

from ehr.errors import Invalid
from ehr.search.grammar.refusals import unknown
from ehr.search.matching import KeyAndRow, MatchContext, some_row
from ehr.search.parameters.reference_paths import reference_paths
from ehr.search.request import Compartment
from ehr.store.tables import reference
from fhir_profiles import compartments
from fhir_profiles.search_parameters import for_type

_FOCAL = "{def}"


def compartment_types(place: Compartment) -> tuple[str, ...]:
    """Return the types to search; raise Invalid for a compartment or type that does not exist."""
    if place.type not in compartments.COMPARTMENTS:
        raise unknown("compartment", place.type, "", compartments.COMPARTMENTS)
    inside = compartments.types_in(place.type)
    if place.of is None:
        return inside
    if place.of not in inside:
        raise Invalid(
            f"{place.of} is never in the compartment of a {place.type}. "
            f"In it are: {', '.join(inside)}.",
            code="not-supported",
        )
    return (place.of,)


def codes_of(place: Compartment, types: Sequence[str]) -> set[str]:
    """Return the parameters by which rows of these types lie in a compartment."""
    found = {code for type in types for code in compartments.parameters(place.type, type)}
    return found - {_FOCAL}


def in_compartment(
    row: FromClause,
    place: Compartment,
    types: Sequence[str],
    focal: KeyAndRow | None,
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition that `row` belongs to the compartment of the row `focal`."""
    if focal is None:
        return false()
    key, rid = focal
    paths: set[int] = set()
    itself = False
    for type_name in types:
        for code in compartments.parameters(place.type, type_name):
            if code == _FOCAL:
                itself = True
            else:
                paths.update(path for path, _ in reference_paths(for_type(type_name)[code]))

    def leads_there(t: FromClause) -> ColumnElement[bool]:
        return and_(t.c.path.in_(sorted(paths)), t.c.target_rid == rid, t.c.target_key == key)

    refers = some_row(reference, row, context, leads_there)
    if not itself:
        return refers
    return or_(refers, and_(row.c.patient_key == key, row.c.rid == rid))
