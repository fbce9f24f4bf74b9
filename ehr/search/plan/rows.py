"""Rows of `resource` that a search looks at: current, of some types, such as the caller may see.

Rows that may not be seen are never found. But whoever names a type of which nothing may be seen,
learns what is missing, and does not take the empty answer for one about the record.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.access.scope import NOBODYS_KEY, Scope
from ehr.access.visible import visible_within
from ehr.errors import lacking
from ehr.search.asking import Asking
from ehr.search.request import AllOf, AnyOf, Chain, Condition, Negation, Reverse, SearchRequest
from ehr.store import tables
from fhir_profiles.definitions import type_number

# Made once: an alias costs more than the rest of a statement.
ROW = tables.resource.alias("r")


def visible_rows(types: Sequence[str], asking: Asking) -> tuple[FromClause, ColumnElement[bool]]:
    """Return an alias of `resource` and the condition of its current rows of these types."""
    row = ROW
    binaries = not types or "Binary" in types
    hasher = asking.context.hasher
    seen = visible_within(row, asking.scope, hasher, binaries=binaries, types=types)
    return row, and_(*of_types(row, types), row.c.deleted.is_(False), seen)


def of_types(row: FromClause, types: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the condition that a row is of one of these types (none: any)."""
    numbers = [type_number(name) for name in types]
    # One type as an equality: an index can then give the order as well.
    if len(numbers) == 1:
        return [row.c.type == numbers[0]]
    return [row.c.type.in_(numbers)] if numbers else []


def refuse_hidden_types(request: SearchRequest, scope: Scope) -> None:
    """Raise Forbidden where a chain, `_has` or `_revinclude` leads only to what scopes hide."""
    asked = [*_of_conditions(request.conditions)]
    asked += [
        (one.written[0], (one.source,))
        for one in request.includes
        if one.reverse and one.source is not None
    ]
    for name, types in asked:
        if not any(map(scope.concerns, types)):
            raise lacking(
                f"`{name}` leads to {' or '.join(types[:5])}, which the token may not search: it "
                f"needs a scope such as {_scope(scope, types[0])}.",
                _scope(scope, types[0]),
                expression=name,
            )


def _of_conditions(conditions: Sequence[Condition]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what each step of these conditions leads to, with what it is called."""
    for one in conditions:
        if isinstance(one, Chain):
            yield one.written[0], tuple(type for type, _ in one.inner)
            yield from _of_conditions([inner for _, inner in one.inner])
        elif isinstance(one, Reverse):
            yield one.written[0], (one.parameter.type,)
            yield from _of_conditions([one.inner])
        elif isinstance(one, AllOf | AnyOf):
            yield from _of_conditions(one.parts)
        elif isinstance(one, Negation):
            yield from _of_conditions([one.part])


def _scope(scope: Scope, type: str) -> str:
    people = "user" if scope.context == NOBODYS_KEY else "patient"
    return f"{'system' if scope.kind == 'system' else people}/{type}.s"
