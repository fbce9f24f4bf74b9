"""`_include` and `_revinclude`: what the matches refer to, and what refers to them.

FHIR R4 §3.1.1.5.4. Each round is one statement that gives a list of rows, however many includes the
request has; a last one fetches the bodies. References are followed only from rows that the caller
may see, and only rows that the caller may see are returned. Nothing comes twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    null,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)

from ehr.search.asking import Asking
from ehr.search.matching import KeyAndRow
from ehr.search.parameters.reference_paths import leading_by
from ehr.search.parameters.supported import parameters_named, supported_names
from ehr.search.request import Include
from ehr.store import tables
from ehr.store.pairs import in_keys, in_pairs
from ehr.store.templates import rows_of
from fhir_profiles.definitions import type_name
from fhir_profiles.search_parameters import SearchParameter

_LINK, _SOURCE = tables.reference.alias("t"), tables.resource.alias("s")

MAXIMUM_ROUNDS = 5
MAXIMUM_INCLUDED = 1_000


@dataclass(frozen=True, slots=True)
class Linked:
    """A row that a reference leads to or comes from; `version` where the reference names one."""

    type: str
    place: KeyAndRow
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Included:
    """What to fetch beside the matches. `cut`: there was more than the server follows."""

    rows: tuple[Linked, ...]
    cut: bool = False


def linked_rows(includes: Sequence[Include], matches: Iterable[Linked], asking: Asking) -> Included:
    """Return the rows to include with these matches, one statement for each round."""
    edge = tuple(matches)
    known: set[tuple[KeyAndRow, str | None]] = {(row.place, None) for row in edge}
    found: list[Linked] = []
    for turn in range(MAXIMUM_ROUNDS):
        wanted = [one for one in includes if turn == 0 or one.iterate]
        statement = _round(wanted, edge, asking, first=turn == 0) if edge else None
        if statement is None:
            return Included(tuple(found))
        new: list[Linked] = []
        for number, key, rid, version in rows_of(asking.connection, statement):
            linked = Linked(type_name(number), (key, rid), version)
            if (linked.place, version) not in known:
                known.add((linked.place, version))
                new.append(linked)
        found += new
        if len(found) > MAXIMUM_INCLUDED:
            return Included(tuple(found[:MAXIMUM_INCLUDED]), cut=True)
        edge = tuple(new)
    return Included(tuple(found), cut=bool(edge) and any(one.iterate for one in includes))


def _round(
    includes: Sequence[Include], edge: Sequence[Linked], asking: Asking, *, first: bool
) -> Select[int, int, int, str] | None:
    types = {row.type for row in edge}
    t = _LINK
    forward = list(_forward(t, [one for one in includes if not one.reverse], types))
    backward = list(_backward(t, [one for one in includes if one.reverse], types))
    places = list(dict.fromkeys(row.place for row in edge))
    parts = []
    if forward:
        parts.append(_targets(t, places, or_(*forward), asking, check=not first))
    if backward:
        parts.append(_sources(t, places, or_(*backward), asking))
    if not parts:
        return None
    union = union_all(*parts).subquery()
    return select(union).distinct().limit(MAXIMUM_INCLUDED + len(edge) + 1)


def _targets(
    t: FromClause,
    places: Sequence[KeyAndRow],
    wanted: ColumnElement[bool],
    asking: Asking,
    *,
    check: bool,
) -> Select[int, int, int, str]:
    """Select what rows of the edge refer to; `check` that those rows may be seen themselves."""
    statement = select(
        t.c.target_type.label("type"), t.c.target_key, t.c.target_rid, t.c.target_version
    ).where(
        in_pairs(asking.connection, t.c.patient_key, t.c.rid, places),
        wanted,
        t.c.target_rid.isnot(None),
    )
    if not check:
        return statement
    return _from_visible(t, statement, asking)


def _sources(
    t: FromClause, places: Sequence[KeyAndRow], wanted: ColumnElement[bool], asking: Asking
) -> Select[int, int, int, str]:
    """Select the rows that refer to rows of the edge."""
    row = _SOURCE
    return (
        select(row.c.type, row.c.patient_key, row.c.rid, type_coerce(null(), Text))
        .join_from(row, t, _same(row, t))
        .where(
            # The list of numbers leads to the index, the pairs make it exact.
            in_keys(asking.connection, t.c.target_rid, [rid for _, rid in places]),
            in_pairs(asking.connection, t.c.target_key, t.c.target_rid, places),
            wanted,
            row.c.deleted.is_(False),
            asking.visible(row),
        )
    )


def _from_visible(
    t: FromClause, statement: Select[int, int, int, str], asking: Asking
) -> Select[int, int, int, str]:
    row = _SOURCE
    return statement.join_from(t, row, _same(row, t)).where(
        row.c.deleted.is_(False), asking.visible(row)
    )


def _same(row: FromClause, t: FromClause) -> ColumnElement[bool]:
    return and_(row.c.patient_key == t.c.patient_key, row.c.rid == t.c.rid)


def _forward(
    t: FromClause, includes: Sequence[Include], types: set[str]
) -> Iterator[ColumnElement[bool]]:
    for include in includes:
        sources = types if include.source is None else types & {include.source}
        for source in sorted(sources):
            for parameter in include.parameters or _every(include, source):
                yield leading_by(parameter, include.target)(t)


def _backward(
    t: FromClause, includes: Sequence[Include], types: set[str]
) -> Iterator[ColumnElement[bool]]:
    for include in includes:
        if include.target is not None and include.target not in types:
            continue
        if include.source is None:
            yield true()
            continue
        for parameter in include.parameters or _every(include, include.source):
            yield leading_by(parameter, include.target)(t)


def _every(include: Include, source: str) -> Iterator[SearchParameter]:
    """Yield what a wildcard means for a type."""
    yield from reference_parameters(source)
    yield from (one for one in include.further if one.type == source)


def reference_parameters(type: str) -> tuple[SearchParameter, ...]:
    """Return the reference parameters of a type."""
    named = (parameters_named((type,), code)[0] for code in sorted(supported_names((type,))))
    return tuple(parameter for parameter in named if parameter.kind == "reference")
