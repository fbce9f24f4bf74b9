"""Token parameters: coded values, identifiers, contact points, booleans (R4 search.html
§3.1.1.4.10).

A row is (parameter, hash of the code, hash of the system, the code to sort by); 0 stands for none.
A `code` element takes the system of its required binding where that value set has only one, so that
`gender=http://hl7.org/fhir/administrative-gender|male` finds what `gender=male` finds. An element
without a code still has a row, for `:missing`. What stands beside the codes (texts, identifier
types, the base of a mime type) has rows by element path, whichever parameters select it;
`token_texts.py` and `concepts.py` look there.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, not_

from ehr.search.matching import Condition, MatchContext, RowAlias, any_of, missing, some_row
from ehr.search.parameters import concepts, token_texts
from ehr.search.values.tokens import read_token
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows, identifier_text
from ehr.store.tables import token
from fhir_profiles.definitions import coded
from fhir_profiles.extraction import Leaf, Sink, leaves
from fhir_profiles.search_parameters import SearchParameter

SORT_LENGTH = 64

_TEXTS = frozenset(("code", "markdown", "id", "uri", "url", "canonical", "oid", "uuid"))
_MOMENTS = frozenset(("date", "dateTime", "instant", "time"))
_NUMBERS = frozenset(("integer", "positiveInt", "unsignedInt"))
_BOOLEANS = {True: "true", False: "false"}

Hashed = tuple[int, int]  # (code, system)


def sink(leaf: Leaf, hasher: Hasher) -> Sink | None:
    """Return the function that emits rows for elements of this type; None where it has no token."""
    if leaf.type == "CodeableConcept":
        return _codeable_concept(leaf, hasher)
    if leaf.type == "Coding":
        return _coding(leaf, hasher)
    if leaf.type == "Identifier":
        return _identifier(leaf, hasher)
    if leaf.type == "ContactPoint":
        return _contact_point(hasher)
    if leaf.type == "boolean":
        return _boolean(hasher)
    if leaf.type == "string":
        return _folded(hasher)
    if leaf.type in _TEXTS | _MOMENTS | _NUMBERS:
        system = implicit_system(leaf)
        return _text(leaf, hasher, hasher.text(system) if system else 0)
    return None


def implicit_system(leaf: Leaf) -> str | None:
    """Return the system of a `code` whose required value set draws on one system only."""
    binding = leaf.field.binding if leaf.field else None
    if leaf.type != "code" or binding is None or binding.strength != "required":
        return None
    systems = {system for system, _ in coded(binding.value_set) or ()}
    return systems.pop() if len(systems) == 1 else None


def _codeable_concept(leaf: Leaf, hasher: Hasher) -> Sink:
    coding_sink, text_sink = _coding(leaf, hasher), token_texts.sink(leaf)

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        codings = value.get("coding", ())
        for coding in codings:
            coding_sink(params, coding, rows)
        if "text" in value:
            text_sink(params, value["text"], rows)
        if not codings:
            rows.token.extend((param, 0, 0, None) for param in params)

    return emit


def _coding(leaf: Leaf, hasher: Hasher) -> Sink:
    text, text_sink = hasher.text, token_texts.sink(leaf)

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        code, system = value.get("code"), value.get("system")
        code_hash = 0 if code is None else text(code)
        system_hash = 0 if system is None else text(system)
        for param in params:
            rows.token.append((param, code_hash, system_hash, code and code[:SORT_LENGTH]))
        if "display" in value:
            text_sink(params, value["display"], rows)

    return emit


def _identifier(leaf: Leaf, hasher: Hasher) -> Sink:
    text_sink, type_sink = token_texts.sink(leaf), token_texts.type_sink(leaf, hasher)
    locates = leaf.path == f"{leaf.resource_type}.identifier"

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        text, system = value.get("value"), value.get("system")
        hashed = 0 if text is None else hasher.once(text)
        system_hash = 0 if system is None else hasher.text(system)
        for param in params:
            rows.token.append((param, hashed, system_hash, text and text[:SORT_LENGTH]))
        if "type" in value:
            type_sink(params, value, rows)
            if "text" in value["type"]:
                text_sink(params, value["type"]["text"], rows)
        if locates and text is not None:
            rows.identifier.append((hashed, identifier_text(system, text)))

    return emit


def _contact_point(hasher: Hasher) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        text = value.get("value")
        if text is not None:
            hashed = hasher.once(text)
            rows.token.extend((param, hashed, 0, text[:SORT_LENGTH]) for param in params)

    return emit


def _boolean(hasher: Hasher) -> Sink:
    tokens = {value: (hasher.text(text), 0, text) for value, text in _BOOLEANS.items()}

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        rows.token.extend((param, *tokens[value]) for param in params)

    return emit


def _folded(hasher: Hasher) -> Sink:
    # "If the underlying data type is string then the search is not case sensitive."
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        folded = value.casefold()
        hashed, shown = hasher.text(folded), folded[:SORT_LENGTH]
        rows.token.extend((param, hashed, 0, shown) for param in params)

    return emit


def _text(leaf: Leaf, hasher: Hasher, system: int) -> Sink:
    text, base_sink = hasher.text, concepts.media_sink(leaf, hasher)

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        written = str(value)
        hashed, shown = text(written), written[:SORT_LENGTH]
        for param in params:
            rows.token.append((param, hashed, system, shown))
        if base_sink is not None:
            base_sink(params, value, rows)

    return emit


@cache
def modifiers(parameter: SearchParameter) -> tuple[str, ...]:
    """Return the modifiers that the elements of a parameter give a meaning to."""
    types = {leaf.type for leaf in leaves(parameter)}
    found = ["missing", "not"]
    if types & token_texts.WORDED:
        found.append("text")
    if "Identifier" in types:
        found.append("of-type")
    if types & concepts.CODED:
        found += ["in", "not-in", "above", "below"]
    return tuple(found)


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition of a modifier, or for `code`, `system|code`, `|code` and `system|`."""
    if modifier == "missing":
        return missing(token, row, parameter, values, context)
    if modifier == "text":
        return token_texts.clause(row, parameter, values, context)
    if modifier in _BESIDE:
        return some_row(token, row, context, _BESIDE[modifier](parameter, values, context))
    if modifier == "not-in":
        inside = concepts.in_value_sets(parameter, values, context)
        return not_(some_row(token, row, context, inside, listed=False))
    wanted = [read_token(parameter, value) for value in values]

    def condition(t: FromClause) -> ColumnElement[bool]:
        return _condition(t, parameter, wanted, context)

    if modifier == "not":
        return not_(some_row(token, row, context, condition, listed=False))
    return some_row(token, row, context, condition, listed=not _is_common(parameter))


_BESIDE: dict[str | None, Callable[[SearchParameter, Sequence[str], MatchContext], Condition]] = {
    "of-type": token_texts.of_type,
    "in": concepts.in_value_sets,
    "above": concepts.above,
    "below": concepts.below,
}


def _is_common(parameter: SearchParameter) -> bool:
    # `status=final` says little of a row: a list of all those rows would be long.
    return all(leaf.type in ("code", "boolean") for leaf in leaves(parameter))


def _condition(
    t: FromClause,
    parameter: SearchParameter,
    wanted: Sequence[tuple[str | None, str]],
    context: MatchContext,
) -> ColumnElement[bool]:
    hashed = context.hasher.once
    types = {leaf.type for leaf in leaves(parameter)}
    by_system: dict[str | None, set[str]] = {}
    for system, code in wanted:
        codes = by_system.setdefault(system, set())
        if types != {"string"}:
            codes.add(code)
        if "string" in types:
            codes.add(code.casefold())
    choices: list[ColumnElement[bool]] = []
    for system, codes in by_system.items():
        of_system = t.c.system == (hashed(system) if system else 0)
        of_code = t.c.code.in_(sorted(hashed(code) for code in codes))
        if system is None:
            choices.append(of_code)
        else:
            choices.append(of_system if "" in codes else and_(of_code, of_system))
    return and_(t.c.param == parameter.param_id, any_of(choices))
