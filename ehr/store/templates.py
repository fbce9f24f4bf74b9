"""Statements made once: to build and compile one costs more than to run it.

`rows_of` runs a Core statement by a text that is kept under its structure, which is all but the
values. What may differ in nothing but named values (`run`) need not even be built. A structure is
SQLAlchemy's own cache key, so that whatever a text depends on, tells two structures apart.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import BindParameter, ClauseElement, Connection, Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.selectable import CompoundSelect

from ehr.store.engine import execute_raw, is_postgres, of
from ehr.store.statements import Row, run_prepared
from ehr.store.trace import note

T = TypeVar("T")
Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
Names = tuple[str, ...]

CALLERS = "caller_"  # begins the names of values that are the caller's own, see `ehr/access/`
_MOST = 1_000  # kept for each database
_MOST_VALUES = 200  # of a statement that is kept
_MARK = re.compile(r"\?|\$(\d+)")
_COMPARES = re.compile(r"([=<>&(,]|\bBETWEEN|\bAND) $|\($")
# Types, parameters and the like are below; what somebody asks by, hashes and times, is above: each
# would have a text of its own, which PostgreSQL plans anew.
_LARGEST = 1 << 31
_NUMBERED = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # SQLAlchemy's own


@dataclass(frozen=True, slots=True)
class Template:
    """SQL text, its values by name, and which of them each mark takes.

    `places` are the names that the values of a structure have, in their order; `callers` those of
    values that say whose rows are shown, without which it never runs.
    """

    sql: str
    values: Mapping[str, Any]
    marks: Names
    places: tuple[Names, ...] = ()
    callers: Names = ()


def kept(connection: Connection, key: Hashable) -> Any:
    """Return what was kept under this key for the connection's database; None for nothing."""
    return of(connection).shapes.get(key)


def keep(connection: Connection, key: Hashable, value: T) -> T:
    """Keep and return a value; when there are too many, all the others are forgotten."""
    shapes = of(connection).shapes
    if len(shapes) >= _MOST:
        shapes.clear()
    shapes[key] = value
    return value


def keeping(connection: Connection, key: Hashable, make: Callable[[], T]) -> T:
    """Return what was kept under this key, made now where there is nothing."""
    known: T | None = kept(connection, key)
    return keep(connection, key, make()) if known is None else known


def rows_of(connection: Connection, statement: Statement, *, skewed: bool = False) -> Sequence[Row]:
    """Run a statement by the text that is kept for its structure; return all rows."""
    return rows_by(connection, (), statement, lambda: statement, {}, skewed=skewed)


def rows_by(
    connection: Connection,
    key: Hashable,
    part: ClauseElement,
    make: Callable[[], Statement],
    named: dict[str, Any],
    *,
    skewed: bool = False,
) -> Sequence[Row]:
    """Run the statement that `make` returns, which is built only where it is not known.

    `part` is what of it may differ while `key` is the same; `named` are its named values; `skewed`
    is as for `run`.
    """
    structure = part._generate_cache_key()
    binds = structure.bindparams if structure is not None else ()
    values = [_values(one) for one in binds]
    lengths = tuple(map(len, values))
    if structure is None or sum(lengths) > _MOST_VALUES:
        return [tuple(row) for row in connection.execute(make(), named)]
    whole = ("structure", key, structure.key, lengths)
    template = kept(connection, whole)
    if template is None:
        template = keep(connection, whole, template_of(connection, make(), binds))
    changed: dict[str, Any] = {}
    for names, some in zip(template.places, values, strict=True):
        if names:
            changed.update(zip(names, some, strict=True))
    # A part may hold what was kept with the values of another: named ones are of this call.
    return run(connection, template, changed | named, skewed=skewed)


def template_of(
    connection: Connection, statement: Statement, binds: Sequence[BindParameter[Any]] = ()
) -> Template:
    """Return a statement as its engine takes it, with the places of these of its values."""
    compiled: Any = statement.compile(
        dialect=_NUMBERED if is_postgres(connection) else connection.dialect
    )
    state = compiled.construct_expanded_state()
    # A value may have been copied while the statement was built around it.
    named = {
        one.key: name for bind, name in compiled.bind_names.items() for one in bind._cloned_set
    }
    places = [_names(named.get(one.key), state.parameter_expansion) for one in binds]
    varying = {name for some in places for name in some}
    fixed = {
        name: state.parameters[name]
        for bind, known in compiled.bind_names.items()
        if bind.unique
        for name in _names(known, state.parameter_expansion)
        if name not in varying and type(state.parameters.get(name)) is int
    }
    sql, marks = written_in(state.statement, tuple(state.positiontup), fixed)
    callers = tuple({name for name in marks if name.startswith(CALLERS)})
    return Template(sql, state.parameters, marks, tuple(places), callers)


def written_in(sql: str, marks: Names, fixed: Mapping[str, int]) -> tuple[str, Names]:
    """Return a text with numbers that never change written into it, and the marks that are left.

    A hundred values of which ten say anything cost more than the rest of a short statement. Only
    what is compared or listed is written: behind ORDER BY a number would name a column.
    """
    parts = _MARK.split(sql)
    given = [int(part or 0) for part in parts[1::2]]
    order = [number - 1 for number in given] if any(given) else list(range(len(given)))
    if sorted(set(order)) != list(range(len(marks))):
        return sql, marks  # a mark that is none
    text, left, numbers = [parts[0]], list[str](), dict[str, int]()
    for at, after in zip(order, parts[2::2], strict=True):
        name = marks[at]
        if name in fixed and abs(fixed[name]) < _LARGEST and _COMPARES.search(text[-1]):
            text += [f"({fixed[name]})" if fixed[name] < 0 else str(fixed[name]), after]
            continue
        if not any(given):
            left.append(name)
            text += ["?", after]
            continue
        if name not in numbers:
            left.append(name)
            numbers[name] = len(left)
        text += [f"${numbers[name]}", after]
    return "".join(text), tuple(left)


def _names(name: str | None, expansion: Mapping[str, Sequence[str]]) -> Names:
    # What stands beside a condition that is never true is not in the text.
    return () if name is None else tuple(expansion.get(name, (name,)))


def run(
    connection: Connection, one: Template, changed: Mapping[str, Any], *, skewed: bool = False
) -> list[Row]:
    """Run a statement with some of its values changed; return all rows.

    `skewed`: some values are in few rows and some in many, so that each needs a plan of its own.
    """
    if not all(name in changed for name in one.callers):
        raise LookupError(f"a kept statement needs {one.callers} of who asks now")
    values = [changed[name] if name in changed else one.values[name] for name in one.marks]
    if is_postgres(connection):
        note(connection.info, one.sql, values)
        return run_prepared(connection, one.sql, values, planned_anew=skewed)
    cursor = execute_raw(connection, one.sql, values)
    rows: list[Row] = cursor.fetchall()
    cursor.close()
    return rows


def _values(bind: BindParameter[Any]) -> list[Any]:
    """Return the value, or those of a list as they are numbered: of its tuples one by one."""
    if not bind.expanding:
        return [bind.effective_value]
    listed: Sequence[Any] = bind.value or ()
    return [one for each in listed for one in (each if isinstance(each, tuple) else (each,))]
