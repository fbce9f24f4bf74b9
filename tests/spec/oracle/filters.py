"""`_filter`: its grammar, and what its operators ask of a resource.

FHIR R4 §3.1.3 (search_filter.html).
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from tests.spec.oracle import amounts, concepts, conditions, dates, definitions, references, tokens
from tests.spec.oracle.conditions import Asking
from tests.spec.oracle.elements import Element
from tests.spec.oracle.population import Item
from tests.spec.oracle.texts import element_texts, fold
from tests.spec.oracle.tokens import Token, element_tokens

Test = Callable[[Asking, Item], bool]

_SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ucum": "http://unitsofmeasure.org",
}


def read(text: str) -> Test:
    """Return the test that a filter stands for; ValueError where it is none."""
    reader = _Reader(text)
    test = reader.filter()
    if text[reader.at :].strip():
        raise ValueError(f"{text!r} has something after its end")
    return test


class _Reader:
    """Reads the grammar of §3.1.3.1 from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def filter(self) -> Test:
        # "Logical expressions are evaluated left to right, with no precedence".
        left = self._part()
        while word := self._taken(r"(and|or)\b"):
            left = _both(left, self._part()) if word == "and" else _either(left, self._part())
        return left

    def _part(self) -> Test:
        if self._taken(r"(not)\s*(?=\()"):
            inner = self._part()
            return lambda asking, item: not inner(asking, item)
        if self._taken(r"(\()"):
            inner = self.filter()
            self._need(r"(\))")
            return inner
        return self._expression()

    def _expression(self) -> Test:
        name = self._need(r"([A-Za-z_][\w-]*)")
        if self._taken(r"(\[)"):
            inner = self.filter()
            self._need(r"(\])")
            self._need(r"(\.)")
            return _through(name, _both(inner, self._expression()))
        if self._taken(r"(\.)"):
            return _through(name, self._expression())
        operator, value = self._need(r"([a-z]{2})\b"), self._value()
        return lambda asking, item: _compare(asking, item, name, operator, value)

    def _value(self) -> str:
        found = self._need(r'("(?:[^"\\]|\\.)*"|[^\s)\]]+)')
        return str(json.loads(found)) if found.startswith('"') else found

    def _taken(self, pattern: str) -> str | None:
        found = re.compile(r"\s*" + pattern).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found[1] if found else None

    def _need(self, pattern: str) -> str:
        found = self._taken(pattern)
        if found is None:
            raise ValueError(f"{self.text!r} is no filter at {self.at}")
        return found


def _both(one: Test, other: Test) -> Test:
    return lambda asking, item: one(asking, item) and other(asking, item)


def _either(one: Test, other: Test) -> Test:
    return lambda asking, item: one(asking, item) or other(asking, item)


def _through(name: str, rest: Test) -> Test:
    """Return the test of what a reference leads to: one target meets all of it."""

    def test(asking: Asking, item: Item) -> bool:
        parameter = definitions.parameter(item.type, name)
        if parameter is None:
            raise LookupError(f"{item.type} has no parameter {name}")
        return any(_known(rest, asking, each) for each in conditions.targets(
            asking, item, parameter
        ))  # fmt: skip

    return test


def _known(rest: Test, asking: Asking, item: Item) -> bool:
    try:
        return rest(asking, item)
    except LookupError:
        return False  # a type among several that has no such parameter


def _compare(asking: Asking, item: Item, name: str, operator: str, value: str) -> bool:
    parameter = definitions.parameter(item.type, name)
    if parameter is None:
        raise LookupError(f"{item.type} has no parameter {name}")
    elements = asking.population.elements(item, parameter)
    if operator == "pr":
        has_value = any(conditions.has_value(asking, each, parameter) for each in elements)
        return has_value is (value == "true")
    if operator == "ni":
        return not any(_meets(asking, each, parameter.kind, "in", value) for each in elements)
    return any(_meets(asking, each, parameter.kind, operator, value) for each in elements)


def _meets(asking: Asking, element: Element, kind: str, operator: str, value: str) -> bool:
    if kind == "date":
        span = dates.element_span(element)
        return span is not None and _date(operator, span, dates.span(value), asking.now)
    if kind in ("number", "quantity"):
        amount = amounts.element_amount(element)
        wanted = amounts.read(operator + value)
        return amount is not None and amounts.matches(wanted, amount, convert=asking.convert)
    if kind == "token":
        return any(_token(asking, operator, value, each) for each in _coded(element))
    if kind == "reference":
        named = asking.population.named(element)
        return named is not None and references.matches(value, None, named, asking.population.base)
    if kind == "uri":
        # "accent … sensitive" (§3.1.1.4.13); the operators of `_filter` have no case.
        return _text(operator, element.value.lower(), value.lower())
    return any(_text(operator, fold(each), fold(value)) for each in element_texts(element))


def _date(operator: str, target: dates.Span, wanted: dates.Span, now: float) -> bool:
    if operator == "po":
        # "overlaps with the implied period in the value": `ap`, at no distance from now.
        return dates.compare("ap", wanted, target, now=_seconds(wanted.low))
    if operator == "co":
        # "An item in the set's implicit period includes the stated value"
        return dates.compare("eq", target, wanted, now=now)
    return dates.compare(operator, wanted, target, now=now)


def _seconds(moment: Fraction | float) -> float:
    return float(moment)


def _coded(element: Element) -> list[Token]:
    """Return the tokens of an element; the text beside codings is no item that may be unequal."""
    tokens = element_tokens(element)
    codings = element.value.get("coding") if element.type == "CodeableConcept" else None
    return tokens[: len(codings)] if codings else tokens


def _token(asking: Asking, operator: str, value: str, token: Token) -> bool:
    if operator == "in":
        return concepts.in_value_set(asking.population, value, token)
    if operator in ("ss", "sb"):
        # "True if the value subsumes a concept in the set": the concept is below the value.
        modifier = "below" if operator == "ss" else "above"
        return concepts.related(asking.population, modifier, value, token)
    # "Token is the same, including namespace if specified (case insensitive)", "the format is the
    # same as the existing search parameter"
    system, bar, code = value.rpartition("|")
    same = tokens.matches(_SYSTEMS.get(system, system) + bar + code, replace(token, any_case=True))
    return same is (operator == "eq")


def _text(operator: str, text: str, wanted: str) -> bool:
    tests = {
        "eq": text == wanted,
        "ne": text != wanted,
        "co": wanted in text,
        "sw": text.startswith(wanted),
        "ew": text.endswith(wanted),
        "gt": text > wanted,
        "lt": text < wanted,
        "ge": text >= wanted,
        "le": text <= wanted,
    }
    return tests[operator]
