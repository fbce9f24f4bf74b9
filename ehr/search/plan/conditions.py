"""One condition of a request as SQL on a row, after the steps it needs.

Chains and `_has` (R4 §3.1.1.4.15-16) ask for the resources at their other end first. Each such step
is one bounded statement and gives a list of (patient_key, rid): no join leaves the key. The groups
of a `_filter` look at the same row again, which the search has already found to be visible.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    literal,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)

from ehr.errors import TooCostly
from ehr.search.asking import Asking
from ehr.search.matching import KeyAndRow, some_row
from ehr.search.parameters.reference_paths import reference_paths
from ehr.search.plan.comparisons import comparison_clause
from ehr.search.plan.criterion import criterion_clause
from ehr.search.plan.pins import files
from ehr.search.request import (
    AllOf,
    AnyOf,
    Chain,
    Comparison,
    Condition,
    Criterion,
    Negation,
    Reverse,
)
from ehr.store import tables
from ehr.store.pairs import in_keys, in_pairs
from ehr.store.templates import rows_of
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import SearchParameter

# Made once: an alias costs more than the rest of a statement.
ROW = tables.resource.alias("r")
_LINK = tables.reference.alias("link")

# Rows that one step may hand on. More make a request that is better asked the other way round.
MAXIMUM_STEP = 10_000


def condition_clause(
    row: FromClause, types: Sequence[str], condition: Condition, asking: Asking
) -> ColumnElement[bool]:
    """Return the clause on `row` (an alias of `resource`) of one of these types (none: any)."""
    match condition:
        case Criterion():
            return criterion_clause(row, types, condition, asking)
        case Chain():
            return _chain(row, condition, asking)
        case Reverse():
            return _reverse(row, types, condition, asking)
        case Comparison():
            return comparison_clause(row, condition, asking.context)
        case AllOf():
            return and_(*(condition_clause(row, types, one, asking) for one in condition.parts))
        case AnyOf():
            return _any_of(row, types, condition, asking)
        case Negation():
            return _not(row, types, condition, asking)


def visible_rows(types: Sequence[str], asking: Asking) -> tuple[FromClause, ColumnElement[bool]]:
    """Return an alias of `resource` and the condition of its current rows of these types."""
    row = ROW
    return row, and_(*_of(row, types), row.c.deleted.is_(False), asking.visible(row))


def _any_of(
    row: FromClause, types: Sequence[str], condition: AnyOf, asking: Asking
) -> ColumnElement[bool]:
    if asking.context.patient_keys is not None:
        return or_(*(condition_clause(row, types, one, asking) for one in condition.parts))
    # Across patients, each part leads to its rows by its own index, which an OR would not.
    found = []
    for one in condition.parts:
        same = tables.resource.alias()
        clause = condition_clause(same, types, one, asking)
        found.append(select(same.c.patient_key, same.c.rid).where(*_of(same, types), clause))
    return tuple_(row.c.patient_key, row.c.rid).in_(union_all(*found))


def _not(
    row: FromClause, types: Sequence[str], condition: Negation, asking: Asking
) -> ColumnElement[bool]:
    if asking.context.patient_keys is not None:
        return not_(condition_clause(row, types, condition.part, asking))
    # PostgreSQL has an anti-join for NOT EXISTS and none for NOT IN.
    same = tables.resource.alias()
    clause = condition_clause(same, types, condition.part, asking)
    return not_(
        exists().where(same.c.patient_key == row.c.patient_key, same.c.rid == row.c.rid, clause)
    )


def _of(row: FromClause, types: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the condition that a row is of one of these types (none: any)."""
    numbers = [type_number(name) for name in types]
    # One type as an equality: an index can then give the order as well.
    if len(numbers) == 1:
        return [row.c.type == numbers[0]]
    return [row.c.type.in_(numbers)] if numbers else []


def _chain(row: FromClause, chain: Chain, asking: Asking) -> ColumnElement[bool]:
    # What the reference leads to may lie under any key.
    elsewhere = replace(asking, context=replace(asking.context, patient_keys=None))
    pairs: list[KeyAndRow] = []
    for target_type, inner in chain.inner:
        target, wanted = visible_rows((target_type,), elsewhere)
        clause = condition_clause(target, (target_type,), inner, elsewhere)
        step = select(target.c.patient_key, target.c.rid).where(wanted, clause)
        pairs += _step(step, chain.written[0], asking)
    if [name for name, _ in chain.inner] == ["Patient"] and all(map(files, chain.parameters)):
        # Whatever refers so to these patients, and nothing else of its type, lies under their keys.
        return in_keys(asking.connection, row.c.patient_key, sorted({key for key, _ in pairs}))

    def leads_there(t: FromClause) -> ColumnElement[bool]:
        there = in_pairs(asking.connection, t.c.target_key, t.c.target_rid, pairs)
        return and_(_through(t, chain.parameters), there)

    return some_row(tables.reference, row, asking.context, leads_there)


def _reverse(
    row: FromClause, types: Sequence[str], reverse: Reverse, asking: Asking
) -> ColumnElement[bool]:
    elsewhere = replace(asking, context=replace(asking.context, patient_keys=None))
    source_types = (reverse.parameter.type,)
    source, wanted = visible_rows(source_types, elsewhere)
    passes = condition_clause(source, source_types, reverse.inner, elsewhere)
    if tuple(types) == ("Patient",) and files(reverse.parameter):
        # Their key says whose they are.
        owners = select(source.c.patient_key, literal(0)).where(wanted, passes).distinct()
        keys = [key for key, _ in _step(owners, reverse.written[0], asking)]
        return in_keys(asking.connection, row.c.patient_key, keys)
    t = _LINK
    step = (
        select(t.c.target_key, t.c.target_rid)
        .join_from(
            source, t, and_(t.c.patient_key == source.c.patient_key, t.c.rid == source.c.rid)
        )
        .where(
            wanted,
            passes,
            _through(t, (reverse.parameter,)),
            t.c.target_rid.isnot(None),
        )
        .distinct()
    )
    if types:
        step = step.where(t.c.target_type.in_([type_number(name) for name in types]))
    pairs = _step(step, reverse.written[0], asking)
    return in_pairs(asking.connection, row.c.patient_key, row.c.rid, pairs)


def _through(t: FromClause, parameters: Sequence[SearchParameter]) -> ColumnElement[bool]:
    paths = {path for one in parameters for path, _ in reference_paths(one)}
    return t.c.path.in_(sorted(paths))


def _step(step: Select[int, int], name: str, asking: Asking) -> list[KeyAndRow]:
    found = rows_of(asking.connection, step.limit(MAXIMUM_STEP + 1))
    if len(found) > MAXIMUM_STEP:
        raise TooCostly(
            f"`{name}` passes through more than {MAXIMUM_STEP} resources. Add conditions that "
            "narrow it, or begin the search at its other end."
        )
    return [(key, rid) for key, rid in found]
