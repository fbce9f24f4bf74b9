"""Codes asked for by meaning: `:in`, `:not-in`, `:above`, `:below` (R4 search.html §3.1.1.4.10).

Value sets and hierarchies come from `ehr.terminology`; the lists of codes go to the database as one
bound value. A media type is below its base: `text/xml` is above `text/xml; charset=UTF-8`
(§3.1.1.4.10.1).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, or_

from ehr import terminology
from ehr.errors import Invalid
from ehr.search.matching import Condition, MatchContext
from ehr.search.values.escapes import refuse, split, unescape
from ehr.store.hashing import Hasher
from ehr.store.pairs import in_keys, in_pairs
from ehr.store.rows import IndexRows
from ehr.terminology import Concept, Source
from fhir_profiles.extraction import Leaf, Sink, leaves
from fhir_profiles.identity import stable_id
from fhir_profiles.search_parameters import SearchParameter

CODED = frozenset(("CodeableConcept", "Coding", "code"))

_MEDIA_TYPES = "http://hl7.org/fhir/ValueSet/mimetypes"


def in_value_sets(
    parameter: SearchParameter, values: Sequence[str], context: MatchContext
) -> Condition:
    """Return the condition that a coding is in one of these value sets."""
    found: set[Concept] = set()
    for value in values:
        found |= _asked(terminology.expand, context, unescape(parameter, value))
    return _listed(parameter, found, context)


def above(parameter: SearchParameter, values: Sequence[str], context: MatchContext) -> Condition:
    """Return the condition that a coding subsumes one of these concepts, or is one of them."""
    if _is_media(parameter):
        texts = [unescape(parameter, value) for value in values]
        hashes = [context.hasher.once(each) for text in texts for each in (text, _base(text))]
        return lambda t: and_(t.c.param == parameter.param_id, t.c.code.in_(hashes))
    return _related(parameter, values, context, terminology.above)


def below(parameter: SearchParameter, values: Sequence[str], context: MatchContext) -> Condition:
    """Return the condition that one of these concepts subsumes a coding, or is that coding."""
    if _is_media(parameter):
        return _of_media_type([unescape(parameter, value) for value in values], parameter, context)
    return _related(parameter, values, context, terminology.below)


def _related(
    parameter: SearchParameter,
    values: Sequence[str],
    context: MatchContext,
    relation: Any,
) -> Condition:
    found: set[Concept] = set()
    for value in values:
        parts = split(parameter, value, "|")
        if len(parts) != 2 or not all(parts):
            # "The search parameter is a concept with the form [system]|[code]"
            raise refuse(parameter, value, "a concept of a code system: system|code")
        found |= {(parts[0], code) for code in _asked(relation, context, *parts)}
    return _listed(parameter, found, context)


def _asked(relation: Any, context: MatchContext, *texts: str) -> Any:
    return context.once((relation, *texts), lambda: relation(_source(context), *texts))


def _source(context: MatchContext) -> Source:
    if context.source is None:
        raise Invalid("Value sets can't be asked for here.", code="not-supported")
    return context.source


def _listed(
    parameter: SearchParameter, concepts: Iterable[Concept], context: MatchContext
) -> Condition:
    """Return the condition that a row has one of these concepts, however many there are."""
    connection, hashed = _source(context).connection, context.hasher.text
    pairs = {(hashed(code), hashed(system) if system else 0) for system, code in concepts}
    if all(leaf.type == "code" for leaf in leaves(parameter)):
        # "the system is defined in the value set": an element that has none of its own.
        pairs |= {(code, 0) for code, _ in pairs}

    def condition(t: FromClause) -> ColumnElement[bool]:
        # The codes alone once more: an index knows them, not the pairs.
        codes = in_keys(connection, t.c.code, sorted({code for code, _ in pairs}))
        same = in_pairs(connection, t.c.code, t.c.system, sorted(pairs))
        return and_(t.c.param == parameter.param_id, codes, same)

    return condition


def media_sink(leaf: Leaf, hasher: Hasher) -> Sink | None:
    """Return what emits the base of a media type that has parameters; None for other codes."""
    if not _is_media_type(leaf):
        return None
    id = stable_id(f"{leaf.path}:base")

    def emit(_: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        if ";" in value:
            rows.token.append((id, hasher.text(_base(value)), 0, None))

    return emit


def _of_media_type(
    texts: Sequence[str], parameter: SearchParameter, context: MatchContext
) -> Condition:
    hashes = [context.hasher.once(text) for text in texts]
    bases = [stable_id(f"{leaf.path}:base") for leaf in leaves(parameter)]

    def condition(t: FromClause) -> ColumnElement[bool]:
        return or_(
            and_(t.c.param == parameter.param_id, t.c.code.in_(hashes)),
            and_(t.c.param.in_(bases), t.c.code.in_(hashes)),
        )

    return condition


def _is_media(parameter: SearchParameter) -> bool:
    return all(_is_media_type(leaf) for leaf in leaves(parameter))


def _is_media_type(leaf: Leaf) -> bool:
    binding = leaf.field.binding if leaf.field else None
    return binding is not None and binding.value_set.partition("|")[0] == _MEDIA_TYPES


def _base(media_type: str) -> str:
    return media_type.partition(";")[0].strip()
