"""Rows of `resource` that a search looks at: current, of some types, such as the caller may see.

Rows that may not be seen are never found. But whoever names a type of which nothing may be seen,
learns what is missing, and does not take the empty answer for one about the record.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_

from auth.roles.left import LEFT, is_told_by
from ehr.access.opening.simply import simply_visible_record
from ehr.access.scope import NOBODYS_KEY, Scope
from ehr.access.visible import visible_within
from ehr.errors import lacking
from ehr.search.asking import Asking, in_whole
from ehr.search.matching import one_key
from ehr.search.parameters.reference_paths import reference_paths
from ehr.search.request import AllOf, AnyOf, Chain, Condition, Negation, Reverse, SearchRequest
from ehr.store import tables
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import for_type

# Made once: an alias costs more than the rest of a statement.
ROW = tables.resource.alias("r")
_OF_INDEX = tables.resource.alias("container")


def visible_rows(
    types: Sequence[str], asking: Asking, keys: Sequence[int] | None = None
) -> tuple[FromClause, ColumnElement[bool]]:
    """Return an alias of `resource` and the condition of its current rows of these types.

    `keys`: those that all rows looked at have, if they are known, which is not asked here.
    """
    row = ROW
    binaries = not types or "Binary" in types
    hasher = asking.context.hasher
    one = one_key(keys[0]) if keys is not None and len(keys) == 1 else None
    seen = visible_within(row, asking.scope, hasher, binaries=binaries, types=types, key=one)
    return row, and_(*of_types(row, types), row.c.deleted.is_(False), seen)


def simply_visible_rows(
    types: Sequence[str], asking: Asking, key: int
) -> tuple[FromClause, ColumnElement[bool]] | None:
    """Return the same for rows under one key of which the caller sees all that are not labelled,
    None where that takes longer to tell."""
    if len(types) != 1:
        return None
    hasher = asking.context.hasher
    seen = simply_visible_record(ROW, asking.scope, hasher, types[0], one_key(key))
    if seen is None:
        return None
    return ROW, and_(*of_types(ROW, types), ROW.c.deleted.is_(False), seen)


def of_types(row: FromClause, types: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the condition that a row is of one of these types (none: any)."""
    numbers = [type_number(name) for name in types]
    # One type as an equality: an index can then give the order as well.
    if len(numbers) == 1:
        return [row.c.type == numbers[0]]
    return [row.c.type.in_(numbers)] if numbers else []


def tells_of_hidden(
    types: Sequence[str], conditions: Iterable[Condition], codes: Iterable[str] = ()
) -> bool:
    """Tell whether what matches may tell what is hidden of a row of one of these types (none: any).

    `codes` are parameters that it is ordered by.
    """
    names = {*codes, *(name for one in conditions for name in _names(one))}
    return any(not is_told_by(type, name) for type in types or LEFT for name in names)


def in_parts(asking: Asking, types: Iterable[str | None]) -> tuple[str, ...]:
    """Return of which of these types (None: any) the caller may see rows in part."""
    if not asking.scope.role:
        return ()
    named = set(types)
    return tuple(one for one in LEFT if one in named or None in named)


def is_shown(
    row: FromClause, t: FromClause, types: Sequence[str], asking: Asking
) -> ColumnElement[bool]:
    """Return the condition that the caller sees by what a row refers to another; `t` says where.

    Rows of `types` may be seen in part.
    """
    others = row.c.type.not_in(sorted(map(type_number, types)))
    return or_(others, t.c.path.in_(_paths_shown()), is_whole(row, types, asking))


def is_whole(row: FromClause, types: Sequence[str], asking: Asking) -> ColumnElement[bool]:
    """Return the condition that a row is of one of these types, and that all of it is seen."""
    scope = in_whole(asking).scope
    seen = visible_within(row, scope, asking.context.hasher, types=types)
    return and_(*of_types(row, types), seen)


@cache
def _paths_shown() -> Sequence[int]:
    """Return where references stand that are shown of rows that are seen in part."""
    told = [for_type(type).get(code) for type, left in LEFT.items() for code in left.parameters]
    shown = [one for one in told if one is not None and one.kind == "reference"]
    return sorted({path for one in shown for path, _ in reference_paths(one)})


def is_seen_whole(t: FromClause, types: Sequence[str], asking: Asking) -> ColumnElement[bool]:
    """Return the condition that the caller sees the row whole, of one of these types, that an
    index row `t` is of."""
    c = _OF_INDEX.c
    same = and_(c.patient_key == t.c.patient_key, c.rid == t.c.rid)
    return exists().where(same, is_whole(_OF_INDEX, types, asking))


def _names(condition: Condition) -> Iterator[str]:
    """Yield the parameters that a condition asks of the row itself."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from _names(part)
    elif isinstance(condition, Negation):
        yield from _names(condition.part)
    elif isinstance(condition, Reverse):
        return  # asks of others, which are judged as what they are
    else:
        yield from {one.code for one in condition.parameters}


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
