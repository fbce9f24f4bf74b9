"""Filters for `_filter` that may find something: tests, chains, brackets, and logic around them.

FHIR R4 §3.1.3 (search_filter.html).
"""

import json
from collections.abc import Callable
from random import Random

from tests.spec.oracle import definitions
from tests.spec.oracle.amounts import element_amount
from tests.spec.oracle.dates import PREFIXES
from tests.spec.oracle.definitions import SearchParameter
from tests.spec.oracle.elements import Element
from tests.spec.oracle.made_values import (
    CODES,
    HIERARCHY,
    HIERARCHY_CODES,
    NUMBERS,
    SYSTEMS,
    URLS,
    VALUE_SETS,
    Maker,
)
from tests.spec.oracle.population import Population
from tests.spec.oracle.texts import element_texts
from tests.spec.oracle.tokens import element_tokens

_TEXT = ("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le")
_OPERATORS = {
    "string": _TEXT,
    "uri": _TEXT,
    "number": PREFIXES,
    "quantity": PREFIXES,
    "date": (*PREFIXES, "co", "po"),
    "token": ("eq", "eq", "ne"),
    "reference": ("re",),
}


class Filters(Maker):
    """Writes filters about a population."""

    def __init__(self, rng: Random, population: Population) -> None:
        super().__init__(rng)
        self.population = population

    def filter(self, type: str, depth: int = 0) -> str:
        """Return tests joined by `and` and `or`, some of them turned round or in parentheses."""
        parts = [self._part(type, depth)]
        for _ in range(self.pick((0, 0, 1, 1, 2))):
            parts += [self.pick(("and", "or")), self._part(type, depth)]
        return " ".join(parts)

    def _part(self, type: str, depth: int) -> str:
        draw = self.rng.random()
        if depth < 2 and draw < 0.1:
            return f"not ({self.filter(type, depth + 1)})"
        if depth < 2 and draw < 0.2:
            return f"({self.filter(type, depth + 1)})"
        if depth < 2 and draw < 0.35:
            through = self._through(type, depth)
            if through:
                return through
        return self._test(type)

    def _through(self, type: str, depth: int) -> str | None:
        """Return a test of what a reference leads to; all it may lead to must know the names."""
        for parameter in definitions.reference_parameters(type):
            if len(parameter.targets) != 1 or self.rng.random() < 0.5:
                continue
            (target,) = parameter.targets
            if not self.population.of_type(target):
                continue
            inside = f"[{self._test(target)}]" if self.rng.random() < 0.4 else ""
            return f"{parameter.code}{inside}.{self._test(target)}"
        return None

    def _test(self, type: str) -> str:
        known = [each for each in definitions.searchable(type) if each.kind in _OPERATORS]
        parameter = self.pick([each for each in known if not each.code.startswith("_")] or known)
        if self.rng.random() < 0.08:
            return f"{parameter.code} pr {self.pick(('true', 'false'))}"
        found = [
            element
            for item in self.population.of_type(type)
            for element in self.population.elements(item, parameter)
        ]
        element = self.pick(found) if found else None
        operator = self.pick(_OPERATORS[parameter.kind])
        if element and element.type in ("Coding", "CodeableConcept") and self.rng.random() < 0.2:
            if self.rng.random() < 0.5:
                return f"{parameter.code} {self.pick(('in', 'ni'))} {self.pick(VALUE_SETS)}"
            concept = f"{HIERARCHY}|{self.pick(HIERARCHY_CODES)}"
            return f"{parameter.code} {self.pick(('ss', 'sb'))} {concept}"
        return f"{parameter.code} {operator} {self._value(parameter, element)}"

    def _value(self, parameter: SearchParameter, element: Element | None) -> str:
        makers: dict[str, Callable[[Element | None], str]] = {
            "string": self._text,
            "uri": lambda each: _quoted(each.value if each else self.pick(URLS)),
            "number": lambda _: self._number(None),
            "quantity": self._number,
            "date": self._date,
            "token": self._token,
            "reference": lambda each: self._reference(each, parameter),
        }
        return makers[parameter.kind](element)

    def _text(self, element: Element | None) -> str:
        texts = [
            each
            for each in (element_texts(element) if element else [self.word()])
            if any(one.isalnum() for one in each)
        ]
        text = self.pick(texts) if texts else "a"
        cut = text[: self.rng.randint(1, len(text))]
        return _quoted(cut if any(one.isalnum() for one in cut) else text)

    def _number(self, element: Element | None) -> str:
        amount = element_amount(element) if element else None
        unit = ""
        if amount and amount.system and amount.code and self.rng.random() < 0.5:
            unit = f"|{amount.system}|{amount.code}"
        value = self.pick([each for each in NUMBERS if each[0] != "-"]) + unit
        # "excluding ) and ]" where it has no quotes (§3.1.3.1)
        return _quoted(value) if "]" in value else value

    def _date(self, element: Element | None) -> str:
        value = element.value if element and isinstance(element.value, str) else self.moment()
        return str(value)[: self.pick((4, 7, 10, 40))]

    def _token(self, element: Element | None) -> str:
        tokens = element_tokens(element) if element else []
        plain = [each for each in tokens if each.code and each.code.isalnum()]
        if not plain:
            return self.pick([each for each in CODES if each.isalnum()])
        token = self.pick(plain)
        code = str(token.code)
        if element is None or element.type not in ("Coding", "CodeableConcept", "Identifier"):
            return code
        system = token.system or self.pick(SYSTEMS)
        return self.pick((code, code.upper(), f"{system}|{code}", f"|{code}", f"{system}|"))

    def _reference(self, element: Element | None, parameter: SearchParameter) -> str:
        named = self.population.named(element) if element else None
        if named and (named.local or named.url):
            return str(named.local or named.url)
        return f"{self.pick(parameter.targets or ('Patient',))}/0"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
