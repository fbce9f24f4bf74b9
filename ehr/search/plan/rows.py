"""Rows of `resource` that a search looks at: current, of some types, such as the caller may see."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.access.visible import visible_within
from ehr.search.asking import Asking
from ehr.store import tables
from fhir_profiles.definitions import type_number

# Made once: an alias costs more than the rest of a statement.
ROW = tables.resource.alias("r")


def visible_rows(types: Sequence[str], asking: Asking) -> tuple[FromClause, ColumnElement[bool]]:
    """Return an alias of `resource` and the condition of its current rows of these types."""
    row = ROW
    seen = visible_within(row, asking.scope, binaries=not types or "Binary" in types)
    return row, and_(*of_types(row, types), row.c.deleted.is_(False), seen)


def of_types(row: FromClause, types: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the condition that a row is of one of these types (none: any)."""
    numbers = [type_number(name) for name in types]
    # One type as an equality: an index can then give the order as well.
    if len(numbers) == 1:
        return [row.c.type == numbers[0]]
    return [row.c.type.in_(numbers)] if numbers else []
