"""The order of matches and where a page goes on in it."""

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite

from ehr.access.visible import EVERYTHING
from ehr.search.grammar.query import parse
from ehr.search.results.sort import Ordering, after, orderings
from ehr.store.tables import resource

ROW = resource.alias("r")


def text(clause: ClauseElement) -> str:
    compiled = clause.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return " ".join(str(compiled).split())


def columns(query: tuple[tuple[str, str], ...]) -> list[str]:
    return [str(one.column) for one in orderings(parse(("Patient",), query), ROW, None, EVERYTHING)]


def test_the_order_always_ends_with_the_row() -> None:
    assert columns((("_sort", "_id"),)) == ["r.id", "r.rid"]


def test_without_a_sort_the_order_is_that_of_the_indexes() -> None:
    assert columns((("gender", "male"),)) == ["r.patient_key", "r.rid"]
    assert columns(()) == ["r.last_updated", "r.rid"]


def test_ties_run_the_way_of_the_last_key() -> None:
    order = orderings(parse(("Patient",), (("_sort", "-_lastUpdated"),)), ROW, None, EVERYTHING)

    assert [one.descending for one in order] == [True, True]


@pytest.mark.parametrize(
    ("falling", "backward", "expected"),
    [
        ((False, False), False, "(r.last_updated, r.rid) > (5, 7)"),
        ((False, False), True, "(r.last_updated, r.rid) < (5, 7)"),
        ((True, True), False, "(r.last_updated, r.rid) < (5, 7)"),
        ((True, False), False, "r.last_updated < 5 OR r.last_updated = 5 AND r.rid > 7"),
        ((True, False), True, "r.last_updated > 5 OR r.last_updated = 5 AND r.rid < 7"),
    ],
)
def test_a_page_goes_on_after_its_edge(
    falling: tuple[bool, bool], backward: bool, expected: str
) -> None:
    order = (Ordering(ROW.c.last_updated, falling[0]), Ordering(ROW.c.rid, falling[1]))

    assert text(after(order, (5, 7), backward=backward)) == expected
