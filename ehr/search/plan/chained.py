"""Chains: what refers to resources that pass a condition (R4 §3.1.1.4.15).

The resources at the other end are asked for first, in one step. "A chained condition will be
evaluated inside contained resources" too (§3.1.1.5.5). Those lie under the key of their container,
so that they are no hop: the same statement tells whether any passes, and only then the search
itself looks at them.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    literal,
    or_,
    select,
    union_all,
)

from ehr.search.asking import Asking
from ehr.search.matching import in_list, index_alias, rows_with, under
from ehr.search.plan import canonicals
from ehr.search.plan.pins import files
from ehr.search.plan.rows import in_parts, is_seen_whole, tells_of_hidden, visible_rows
from ehr.search.plan.steps import NAMELESS, Clause, Columns, Reached, elsewhere, run, through
from ehr.search.request import Chain, Condition
from ehr.store import tables
from ehr.store.pairs import in_keys, in_pairs
from fhir_profiles.definitions import type_number

_INNER = tables.reference.alias("inner_link")
_MARK: Columns = (
    literal(0, BigInteger).label("key"),
    literal(0, BigInteger).label("row"),
    *NAMELESS,
)


def chain_clause(
    row: FromClause, chain: Chain, asking: Asking, clause: Clause
) -> ColumnElement[bool]:
    """Return the condition that `row` refers to what passes the rest of the chain."""
    context = asking.context
    found = {type: _reached(chain, type, inner, asking, clause) for type, inner in chain.inner}
    places = [place for each in found.values() for place in each.places]
    names = [name for each in found.values() for name in each.names]
    inside = [(type, inner) for type, inner in chain.inner if found[type].inside]
    is_filed = [*found] == ["Patient"] and all(map(files, chain.parameters))
    if is_filed and not inside and not context.inside:
        # Whatever refers so to these patients, and nothing else of its type, lies under their keys.
        return in_keys(asking.connection, row.c.patient_key, sorted({key for key, _ in places}))

    def leads_there(t: FromClause) -> ColumnElement[bool]:
        there = in_pairs(asking.connection, t.c.target_key, t.c.target_rid, places)
        return and_(through(t, chain.parameters), there)

    def leads_by_name(t: FromClause) -> ColumnElement[bool]:
        return canonicals.leads_to(t, canonicals.paths(chain.parameters), names, asking)

    t = index_alias(tables.reference)
    ways = [rows_with(t, context, leads_there)]
    if names:
        ways.append(rows_with(t, context, leads_by_name))
    ways += [_containing(chain, type, inner, asking, clause) for type, inner in inside]
    listed = ways[0] if len(ways) == 1 else union_all(*ways)
    return in_list(row, listed, context)


def _reached(chain: Chain, type: str, inner: Condition, asking: Asking, clause: Clause) -> Reached:
    """Ask once what a chain leads to, whichever rows it starts from."""
    wide = (chain, type, None)
    question = wide if wide in asking.context.answers else (*wide[:2], asking.context.patient_keys)
    ask = partial(_ask_chain, chain, type, inner, asking, clause)
    return asking.context.once(question, ask)


def _ask_chain(
    chain: Chain, type: str, inner: Condition, asking: Asking, clause: Clause
) -> Reached:
    there = elsewhere(asking, whole=tells_of_hidden((type,), (inner,)))
    target, wanted = visible_rows((type,), there)
    step: Select[Any] = select(target.c.patient_key, target.c.rid)
    if canonicals.paths(chain.parameters) and canonicals.definitions((type,)):
        step = canonicals.with_names(step, target, type)
    else:
        step = step.add_columns(*NAMELESS)
    step = step.where(wanted, clause(target, (type,), inner, there))
    some = _containing(chain, type, inner, asking, clause).limit(1).subquery()
    mark: Select[Any] = select(*_MARK).select_from(some)
    rows = run(step, mark, name=chain.written[0], inner=inner, asking=asking)
    return Reached(
        tuple((key, rid) for key, rid, _, _ in rows if rid),
        tuple((hash, version) for _, _, hash, version in rows if hash is not None),
        inside=any(rid == 0 for _, rid, _, _ in rows),
    )


def _containing(
    chain: Chain, type: str, inner: Condition, asking: Asking, clause: Clause
) -> Select[Any]:
    """Return the list of rows that refer to what they contain (or what stands beside it)."""
    t, context = _INNER, asking.context
    links = select(t.c.patient_key, t.c.rid.label("referring"), t.c.target_rid.label("rid")).where(
        through(t, chain.parameters), t.c.target_type == type_number(type), t.c.target_rid < 0
    )
    if context.patient_keys is not None:
        links = links.where(under(t.c.patient_key, context.patient_keys))
    if context.inside:
        links = links.where(t.c.rid < 0)
    elif types := in_parts(asking, (one.type for one in chain.parameters)):
        # Where parts are shown, what is contained is not.
        whole = is_seen_whole(t, types, asking)
        others = [one for one in chain.parameters if one.type not in types]
        links = links.where(or_(through(t, others), whole) if others else whole)
    row = links.subquery()
    within = replace(asking, context=replace(context, inside=True))
    passes = clause(row, (type,), inner, within)
    return select(row.c.patient_key, row.c.referring).where(passes)
