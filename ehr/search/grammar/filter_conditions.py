"""`_filter`: what its paths and groups ask, as conditions (R4 search_filter.html §3.1.3).

A path goes through references, as a chain does; what stands in brackets is asked of the same
resource as the rest of the path. A few names of §3.1.3.3 stand for an element with parts that must
meet: those are composite parameters. `and` at the top makes conditions of their own, so that one
that names a patient keeps the search within that record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ehr.errors import Invalid
from ehr.search.grammar.chains import check_hops, follow, reference
from ehr.search.grammar.criterion import named
from ehr.search.grammar.filter_syntax import (
    Both,
    Either,
    Expression,
    FilterTest,
    Negated,
    Step,
    parse_filter,
)
from ehr.search.grammar.filter_tests import part_value, read_test
from ehr.search.grammar.refusals import shown, unknown
from ehr.search.parameters.custom import NO_CUSTOM, Custom
from ehr.search.request import AllOf, AnyOf, Condition, Criterion, Negation, Written
from fhir_profiles.search_parameters import component_parameter

FILTER = "_filter"


@dataclass(frozen=True, slots=True)
class _Element:
    """A name of §3.1.3.3: the composite parameter it stands for, and what its parts are called."""

    composite: str
    children: Mapping[str, str]


_ELEMENTS = {
    ("Group", "characteristic"): _Element(
        "characteristic-value", {"code": "characteristic", "value": "value"}
    ),
    ("DocumentReference", "relatesTo"): _Element(
        "relationship", {"code": "relation", "target": "relatesto"}
    ),
}
# Names of §3.1.3.3 for parameters that R4 no longer has, and what to ask instead.
_GONE = {
    ("Observation", "related"): "Use `has-member` or `derived-from`.",
    ("ServiceRequest", "event"): "Use `status` and `occurrence`.",
    ("ServiceRequest", "item"): "Use `status`, `code` and `body-site`.",
    ("ServiceRequest", "item-event"): "Use `status` and `occurrence`.",
}


def read_filter(types: tuple[str, ...], text: str, custom: Custom) -> tuple[Condition, ...]:
    """Return the conditions that must all hold; raise Invalid for what cannot be answered."""
    expression = parse_filter(text)
    parts = expression.parts if isinstance(expression, Both) else (expression,)
    asked = _Asked((FILTER, text), custom)
    return tuple(_read(types, part, asked, hops=0) for part in parts)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every part of one `_filter` shares."""

    written: Written
    custom: Custom


def _read(types: tuple[str, ...], what: Expression, asked: _Asked, hops: int) -> Condition:
    written = asked.written
    match what:
        case Both():
            return AllOf(written, tuple(_read(types, one, asked, hops) for one in what.parts))
        case Either():
            return _any_of(written, [_read(types, one, asked, hops) for one in what.parts])
        case Negated():
            return Negation(written, _read(types, what.part, asked, hops))
        case FilterTest():
            return _read_test(types, what, asked, hops)


def _any_of(written: Written, parts: list[Condition]) -> Condition:
    """Join the values of tests of one parameter, which then share one look-up."""
    joined: list[Condition] = []
    for part in parts:
        last = joined[-1] if joined else None
        if (
            isinstance(part, Criterion)
            and isinstance(last, Criterion)
            and (part.parameters, part.modifier) == (last.parameters, last.modifier)
            # That none is in one set or none in another is no list of sets.
            and part.modifier in (None, "contains", "in", "above", "below")
        ):
            values = last.values + part.values
            joined[-1] = Criterion(written, part.parameters, part.modifier, values)
        else:
            joined.append(part)
    return joined[0] if len(joined) == 1 else AnyOf(written, tuple(joined))


def _read_test(types: tuple[str, ...], test: FilterTest, asked: _Asked, hops: int) -> Condition:
    first, rest = test.path[0], test.path[1:]
    written, custom = asked.written, asked.custom
    if not rest:
        return read_test(types, first.name, test.operator, test.value, written, custom)
    for type_name in types:
        if (type_name, first.name) in _GONE:
            raise Invalid(
                f"`{first.name}` in `_filter` stands for search parameters of {type_name} that R4 "
                f"does not have. {_GONE[type_name, first.name]}",
                code="not-supported",
            )
    if len(types) == 1 and (types[0], first.name) in _ELEMENTS:
        return _element(types[0], test, written)
    check_hops(hops + 1)
    further = FilterTest(rest, test.operator, test.value)

    def read(target_type: str) -> Condition:
        last = _read_test((target_type,), further, asked, hops + 1)
        if first.where is None:
            return last
        return AllOf(written, (_read((target_type,), first.where, asked, hops + 1), last))

    # The name of an element is none of a parameter: every target then tells for itself.
    elements = {name for _, name in (*_ELEMENTS, *_GONE)}
    names = {rest[0].name, *(_names(first.where) if first.where else ())}
    known = sorted(names - elements)
    through = reference(types, first.name, custom)
    return follow(through, None, known, written, read, custom)


def _names(what: Expression) -> Iterator[str]:
    """Yield the parameters that a resource must have for the expression to mean something."""
    match what:
        case FilterTest():
            yield what.path[0].name
        case Negated():
            yield from _names(what.part)
        case Both() | Either():
            for part in what.parts:
                yield from _names(part)


def _element(type_name: str, test: FilterTest, written: Written) -> Criterion:
    """Return the composite criterion of `name[child eq value].child eq value`."""
    first, *rest = test.path
    element = _ELEMENTS[type_name, first.name]
    inside = first.where
    if (
        not isinstance(inside, FilterTest)
        or len(inside.path) > 1
        or len(rest) != 1
        or rest[0].where
    ):
        raise Invalid(
            f"`{first.name}` in `_filter` must have one test in brackets and one name after them, "
            f"such as `{_example(first.name, element)}`.",
            code="not-supported",
        )
    (composite,) = named((type_name,), element.composite, NO_CUSTOM)
    given = {
        _child(inside.path[0], element): inside,
        _child(rest[0], element): test,
    }
    parts = [component_parameter(composite, one) for one in composite.components]
    if set(given) != {part.code for part in parts}:
        raise Invalid(
            f"`{first.name}` in `_filter` needs each of its parts once, such as "
            f"`{_example(first.name, element)}`."
        )
    values = [part_value(part, given[part.code].operator, given[part.code].value) for part in parts]
    return Criterion(written, (composite,), None, ("$".join(values),))


def _child(step: Step, element: _Element) -> str:
    code = element.children.get(step.name)
    if code is None:
        raise unknown("name", step.name, " in `_filter`", element.children)
    return code


def _example(name: str, element: _Element) -> str:
    first, second = element.children
    operator = "re" if second == "target" else "eq"
    return shown(f"{name}[{first} eq a].{second} {operator} b")
