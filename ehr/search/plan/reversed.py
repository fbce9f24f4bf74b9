"""`_has`: what is referred to by resources that pass a condition (R4 §3.1.1.4.16).

These are asked for first, in one step that gives what they refer to.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, literal, select, tuple_

from ehr.search.asking import Asking
from ehr.search.grammar.chains import all_targets
from ehr.search.matching import any_of
from ehr.search.plan import canonicals
from ehr.search.plan.pins import files
from ehr.search.plan.rows import of_types, tells_of_hidden, visible_rows
from ehr.search.plan.steps import NAMELESS, NOWHERE, Clause, Reached, elsewhere, run, through
from ehr.search.request import Reverse
from ehr.store import tables
from ehr.store.pairs import in_keys, in_pairs
from fhir_profiles.definitions import type_number

_LINK = tables.reference.alias("link")


def reverse_clause(
    row: FromClause, types: Sequence[str], reverse: Reverse, asking: Asking, clause: Clause
) -> ColumnElement[bool]:
    """Return the condition that what passes the rest of `_has` refers to `row`."""
    if asking.context.inside:
        return _has_inside(row, reverse, asking, clause)
    if tuple(types) == ("Patient",) and files(reverse.parameter):
        ask = partial(_ask_owners, reverse, asking, clause)
        owners = asking.context.once((reverse, "owners"), ask).places
        return in_keys(asking.connection, row.c.patient_key, [key for key, _ in owners])
    ask = partial(_ask_reverse, reverse, types, asking, clause)
    found = asking.context.once((reverse, tuple(types)), ask)
    places = in_pairs(asking.connection, row.c.patient_key, row.c.rid, found.places)
    if not found.names:
        return places
    defined = canonicals.definitions(_targets(reverse, types))
    return any_of([places, canonicals.is_named(row, defined, found.names, asking)])


def _ask_owners(reverse: Reverse, asking: Asking, clause: Clause) -> Reached:
    """Ask for the keys of the sources: they say whose they are."""
    source, passes = _sources(reverse, asking, clause)
    step = select(source.c.patient_key, literal(0)).where(passes).distinct()
    return Reached(tuple((key, 0) for key, _ in _run(reverse, asking, step)))


def _ask_reverse(reverse: Reverse, types: Sequence[str], asking: Asking, clause: Clause) -> Reached:
    source, passes = _sources(reverse, asking, clause)
    t = _LINK
    linked = and_(t.c.patient_key == source.c.patient_key, t.c.rid == source.c.rid)

    def step(*columns: Any) -> Select[Any]:
        chosen = select(*columns).join_from(source, t, linked)
        return chosen.where(passes, through(t, (reverse.parameter,))).distinct()

    by_row = step(t.c.target_key, t.c.target_rid, *NAMELESS).where(t.c.target_rid > 0)
    if types:
        by_row = by_row.where(t.c.target_type.in_([type_number(name) for name in types]))
    steps = [by_row]
    if canonicals.paths((reverse.parameter,)) and canonicals.definitions(_targets(reverse, types)):
        by_name = step(*NOWHERE, t.c.target_hash, t.c.target_version)
        steps.append(by_name.where(t.c.target_hash.isnot(None)))
    rows = _run(reverse, asking, *steps)
    return Reached(
        tuple((key, rid) for key, rid, _, _ in rows if rid is not None),
        tuple((hash, version) for _, _, hash, version in rows if hash is not None),
    )


def _run(reverse: Reverse, asking: Asking, *steps: Select[Any]) -> Sequence[Any]:
    return run(*steps, name=reverse.written[0], inner=reverse.inner, asking=asking)


def _sources(
    reverse: Reverse, asking: Asking, clause: Clause
) -> tuple[FromClause, ColumnElement[bool]]:
    types = (reverse.parameter.type,)
    hides = tells_of_hidden(types, (reverse.inner,), (reverse.parameter.code,))
    there = elsewhere(asking, whole=hides)
    source, wanted = visible_rows(types, there)
    return source, and_(wanted, clause(source, types, reverse.inner, there))


def _has_inside(
    row: FromClause, reverse: Reverse, asking: Asking, clause: Clause
) -> ColumnElement[bool]:
    """Return the same for a contained resource: none but its container can refer to it."""
    source, t, types = tables.resource.alias(), tables.reference.alias(), (reverse.parameter.type,)
    outside = replace(asking, context=replace(asking.context, inside=False))
    same = and_(t.c.patient_key == source.c.patient_key, t.c.rid == source.c.rid)
    found = (
        select(t.c.patient_key, t.c.target_rid)
        .join_from(t, source, same)
        .where(
            t.c.target_rid < 0,
            through(t, (reverse.parameter,)),
            *of_types(source, types),
            clause(source, types, reverse.inner, outside),
        )
    )
    return tuple_(row.c.patient_key, row.c.rid).in_(found)


def _targets(reverse: Reverse, types: Sequence[str]) -> tuple[str, ...]:
    reached = all_targets((reverse.parameter,))
    return tuple(type for type in reached if not types or type in types)
