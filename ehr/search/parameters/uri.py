"""Uri parameters: compared as a whole, case and all (R4 search.html §3.1.1.5.7).

A row holds the hash for the look-up and the value itself. A canonical with a version is found with
and without it. `:below` finds the uris that start with the value, `:above` those that the value
lies under, segment by segment.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.search.matching import LAST_CHARACTER, Choices, MatchContext
from ehr.search.values.escapes import refuse, unescape
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
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


def choices(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: MatchContext
) -> Choices:
    """Return the choices of an index row for whole uris, `:above` and `:below`."""
    wanted = [unescape(parameter, value) for value in values]
    if modifier == "below":
        return lambda t: [_starts_with(t, value) for value in wanted]
    names = [name for value in wanted for name in _names(parameter, value, modifier)]
    hashes = [context.hasher.once(name) for name in names]
    return lambda t: [and_(t.c.hash.in_(hashes), t.c.value.in_(names))]


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
