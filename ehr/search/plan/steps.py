"""Steps of a search that leave the key: bounded statements whose lists the next one takes in.

A step gives rows by (patient_key, rid), and definitions by the names that canonicals call them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    cast,
    null,
    select,
    union_all,
)

from ehr.errors import TooCostly
from ehr.search.asking import Asking, in_whole
from ehr.search.matching import KeyAndRow, MatchContext
from ehr.search.parameters.reference_paths import reference_paths
from ehr.search.plan import canonicals
from ehr.search.plan.leading import leads
from ehr.search.request import Condition
from ehr.store.templates import rows_of
from fhir_profiles.search_parameters import SearchParameter

# Rows that one step may hand on. More make a request that is better asked the other way round.
MAXIMUM_STEP = 10_000

Columns = tuple[ColumnElement[Any], ...]
Clause = Callable[[FromClause, Sequence[str], Condition, Asking], ColumnElement[bool]]

# Each has a name: a union takes columns of one name for one.
NOWHERE: Columns = (cast(null(), BigInteger).label("key"), cast(null(), BigInteger).label("row"))
NAMELESS: Columns = (cast(null(), BigInteger).label("hash"), cast(null(), Text).label("version"))


@dataclass(frozen=True, slots=True)
class Reached:
    """What is at the other end: rows, definitions by name; `inside`: contained resources too."""

    places: tuple[KeyAndRow, ...]
    names: tuple[canonicals.Name, ...] = ()
    inside: bool = False


def elsewhere(asking: Asking, *, whole: bool) -> Asking:
    """Return the same for resources at the other end, which may lie under any key.

    `whole`: what is asked of them may tell what is hidden of those that are seen in part.
    """
    there = in_whole(asking, whole=whole)
    return replace(there, context=_anywhere(there.context))


def _anywhere(context: MatchContext) -> MatchContext:
    return replace(context, patient_keys=None, inside=False)


def through(t: FromClause, parameters: Sequence[SearchParameter]) -> ColumnElement[bool]:
    """Return the condition that a reference row is of one of these parameters."""
    paths = {path for one in parameters for path, _ in reference_paths(one)}
    return t.c.path.in_(sorted(paths))


def run(*steps: Select[Any], name: str, inner: Condition, asking: Asking) -> Sequence[Any]:
    """Run the parts of a step as one statement; `inner` is what the other end has to pass."""
    skewed = not leads(inner, _anywhere(asking.context))
    bounded = [step.limit(MAXIMUM_STEP + 1) for step in steps]
    if len(bounded) == 1:
        rows = rows_of(asking.connection, bounded[0], skewed=skewed)
    else:
        parts = [select(step.subquery()) for step in bounded]
        rows = rows_of(asking.connection, union_all(*parts), skewed=skewed)
    if len(rows) > MAXIMUM_STEP:
        raise TooCostly(
            f"`{name}` passes through more than {MAXIMUM_STEP} resources. Add conditions that "
            "narrow it, or begin the search at its other end."
        )
    return rows
