"""What every match half shares: the context of a request, and the shape of a clause.

A clause is a condition on an outer row that has `patient_key` and `rid`. Its subquery equates
both, so no join leaves the key (ehr/README.md). R4 search.html §3.1.1.4.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from time import time_ns
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    SelectBase,
    bindparam,
    exists,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, Grouping

from ehr.errors import Invalid
from ehr.search.values.intervals import zone_named
from ehr.store.hashing import Hasher
from ehr.terminology import Source
from fhir_profiles.search_parameters import SearchParameter

T = TypeVar("T")
TypeAndId = tuple[str, str]
KeyAndRow = tuple[int, int]  # (patient_key, rid)
RowAlias = FromClause  # an alias of `resource`, or any subquery with its two key columns
Condition = Callable[[FromClause], ColumnElement[bool]]
Choices = Callable[[FromClause], Sequence[ColumnElement[bool]]]  # any of them will do

ONE_KEY = "patient_key"
_WIDEST_OR = 50
# Sorts after every text that starts with what stands before it.
LAST_CHARACTER = "\U0010ffff"


def _resolve_nothing(_: Sequence[TypeAndId]) -> Mapping[TypeAndId, KeyAndRow]:
    return {}


def _now() -> int:
    return time_ns() // 1000


@dataclass(frozen=True, slots=True)
class MatchContext:
    """What a clause needs beyond its values.

    `resolve` finds the local rows of references; what it does not name is compared by hash.
    `base_urls` are our own, for absolute references. `patient_keys` are the keys of an in-patient
    search, None for one across patients. `now` is in microseconds, for the prefix `ap`. `source` is
    where value sets and hierarchies are asked for, beforehand. `hear` takes what `some_row` would
    look for, in place of a clause: composite parameters tie such rows together. `inside`: the row
    is a contained resource, which has index rows but none of `resource`. `hash_lists`: the engine
    may nest loops over lists of one record (see `in_list`).
    """

    hasher: Hasher
    timezone: str = "UTC"
    resolve: Callable[[Sequence[TypeAndId]], Mapping[TypeAndId, KeyAndRow]] = _resolve_nothing
    base_urls: tuple[str, ...] = ()
    patient_keys: tuple[int, ...] | None = None
    now: Callable[[], int] = _now
    hear: Callable[[FromClause, Condition], None] | None = None
    source: Source | None = None
    inside: bool = False
    hash_lists: bool = False
    answers: dict[Hashable, Any] = field(default_factory=dict, compare=False)

    def once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Return the answer to a question of this search, which is put but once.

        What a chain leads to is asked of resources and of contained ones in the same words.
        """
        if question not in self.answers:
            self.answers[question] = ask()
        answer: T = self.answers[question]
        return answer

    @property
    def zone(self) -> tzinfo:
        """Return the zone of dates that have no offset."""
        return zone_named(self.timezone)


Clause = Callable[
    [RowAlias, SearchParameter, str | None, Sequence[str], MatchContext], ColumnElement[bool]
]


@cache
def index_alias(table: FromClause) -> FromClause:
    """Return the alias of an index table in clauses, made once: it costs more than its clause.

    Clauses stand side by side, so they may share it; a statement around them must not use it.
    """
    return table.alias()


def some_row(
    table: FromClause,
    row: RowAlias,
    context: MatchContext,
    condition: Condition,
    *,
    listed: bool = True,
) -> ColumnElement[bool]:
    """Return: the outer row has an index row in `table` that meets the condition.

    PostgreSQL plans both forms alike. SQLite never starts a search inside an EXISTS and probes it
    for every row; IN it turns into one list, which can lead to the rows. Not `listed` are, across
    patients, conditions that most rows meet, and those under a NOT: PostgreSQL has no anti-join
    for NOT IN.
    """
    if context.hear is not None:
        context.hear(table, condition)
        return true()
    t = index_alias(table)
    if context.patient_keys is None and not listed:
        return exists().where(
            t.c.patient_key == row.c.patient_key, t.c.rid == row.c.rid, condition(t)
        )
    return in_list(row, rows_with(t, context, condition), context)


def in_list(row: RowAlias, listed: SelectBase, context: MatchContext) -> ColumnElement[bool]:
    """Return the condition that a row is in a list.

    Within a record PostgreSQL expects a row or two, and reads the list again for each outer row:
    thousands of times thousands in a long record. `IS TRUE` keeps it from that: it hashes the list
    once.
    """
    is_listed = tuple_(row.c.patient_key, row.c.rid).in_(listed)
    within = context.patient_keys is not None
    return is_listed.is_(true()) if within and context.hash_lists else is_listed


def rows_with(t: FromClause, context: MatchContext, condition: Condition) -> Select[Any]:
    """Return the list of rows that have an index row which meets the condition."""
    found = select(t.c.patient_key, t.c.rid).where(condition(t))
    if context.patient_keys is not None:
        # Says again what the outer row says, so that the planner starts from the key.
        found = found.where(under(t.c.patient_key, context.patient_keys))
    if context.inside:
        # Few rows are those of contained resources, which keeps the list short.
        found = found.where(t.c.rid < 0)
    return found


def under(column: ColumnElement[int], keys: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that a row lies under one of these keys.

    One key has a name, so that a statement can be made once and run for any patient.
    """
    if len(keys) != 1:
        return column.in_(keys)
    return column == one_key(keys[0])


def one_key(key: int) -> ColumnElement[int]:
    """Return the one key that all rows of a search have, as the value with a name."""
    return bindparam(ONE_KEY, key, BigInteger)


def any_of(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return one OR of many conditions, as a balanced tree: SQLite limits the depth."""
    if len(conditions) <= _WIDEST_OR:
        return or_(*conditions)
    half = len(conditions) // 2
    # or_() would make one flat list of them again.
    left, right = (Grouping(any_of(part)) for part in (conditions[:half], conditions[half:]))
    return BinaryExpression(left, right, operators.or_, type_=Boolean())


def missing(
    table: FromClause,
    row: RowAlias,
    parameter: SearchParameter,
    values: Iterable[str],
    context: MatchContext,
    of_parameter: Condition | None = None,
) -> ColumnElement[bool]:
    """Return the clause of `:missing=true|false`; `of_parameter` where more than `param` counts."""
    wanted = set(values)
    if len(wanted) != 1 or not wanted <= {"true", "false"}:
        sent = ",".join(sorted(wanted))
        raise Invalid(f"Parameter {parameter.code}:missing takes true or false, not {sent!r}.")
    condition = of_parameter or (lambda t: t.c.param == parameter.param_id)
    present = some_row(table, row, context, condition, listed=False)
    return present if wanted == {"false"} else not_(present)


def check_modifier(
    parameter: SearchParameter, modifier: str | None, allowed: Sequence[str]
) -> None:
    """Refuse a modifier that this parameter does not have."""
    if modifier is not None and modifier not in allowed:
        names = ", ".join(f":{name}" for name in allowed)
        raise Invalid(
            f"Modifier :{modifier} cannot be used with parameter {parameter.code} of "
            f"{parameter.type} ({parameter.kind}). "
            + (f"Use one of {names}, or none." if names else "It takes none."),
            code="not-supported",
        )
