"""`_text` and `_content`: words of the narrative, words of the whole (R4 search.html §3.1.1.4.20).

`_text` looks at the resource's own narrative. `_content` looks at that and at every string and
markdown element, of contained resources too: what people wrote or read. Codes, uris, ids, dates and
numbers are no words; their own parameters find them. Neither stems nor looks for related words.
"""

import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.errors import Invalid
from ehr.search.matching import MatchContext, RowAlias, missing, some_row
from ehr.search.values.escapes import refuse, unescape
from ehr.search.values.words import joined, read_words
from ehr.store import tables
from ehr.store.full_text import has_words
from ehr.store.rows import IndexRows
from fhir_profiles.definitions import type_definition
from fhir_profiles.search_parameters import SearchParameter

CODES = frozenset(("_text", "_content"))

_TEXTS = frozenset(("string", "markdown"))
_NO_WORDS = frozenset(("Reference.reference", "Narrative.div"))
_TEXT = ""
# Attribute values may have a > of their own.
_TAG = re.compile(r"""<!--.*?-->|<(/?[\w:]+)(?:[^>"']|"[^"]*"|'[^']*')*>""", re.DOTALL)
_INLINE = re.compile(
    r"/?(a|abbr|acronym|b|big|cite|code|dfn|em|i|kbd|samp|small|span|strong|sub|sup|tt|var)"
)


def index(resource: Mapping[str, Any], rows: IndexRows) -> None:
    """Add the words of a resource."""
    texts: dict[str, None] = {}
    _collect(resource, resource["resourceType"], texts)
    content = joined(texts)
    narrative = resource.get("text")
    div = narrative.get("div") if isinstance(narrative, dict) else None
    own = joined((_plain(div),)) if div else ""
    if content or own:
        rows.text.append((own or None, content))


def _collect(value: Mapping[str, Any], type: str, texts: dict[str, None]) -> None:
    """Add every text below a value, each once, in the order of the document."""
    below = _worded(type)
    for name, member in value.items():
        kind = below.get(name)
        if kind is None:
            continue
        for each in member if member.__class__ is list else (member,):
            if each is None:
                continue
            if kind is _TEXT:
                texts[each] = None
            else:
                _collect(each, each["resourceType"] if kind == "Resource" else kind, texts)


@cache
def _worded(type: str) -> Mapping[str, str]:
    """Return the members of a type that have words in them: their types, "" for a text itself."""
    found: dict[str, str] = {}
    for field in type_definition(type).fields.values():
        if field.path in _NO_WORDS or field.name == "id":
            continue
        if not field.primitive:
            found[field.name] = field.type
        elif field.type in _TEXTS:
            found[field.name] = _TEXT
    return found


def _plain(div: str) -> str:
    """Return the text of a narrative: words end where an element does that is not inline."""
    return html.unescape(_TAG.sub(_gap, div))


def _gap(match: re.Match[str]) -> str:
    return "" if match[1] and _INLINE.fullmatch(match[1]) else " "


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition that the words asked for are there, or `:missing`."""
    narrative = parameter.code == "_text"
    if modifier == "missing":
        return missing(tables.full_text, row, parameter, values, context, _present(narrative))
    if context.source is None:
        raise Invalid(f"{parameter.code} can't be asked for here.", code="not-supported")
    connection = context.source.connection
    wanted = []
    for value in values:
        try:
            wanted.append(read_words(unescape(parameter, value)))
        except ValueError as error:
            raise refuse(parameter, value, f"a search for words: it has {error}") from error

    def condition(t: FromClause) -> ColumnElement[bool]:
        return has_words(connection, t, wanted, narrative=narrative, keys=context.patient_keys)

    return some_row(tables.full_text, row, context, condition)


def _present(narrative: bool) -> Any:
    if narrative:
        return lambda t: t.c.narrative.isnot(None)
    return lambda t: and_(t.c.rid.isnot(None))
