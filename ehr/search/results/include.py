"""`_include` and `_revinclude`: what the matches refer to, and what refers to them.

FHIR R4 §3.1.1.5.4. Each round is one statement that gives a list of rows, however many includes the
request has; canonicals take one more each way (`include_by_name.py`). A last one fetches the
bodies. References are followed only from rows that the caller may see, and only rows that the
caller may see are returned. Nothing comes twice.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    null,
    or_,
    select,
    union_all,
)

from ehr.search.asking import Asking
from ehr.search.matching import KeyAndRow
from ehr.search.parameters.reference_paths import leading_by
from ehr.search.plan.canonicals import Name, leads_to
from ehr.search.plan.rows import in_parts, is_shown
from ehr.search.request import Include
from ehr.search.results.include_by_name import (
    Names,
    definitions_named,
    names_of_edge,
    parameters_of,
    paths_forward,
)
from ehr.search.results.linked import Included, Linked
from ehr.store import tables
from ehr.store.pairs import in_keys, in_pairs
from ehr.store.rows import ATTACHED
from ehr.store.templates import keeping, rows_by
from fhir_profiles.definitions import type_name

Columns = tuple[ColumnElement[Any], ...]

_LINK, _SOURCE = tables.reference.alias("t"), tables.resource.alias("s")
_MET = tables.resource.alias("met")
# Each has a name: a union takes columns of one name for one.
_NO_PLACE: Columns = (
    cast(null(), SmallInteger).label("type"),
    cast(null(), BigInteger).label("key"),
    cast(null(), BigInteger).label("rid"),
)
_NO_NAME: Columns = (
    cast(null(), BigInteger).label("path"),
    cast(null(), BigInteger).label("hash"),
)
_NO_VERSION: ColumnElement[Any] = cast(null(), Text).label("version")

_MOST = "most"

MAXIMUM_ROUNDS = 5
MAXIMUM_INCLUDED = 1_000


@dataclass(frozen=True, slots=True)
class _Edge:
    """Conditions on a reference: it stands in a row of the edge, or leads to one.

    Of the latter the list of numbers leads to the index, the pairs make it exact.
    """

    here: ColumnElement[bool]
    number: ColumnElement[bool]
    exact: ColumnElement[bool]
    size: int


def linked_rows(includes: Sequence[Include], matches: Iterable[Linked], asking: Asking) -> Included:
    """Return the rows to include with these matches, round by round."""
    edge = tuple(matches)
    known: set[tuple[KeyAndRow, str | None]] = {(row.place, None) for row in edge}
    found: list[Linked] = []
    for turn in range(MAXIMUM_ROUNDS):
        wanted = [one for one in includes if turn == 0 or one.iterate]
        new: list[Linked] = []
        for linked in _round(wanted, edge, asking, first=turn == 0):
            if (linked.place, linked.version) not in known:
                known.add((linked.place, linked.version))
                new.append(linked)
        found += new
        if len(found) > MAXIMUM_INCLUDED:
            return Included(tuple(found[:MAXIMUM_INCLUDED]), cut=True)
        if not new:
            return Included(tuple(found))
        edge = tuple(new)
    return Included(tuple(found), cut=any(one.iterate for one in includes))


def _round(
    includes: Sequence[Include], edge: Sequence[Linked], asking: Asking, *, first: bool
) -> Iterator[Linked]:
    types = {row.type for row in edge}
    forward = [one for one in includes if not one.reverse]
    backward = [one for one in includes if one.reverse]
    named, at = paths_forward(forward, types), _edge(edge, asking)
    namesakes = names_of_edge(backward, edge, asking, check=not first)

    def parts() -> Iterator[Select[Any]]:
        yield from _targets(at, forward, types, named, asking, check=not first)
        yield from _sources(at, backward, types, asking, check=not first)
        yield from _namesakes(namesakes, asking)

    # Rounds of one kind differ in nothing but their edges, unless names are compared.
    kind = None if namesakes else ("round", asking.scope, first, tuple(includes), frozenset(types))
    names: dict[int, set[Name]] = {}
    for number, key, rid, version, path, hash in _rows(kind, at, parts, asking):
        if hash is None:
            yield Linked(type_name(number), (key, rid), version)
        else:
            names.setdefault(path, set()).add((hash, version))
    met = [(named[path], some) for path, some in names.items()]
    yield from definitions_named(met, asking, limit=MAXIMUM_INCLUDED + 1)


def _edge(edge: Sequence[Linked], asking: Asking) -> _Edge:
    t, connection = _LINK, asking.connection
    places = list(dict.fromkeys(row.place for row in edge))
    return _Edge(
        in_pairs(connection, t.c.patient_key, t.c.rid, places),
        in_keys(connection, t.c.target_rid, [rid for _, rid in places]),
        in_pairs(connection, t.c.target_key, t.c.target_rid, places),
        len(places),
    )


def _rows(
    kind: Hashable, at: _Edge, parts: Callable[[], Iterator[Select[Any]]], asking: Asking
) -> Sequence[Any]:
    """Run the parts of a round as one statement, kept by their kind where they have one."""
    connection = asking.connection
    named = {**asking.scope.values, _MOST: MAXIMUM_INCLUDED + at.size + 1}

    def make() -> Select[Any]:
        most = bindparam(_MOST, MAXIMUM_INCLUDED, Integer)
        return select(union_all(*parts()).subquery()).distinct().limit(most)

    asks = keeping(connection, ("asks", kind), lambda: any(True for _ in parts())) if kind else True
    if not asks:
        return ()
    if kind:
        return rows_by(connection, kind, and_(at.here, at.number, at.exact), make, named)
    statement = make()
    return rows_by(connection, None, statement, lambda: statement, named)


def _targets(
    at: _Edge,
    includes: Sequence[Include],
    types: set[str],
    named: Mapping[int, Sequence[str]],
    asking: Asking,
    *,
    check: bool,
) -> Iterator[Select[Any]]:
    """Yield what rows of the edge refer to; `check` that those rows may be seen themselves."""
    t, wanted = _LINK, list(_forward(_LINK, includes, types))
    if not wanted:
        return
    version: ColumnElement[Any] = t.c.target_version
    if named:
        # The version of a canonical is none that this server gave.
        version = case((t.c.path.in_(sorted(named)), null()), else_=version)
    columns = (t.c.target_type, t.c.target_key, t.c.target_rid, version)
    edge = _from_edge(at, asking, check=check)
    if some := in_parts(asking, types):
        # Of rows that are seen in part, only what is shown leads on.
        edge = _from_edge(at, asking, check=True).where(is_shown(_SOURCE, t, some, asking))
    yield edge.add_columns(*columns, *_NO_NAME).where(or_(*wanted), t.c.target_rid > 0)
    if named:
        by_name = edge.add_columns(*_NO_PLACE, t.c.target_version, t.c.path, t.c.target_hash)
        yield by_name.where(t.c.path.in_(sorted(named)), t.c.target_hash.isnot(None))


def _from_edge(at: _Edge, asking: Asking, *, check: bool) -> Select[Any]:
    t, row = _LINK, _SOURCE
    links: Select[Any] = select().where(at.here)
    if not check:
        return links
    seen = (row.c.deleted.is_(False), asking.visible(row))
    return links.join_from(t, row, _same(row, t)).where(*seen)


def _sources(
    at: _Edge, includes: Sequence[Include], types: set[str], asking: Asking, *, check: bool
) -> Iterator[Select[Any]]:
    """Yield the rows that refer to rows of the edge; `check` that those may be seen themselves."""
    wanted = list(_backward(_LINK, includes, types))
    if wanted:
        some = in_parts(asking, (one.source for one in includes))
        also = [is_shown(_SOURCE, _LINK, some, asking)] if some else []
        if check:
            also.append(_is_met(_LINK, asking))
        yield _referring(asking, at.number, at.exact, or_(*wanted), *also)


def _is_met(t: FromClause, asking: Asking) -> ColumnElement[bool]:
    """Return the condition that the caller sees what a reference leads to.

    A row may refer to what is hidden: whether that is there, no further round may tell.
    """
    c = _MET.c
    there = and_(c.patient_key == t.c.target_key, c.rid == t.c.target_rid, c.deleted.is_(False))
    return exists().where(there, asking.visible(_MET))


def _namesakes(names: Names, asking: Asking) -> Iterator[Select[Any]]:
    """Yield the rows that refer to definitions of the edge by their names."""
    for path, some in names.items():
        yield _referring(asking, leads_to(_LINK, [path], some, asking))


def _referring(asking: Asking, *wanted: ColumnElement[bool]) -> Select[Any]:
    t, row = _LINK, _SOURCE
    referring: Select[Any] = select(row.c.type, row.c.patient_key, row.c.rid)
    return (
        referring.add_columns(_NO_VERSION, *_NO_NAME)
        .join_from(row, t, _same(row, t))
        .where(*wanted, row.c.deleted.is_(False), asking.visible(row))
    )


def _same(row: FromClause, t: FromClause) -> ColumnElement[bool]:
    return and_(row.c.patient_key == t.c.patient_key, row.c.rid == t.c.rid)


def _forward(
    t: FromClause, includes: Sequence[Include], types: set[str]
) -> Iterator[ColumnElement[bool]]:
    for include in includes:
        sources = types if include.source is None else types & {include.source}
        for source in sorted(sources):
            for parameter in parameters_of(include, source):
                yield leading_by(parameter, include.target)(t)


def _backward(
    t: FromClause, includes: Sequence[Include], types: set[str]
) -> Iterator[ColumnElement[bool]]:
    for include in includes:
        if include.target is not None and include.target not in types:
            continue
        if include.source is None:
            yield t.c.path != ATTACHED
            continue
        for parameter in parameters_of(include, include.source):
            yield leading_by(parameter, include.target)(t)
