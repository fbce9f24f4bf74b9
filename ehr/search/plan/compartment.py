"""Compartment searches: what refers to the focal resource by the parameters R4 names for its type.

FHIR R4 §3.1.1.2 (search contexts) and §2.28 (CompartmentDefinition).
"""

from collections.abc import Sequence, Set

from sqlalchemy import ColumnElement, FromClause, and_, false, or_

from auth.roles.left import is_told_by
from ehr.errors import Invalid
from ehr.search.asking import Asking
from ehr.search.grammar.refusals import unknown
from ehr.search.matching import KeyAndRow, some_row
from ehr.search.parameters.reference_paths import reference_paths
from ehr.search.plan.rows import in_parts, is_whole
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


def in_compartment(
    row: FromClause,
    place: Compartment,
    types: Sequence[str],
    focal: KeyAndRow | None,
    asking: Asking,
) -> ColumnElement[bool]:
    """Return the condition that `row` belongs to the compartment of the row `focal`.

    It belongs there by what the caller sees of it.
    """
    if focal is None:
        return false()
    key, rid = focal
    paths: set[int] = set()
    # Where references stand that are not shown of rows which the caller sees in part.
    hidden: set[int] = set()
    itself = False
    parts = in_parts(asking, types or (None,))
    for type_name in types:
        for code in compartments.parameters(place.type, type_name):
            if code == _FOCAL:
                itself = True
            else:
                is_hidden = type_name in parts and not is_told_by(type_name, code)
                found = reference_paths(for_type(type_name)[code])
                (hidden if is_hidden else paths).update(path for path, _ in found)

    def refers(by: Set[int]) -> ColumnElement[bool]:
        def leads_there(t: FromClause) -> ColumnElement[bool]:
            return and_(t.c.path.in_(sorted(by)), t.c.target_rid == rid, t.c.target_key == key)

        return some_row(reference, row, asking.context, leads_there)

    ways = [refers(paths)]
    if hidden:
        ways.append(and_(refers(hidden), is_whole(row, parts, asking)))
    if itself:
        ways.append(and_(row.c.patient_key == key, row.c.rid == rid))
    return or_(*ways)
