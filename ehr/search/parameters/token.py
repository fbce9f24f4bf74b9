"""Token parameters: coded values, identifiers, contact points, booleans (R4 search.html
§3.1.1.5.4).

A row is (parameter, hash of the code, hash of the system, the code to sort by); 0 stands for none.
A `code` element takes the system of its required binding where that value set has only one, so that
`gender=http://hl7.org/fhir/administrative-gender|male` finds what `gender=male` finds.
`:text` and `:of-type` are not part of this module yet.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, not_

from ehr.search.matching import MatchContext, RowAlias, any_of, check_modifier, missing, some_row
from ehr.search.values.escapes import refuse, split
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows, identifier_text
from ehr.store.tables import token
from fhir_profiles.definitions import coded
from fhir_profiles.extraction import Leaf, Sink, leaves
from fhir_profiles.search_parameters import SearchParameter

MODIFIERS = ("missing", "not")
SORT_LENGTH = 64

_TEXTS = frozenset(("code", "string", "markdown", "id", "uri", "url", "canonical", "oid", "uuid"))
_MOMENTS = frozenset(("date", "dateTime", "instant", "time"))
_NUMBERS = frozenset(("integer", "positiveInt", "unsignedInt"))
_BOOLEANS = {True: "true", False: "false"}


def sink(leaf: Leaf, hasher: Hasher) -> Sink | None:
    """Return the function that emits rows for elements of this type; None where it has no token."""
    if leaf.type == "CodeableConcept":
        return _codeable_concept(hasher)
    if leaf.type == "Coding":
        return _coding(hasher)
    if leaf.type == "Identifier":
        return _identifier(hasher, locates=leaf.path == f"{leaf.resource_type}.identifier")
    if leaf.type == "ContactPoint":
        return _contact_point(hasher)
    if leaf.type == "boolean":
        return _boolean(hasher)
    if leaf.type in _TEXTS | _MOMENTS | _NUMBERS:
        system = implicit_system(leaf)
        return _text(hasher, hasher.text(system) if system else 0)
    return None


def implicit_system(leaf: Leaf) -> str | None:
    """Return the system of a `code` whose required value set draws on one system only."""
    binding = leaf.field.binding if leaf.field else None
    if leaf.type != "code" or binding is None or binding.strength != "required":
        return None
    systems = {system for system, _ in coded(binding.value_set) or ()}
    return systems.pop() if len(systems) == 1 else None


def _codeable_concept(hasher: Hasher) -> Sink:
    coding_sink = _coding(hasher)

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        for coding in value.get("coding", ()):
            coding_sink(params, coding, rows)

    return emit


def _coding(hasher: Hasher) -> Sink:
    text = hasher.text

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        code, system = value.get("code"), value.get("system")
        if code is None and system is None:
            return
        code_hash = 0 if code is None else text(code)
        system_hash = 0 if system is None else text(system)
        for param in params:
            rows.token.append((param, code_hash, system_hash, code and code[:SORT_LENGTH]))

    return emit


def _identifier(hasher: Hasher, *, locates: bool) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        text, system = value.get("value"), value.get("system")
        if text is None and system is None:
            return
        hashed = 0 if text is None else hasher.once(text)
        system_hash = 0 if system is None else hasher.text(system)
        for param in params:
            rows.token.append((param, hashed, system_hash, text and text[:SORT_LENGTH]))
        if locates and text is not None:
            rows.identifier.append((hashed, identifier_text(system, text)))

    return emit


def _contact_point(hasher: Hasher) -> Sink:
    # ContactPoint.system is phone, email …: the parameter's own condition, or part of the token.
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        text, system = value.get("value"), value.get("system")
        if text is None:
            return
        hashed, system_hash = hasher.once(text), hasher.text(system) if system else 0
        rows.token.extend((param, hashed, system_hash, text[:SORT_LENGTH]) for param in params)

    return emit


def _boolean(hasher: Hasher) -> Sink:
    tokens = {value: (hasher.text(text), 0, text) for value, text in _BOOLEANS.items()}

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        rows.token.extend((param, *tokens[value]) for param in params)

    return emit


def _text(hasher: Hasher, system: int) -> Sink:
    text = hasher.text

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        written = str(value)
        hashed, shown = text(written), written[:SORT_LENGTH]
        for param in params:
            rows.token.append((param, hashed, system, shown))

    return emit


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition for `code`, `system|code`, `|code` and `system|`."""
    check_modifier(parameter, modifier, MODIFIERS)
    if modifier == "missing":
        return missing(token, row, parameter, values, context)
    wanted = [_read(parameter, value) for value in values]

    def condition(t: FromClause) -> ColumnElement[bool]:
        return _condition(t, parameter, wanted, context)

    if modifier == "not":
        return not_(some_row(token, row, context, condition, listed=False))
    return some_row(token, row, context, condition, listed=not _is_common(parameter))


def _is_common(parameter: SearchParameter) -> bool:
    # `status=final` says little of a row: a list of all those rows would be long.
    return all(leaf.type in ("code", "boolean") for leaf in leaves(parameter))


def _read(parameter: SearchParameter, value: str) -> tuple[str | None, str]:
    """Return (system, code): system None means any, "" none; code "" means any."""
    parts = split(parameter, value, "|")
    if len(parts) == 1:
        return None, parts[0]
    if len(parts) > 2 or parts == ["", ""]:
        raise refuse(
            parameter,
            value,
            "a token: code, system|code, |code or system| (write \\| for a bar inside a value)",
        )
    return parts[0], parts[1]


def _condition(
    t: FromClause,
    parameter: SearchParameter,
    wanted: Sequence[tuple[str | None, str]],
    context: MatchContext,
) -> ColumnElement[bool]:
    hashed = context.hasher.once
    by_system: dict[str | None, set[str]] = {}
    for system, code in wanted:
        by_system.setdefault(system, set()).add(code)
    choices: list[ColumnElement[bool]] = []
    for system, codes in by_system.items():
        of_system = t.c.system == (hashed(system) if system else 0)
        of_code = t.c.code.in_(sorted(hashed(code) for code in codes))
        if system is None:
            choices.append(of_code)
        else:
            choices.append(of_system if "" in codes else and_(of_code, of_system))
    return and_(t.c.param == parameter.param_id, any_of(choices))
