"""The expression of a SearchParameter that somebody adds: read strictly, for one resource type.

FHIR R4 searchparameter.html §2.30.3: "The expression is a FHIRPath expression … that returns a set
of elements for a resource". What `selected.py` can walk is walked; whatever else FHIRPath can say
is evaluated (`evaluated.py`), as far as its value depends on the resource alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from fhir_profiles.condense.expression_parts import top_level_parts
from fhir_profiles.definitions import base_types, is_resource_type
from fhir_profiles.fhirpath import FhirPathError, compile
from fhir_profiles.fhirpath.check import types_of
from fhir_profiles.fhirpath.printer import render
from fhir_profiles.fhirpath.syntax import Ast, Binary, Call, Member, TypeTest
from fhir_profiles.search_parameters import SearchParameter
from fhir_profiles.selected import leaves, members_at
from fhir_profiles.selection import Equal, Inexpressible, Nth, Steps, read_expression

_LEADING_TYPE = re.compile(r"[\s(]*([A-Z]\w*)\b")
_BARE = re.compile(r"[a-z]\w*")
# What depends on more than the resource, and would change while nobody indexes it again.
_BEYOND = {
    "now": "the time of day",
    "today": "the day",
    "timeOfDay": "the time of day",
    "memberOf": "a value set",
    "conformsTo": "a profile",
    "subsumes": "a code system",
    "subsumedBy": "a code system",
    "resolve": "another resource",
}
_BOOLEAN, _STRING = frozenset({"boolean"}), frozenset({"string"})
# What functions and operators make, whatever they are given.
_MADE: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("exists", "empty", "not", "all", "allTrue", "anyTrue", "allFalse", "anyFalse", "is",
         "subsetOf", "supersetOf", "isDistinct", "hasValue", "startsWith", "endsWith", "contains",
         "matches", "toBoolean"), _BOOLEAN),
    **dict.fromkeys(
        ("upper", "lower", "substring", "replace", "replaceMatches", "toString", "join", "trim"),
        _STRING),
    **dict.fromkeys(("count", "length", "indexOf", "toInteger"), frozenset({"integer"})),
    "toDecimal": frozenset({"decimal"}),
    "toDate": frozenset({"date"}),
    "toDateTime": frozenset({"dateTime"}),
    "toQuantity": frozenset({"Quantity"}),
}  # fmt: skip
_OPERATED: dict[str, frozenset[str]] = {
    "&": _STRING,
    **dict.fromkeys(
        ("=", "~", "!=", "!~", "<", ">", "<=", ">=", "and", "or", "xor", "implies", "in",
         "contains"), _BOOLEAN),
}  # fmt: skip


class Unusable(Exception):
    """The expression can't be indexed by; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an expression selects of one type: its part about that type, and the types of values.

    `types` None: they show when it is evaluated. `is_walked`: `selected.py` can say all of it.
    """

    expression: str
    types: frozenset[str] | None
    is_walked: bool


def read(expression: str, type: str, kind: str) -> Reading:
    """Return what an expression selects of a resource type. Raises Unusable."""
    text = about(expression, type)
    if not text:
        raise Unusable(
            f"It says nothing about {type}, which `base` names. Write each part of a union with "
            f"its type in front: `{type}.element | …`."
        )
    try:
        compiled = compile(text)
        compiled.check(type)
        _refuse_beyond(compiled.tree)
        found = compiled.types(type)
        if found is not None and found <= {"Extension"}:
            # What is searched is the value: an Extension is no token, string or reference.
            return read(f"({text}).value", type, kind)
    except FhirPathError as error:
        raise Unusable(f"{error}") from None
    walked = _walked(text, type, kind)
    if walked is not None:
        return walked
    tree = _without_as(compiled.tree)
    return Reading(render(tree), _types(tree, type), is_walked=False)


def about(expression: str, type: str) -> str:
    """Return the parts of a union about a type, those about any resource made to name it."""
    kept = []
    for part in top_level_parts(expression):
        leading = _LEADING_TYPE.match(part)
        if leading is None:
            kept.append(f"{type}.{part}" if _BARE.match(part) else part)
        elif leading[1] in (type, *base_types(type)):
            kept.append(part.replace(leading[1], type, 1))
        elif not is_resource_type(leading[1]):
            kept.append(part)
    return " | ".join(kept)


def _refuse_beyond(tree: Ast) -> None:
    """Refuse what depends on more than the resource; the type that a reference names does not."""
    allowed = {id(node) for one in _nodes(tree) for node in _tested(one)}
    for node in _nodes(tree):
        if isinstance(node, Call) and node.name in _BEYOND and id(node) not in allowed:
            more = " But `resolve() is Type` can be asked." if node.name == "resolve" else ""
            raise Unusable(
                f"{node.name}() depends on {_BEYOND[node.name]}, and its value would change "
                f"without the resource being indexed again.{more}"
            )


def _tested(node: Ast) -> list[Ast]:
    """Return `resolve()` where only the type of what it gives is asked."""
    match node:
        case TypeTest(operator="is", operand=Call(name="resolve") as call):
            return [call]
        case Call(name="is", source=Call(name="resolve") as call):
            return [call]
    return []


def _nodes(node: Ast) -> Iterator[Ast]:
    yield node
    for field in fields(node):
        value = getattr(node, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Ast):
                yield from _nodes(one)


def _walked(text: str, type: str, kind: str) -> Reading | None:
    """Return the reading of an expression that steps can say, None of any other."""
    try:
        parts = read_expression(text)
        if not all(_is_exact(type, steps) for steps in parts):
            return None
        found = leaves(_parameter(type, kind, text))
    except (Inexpressible, LookupError):
        return None
    return Reading(text, frozenset(leaf.type for leaf in found), is_walked=True) if found else None


def _is_exact(type: str, steps: Steps) -> bool:
    """Tell whether steps mean what FHIRPath does: they count items, and compare, within each."""
    for n, step in enumerate(steps):
        if isinstance(step, Nth):
            return False
        if isinstance(step, Equal):
            members = members_at(type, (*steps[:n],), step.member)
            if not members or any(one.many or not one.primitive or one.choice for one in members):
                return False
    return True


def _parameter(type: str, kind: str, expression: str) -> SearchParameter:
    return SearchParameter(type, "", kind, expression, "", "", (), (), 0)


def _types(node: Ast, type: str) -> frozenset[str] | None:
    """Return the types of values, those included that an expression makes by itself."""
    if isinstance(node, Binary) and node.operator == "|":
        left, right = _types(node.left, type), _types(node.right, type)
        return left | right if left is not None and right is not None else None
    found = types_of(node, type)
    if found is None and isinstance(node, Call):
        found = _MADE.get(node.name)
    if found is None and isinstance(node, Binary):
        found = _OPERATED.get(node.operator)
    if found is None and isinstance(node, TypeTest):
        found = frozenset({"boolean"})
    return found


def _without_as(node: Ast) -> Ast:
    """Write `as` as `ofType`: in search parameters it keeps values of a type, however many."""
    match node:
        case TypeTest(operator="as", operand=operand, type=wanted):
            name = Member(None, wanted.name)
            argument = Member(Member(None, wanted.namespace), wanted.name)
            return Call(_without_as(operand), "ofType", (argument if wanted.namespace else name,))
        case Call(name="as", source=source, arguments=arguments):
            inner = None if source is None else _without_as(source)
            return Call(inner, "ofType", arguments)
    changed: dict[str, Any] = {}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, tuple):
            changed[field.name] = tuple(map(_without_as, value))
        elif isinstance(value, Ast):
            changed[field.name] = _without_as(value)
    return replace(node, **changed) if changed else node
