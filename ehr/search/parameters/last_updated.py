"""`_lastUpdated`: a column of the row, an instant in milliseconds (R4 §3.1.1.4.3)."""

from sqlalchemy import ColumnElement, FromClause, and_, false, or_, true

from ehr.search.matching import MatchContext
from ehr.search.parameters.date import DateSearch, read_date
from ehr.search.request import Criterion


def last_updated_clause(
    row: FromClause, criterion: Criterion, context: MatchContext
) -> ColumnElement[bool]:
    """Return the condition of one of the values; every row has the element.

    No contained resource has: "it SHALL NOT have a meta.versionId or a meta.lastUpdated" (dom-4).
    """
    if criterion.modifier == "missing":
        is_missing = criterion.values == ("true",)
        return true() if is_missing is context.inside else false()
    if context.inside:
        return false()
    parameter = criterion.parameters[0]
    return or_(*(_clause(row, read_date(parameter, value, context)) for value in criterion.values))


def _clause(row: FromClause, wanted: DateSearch) -> ColumnElement[bool]:
    at = row.c.last_updated
    # A millisecond is at or after a microsecond from the next whole one on.
    low, high = -(-wanted.low // 1000), -(-wanted.high // 1000)
    match wanted.prefix:
        case "eq" | "ap":
            return and_(at >= low, at < high)
        case "ne":
            return or_(at < low, at >= high)
        case "gt" | "sa":
            return at >= high
        case "lt" | "eb":
            return at < low
        case "ge":
            return at >= low
        case _:
            return at < high
