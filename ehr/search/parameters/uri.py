"""Uri parameters: compared as a whole, case and all (R4 search.html §3.1.1.5.7).

A row holds the hash for the look-up and the value itself. A canonical with a version is found with
and without it. `:below` finds the uris that start with the value, `:above` those that the value
lies under, segment by segment.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.search.matching import (
    LAST_CHARACTER,
    MatchContext,
    RowAlias,
    any_of,
    check_modifier,
    missing,
    refuse,
    some_row,
    unescape,
)
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from ehr.store.tables import uri
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter

MODIFIERS = ("missing", "above", "below")

_URIS = frozenset(("uri", "url", "canonical", "oid", "uuid"))
_DEEPEST = 50


def sink(leaf: Leaf, hasher: Hasher) -> Sink | None:
    """Return the function that emits rows for elements of this type; None where there is none."""
    if leaf.type not in _URIS:
        return None
    versioned = leaf.type == "canonical"

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        hashed = hasher.text(value)
        for param in params:
            rows.uri.append((param, hashed, value))
        if versioned and "|" in value:
            bare = value.partition("|")[0]
            rows.uri.extend((param, hasher.text(bare), bare) for param in params)

    return emit


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition for whole uris, `:above` and `:below`."""
    check_modifier(parameter, modifier, MODIFIERS)
    if modifier == "missing":
        return missing(uri, row, parameter, values, context)
    wanted = [unescape(parameter, value) for value in values]
    names = [name for value in wanted for name in _names(parameter, value, modifier)]

    def condition(t: FromClause) -> ColumnElement[bool]:
        if modifier == "below":
            found = any_of([_starts_with(t, value) for value in wanted])
        else:
            hashes = [context.hasher.once(name) for name in names]
            found = and_(t.c.hash.in_(hashes), t.c.value.in_(names))
        return and_(t.c.param == parameter.param_id, found)

    return some_row(uri, row, context, condition)


def _names(parameter: SearchParameter, value: str, modifier: str | None) -> list[str]:
    """Return the value, and for `:above` every path that it lies under."""
    if modifier != "above":
        return [value]
    start = value.find("//") + 2 if "//" in value else 0
    slashes = [at for at in range(start + 1, len(value)) if value[at] == "/"]
    if len(slashes) > _DEEPEST:
        raise refuse(parameter, value, f"a uri of at most {_DEEPEST} path segments")
    return list(dict.fromkeys([value, *(value[: at + end] for at in slashes for end in (0, 1))]))


def _starts_with(t: FromClause, value: str) -> ColumnElement[bool]:
    return and_(t.c.value >= value, t.c.value <= value + LAST_CHARACTER)
