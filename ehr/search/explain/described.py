"""A search request as lines for people, whatever it is made of: every part by the name it has."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any

from ehr.search.grammar.refusals import shown
from ehr.search.request import SearchRequest
from fhir_profiles.search_parameters import SearchParameter

# What the caller wrote stands first in each line; these say it again, or nothing.
_LEFT_OUT = frozenset({"written", "understood", "ignored", "lenient", "types", "cursor"})
_LINES: Mapping[str, str] = MappingProxyType({"conditions": "condition", "includes": "include"})


def described(request: SearchRequest) -> Iterator[tuple[str, str]]:
    """Yield name and text of each part of a request that says something."""
    yield "types", ", ".join(request.types) or "all"
    for field in fields(request):
        value = getattr(request, field.name)
        if field.name in _LEFT_OUT or value in (None, "", (), False):
            continue
        for one in value if isinstance(value, tuple) else (value,):
            yield _LINES.get(field.name, field.name), _written(one) + _text(one)
    if request.cursor is not None:
        yield "cursor", "given"
    for issue in request.ignored:
        yield "ignored", issue.diagnostics


def _written(part: Any) -> str:
    pair = getattr(part, "written", None)
    return f"{shown(pair[0])}={shown(pair[1])} → " if pair else ""


def _text(part: Any) -> str:
    if isinstance(part, SearchParameter):
        return f"{part.type}.{part.code} ({part.kind})"
    if isinstance(part, tuple):
        return "(" + ", ".join(_text(one) for one in part) + ")"
    if not is_dataclass(part):
        return shown(str(part))
    said = ((field.name, getattr(part, field.name)) for field in fields(part))
    inside = ", ".join(
        f"{name} {_text(value)}"
        for name, value in said
        if name not in _LEFT_OUT and value not in (None, "", (), False)
    )
    return f"{type(part).__name__.lower()} [{inside}]"
