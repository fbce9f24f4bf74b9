"""String parameters: names, addresses and text (R4 search.html §3.1.1.4.8).

A row holds the folded text, cut at 200 characters for the key; the whole where it is longer; and
the text as sent where it differs from the folded one, for `:exact`. Each part of a HumanName or an
Address is a row of its own.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, func

from ehr.search.matching import LAST_CHARACTER, Choices, MatchContext
from ehr.search.values.escapes import refuse, unescape
from ehr.search.values.folding import fold
from ehr.store.rows import IndexRows
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.search_parameters import SearchParameter

KEY_LENGTH = 200
_SHORT = 100

_NAME_PARTS = ("family", "text"), ("given", "prefix", "suffix")
_ADDRESS_PARTS = ("city", "district", "state", "postalCode", "country", "text"), ("line",)
_TEXTS = frozenset(("string", "markdown", "code", "id", "uri", "url"))


def sink(leaf: Leaf) -> Sink | None:
    """Return the function that emits rows for elements of this type; None where there is none."""
    if leaf.type in _TEXTS:
        return _text
    if leaf.type == "HumanName":
        return _parts(*_NAME_PARTS)
    if leaf.type == "Address":
        return _parts(*_ADDRESS_PARTS)
    return _codeable_concept if leaf.type == "CodeableConcept" else None


def folded_key(text: str) -> tuple[str, str | None]:
    """Return the key of a text, and the whole folded text where it is longer than the key."""
    return _repeated(text) if len(text) <= _SHORT else _folded_key(text)


# Many come again and again: names, places, what codes are called.
@lru_cache(maxsize=16_384)
def _repeated(text: str) -> tuple[str, str | None]:
    return _folded_key(text)


def _folded_key(text: str) -> tuple[str, str | None]:
    folded = fold(text)
    return (folded, None) if len(folded) <= KEY_LENGTH else (folded[:KEY_LENGTH], folded)


def _text(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    key, folded = folded_key(value)
    if not key:
        return
    original = None if (folded or key) == value else value
    for param in params:
        rows.string.append((param, key, folded, original))


def _parts(single: tuple[str, ...], repeated: tuple[str, ...]) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        for name in single:
            if name in value:
                _text(params, value[name], rows)
        for name in repeated:
            for each in value.get(name, ()):
                if each is not None:
                    _text(params, each, rows)

    return emit


def _codeable_concept(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    if "text" in value:
        _text(params, value["text"], rows)
    for coding in value.get("coding", ()):
        if "display" in coding:
            _text(params, coding["display"], rows)


def choices(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: MatchContext
) -> Choices:
    """Return the choices of an index row: starts with, or `:exact`, or `:contains`."""
    wanted = [unescape(parameter, value) for value in values]
    for value in wanted:
        if not fold(value):
            raise refuse(parameter, value, "a text with letters or digits")
    compare = {"exact": _equals, "contains": _contains}.get(modifier or "", _starts_with)
    return lambda t: [compare(t, value) for value in wanted]


def _starts_with(t: FromClause, value: str) -> ColumnElement[bool]:
    folded = fold(value)
    key = folded[:KEY_LENGTH]
    starts = and_(t.c.value >= key, t.c.value <= key + LAST_CHARACTER)
    if len(folded) <= KEY_LENGTH:
        return starts
    return and_(t.c.value == key, func.substr(t.c.folded, 1, len(folded)) == folded)


def _equals(t: FromClause, value: str) -> ColumnElement[bool]:
    whole = func.coalesce(t.c.original, t.c.folded, t.c.value)
    return and_(t.c.value == fold(value)[:KEY_LENGTH], whole == value)


def _contains(t: FromClause, value: str) -> ColumnElement[bool]:
    folded = fold(value)
    return func.coalesce(t.c.folded, t.c.value).contains(folded, autoescape=True)
