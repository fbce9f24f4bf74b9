"""One condition of a request as SQL on a row, after the steps it needs.

The groups of a `_filter` look at the same row again, which the search has already found to be
visible.
"""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    exists,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)

from ehr.search.asking import Asking
from ehr.search.plan.chained import chain_clause
from ehr.search.plan.comparisons import comparison_clause
from ehr.search.plan.criterion import criterion_clause
from ehr.search.plan.reversed import reverse_clause
from ehr.search.plan.rows import of_types
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


def condition_clause(
    row: FromClause, types: Sequence[str], condition: Condition, asking: Asking
) -> ColumnElement[bool]:
    """Return the clause on `row` of one of these types (none: any).

    It is an alias of `resource`, or names a contained resource (`asking.context.inside`).
    """
    match condition:
        case Criterion():
            return criterion_clause(row, types, condition, asking)
        case Chain():
            return chain_clause(row, condition, asking, condition_clause)
        case Reverse():
            return reverse_clause(row, types, condition, asking, condition_clause)
        case Comparison():
            return comparison_clause(row, condition, asking.context)
        case AllOf():
            return and_(*(condition_clause(row, types, one, asking) for one in condition.parts))
        case AnyOf():
            return _any_of(row, types, condition, asking)
        case Negation():
            return _not(row, types, condition, asking)


def _any_of(
    row: FromClause, types: Sequence[str], condition: AnyOf, asking: Asking
) -> ColumnElement[bool]:
    if _is_narrow(asking):
        return or_(*(condition_clause(row, types, one, asking) for one in condition.parts))
    # Across patients, each part leads to its rows by its own index, which an OR would not.
    found = []
    for one in condition.parts:
        same = tables.resource.alias()
        clause = condition_clause(same, types, one, asking)
        found.append(select(same.c.patient_key, same.c.rid).where(*of_types(same, types), clause))
    return tuple_(row.c.patient_key, row.c.rid).in_(union_all(*found))


def _not(
    row: FromClause, types: Sequence[str], condition: Negation, asking: Asking
) -> ColumnElement[bool]:
    if _is_narrow(asking):
        return not_(condition_clause(row, types, condition.part, asking))
    # PostgreSQL has an anti-join for NOT EXISTS and none for NOT IN.
    same = tables.resource.alias()
    clause = condition_clause(same, types, condition.part, asking)
    return not_(
        exists().where(same.c.patient_key == row.c.patient_key, same.c.rid == row.c.rid, clause)
    )


def _is_narrow(asking: Asking) -> bool:
    """Tell whether few rows are looked at, each of which may be asked any question."""
    return asking.context.patient_keys is not None or asking.context.inside
