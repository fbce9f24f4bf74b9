"""Contained resources in the index: rows under a number that is made of their container's.

They are indexed only for chains through their container (ehr/README.md, *References*). The rows lie
under its key; their negative rid says in which resource they stand, and as which of those it
contains. No row of `resource` has such a number, so that nothing which starts from there (a search,
an include, `$everything`) ever finds one.
"""

from sqlalchemy import ColumnElement, or_

_BITS = 20
# More in one resource than its body has room for.
MOST = (1 << _BITS) - 1


def place(rid: int, n: int) -> int:
    """Return the number of the `n`th resource contained in a row; the row's own where `n` is 0."""
    return rid if n == 0 else -(rid << _BITS | n)


def container(rid: int) -> int:
    """Return the number of the row that a resource is contained in, its own where it is in none."""
    return -rid >> _BITS if rid < 0 else rid


def moved(rid: int, to: int) -> int:
    """Return the number of the same contained resource where its container is another row."""
    return place(to, -rid & MOST) if rid < 0 else to


def container_in_sql(rid: str) -> str:
    """Return the same as SQL, for a column."""
    return f"CASE WHEN {rid} < 0 THEN (-{rid}) >> {_BITS} ELSE {rid} END"


def span(first: int, last: int) -> tuple[int, int]:
    """Return the lowest and highest number of what is contained in the rows `first` to `last`."""
    return place(last, MOST), place(first, 1)


def of_row(column: ColumnElement[int], rid: int) -> ColumnElement[bool]:
    """Return the condition that a number is that of a row or of what it contains."""
    return or_(column == rid, column.between(*span(rid, rid)))
