"""`_filter` as text: the grammar of R4 search_filter.html (§3.1.3.1), read into a tree.

"Logical expressions are evaluated left to right, with no precedence between and and or": so
`a or b and c` is `(a or b) and c`. Knows no parameter: `filter_conditions.py` does.
"""

import json
import re
from dataclasses import dataclass
from typing import Union

from ehr.errors import Invalid, TooCostly
from ehr.search.grammar.refusals import shown, unknown

OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po",
             "ss", "sb", "in", "ni", "re")  # fmt: skip
MAXIMUM_TESTS = 50
MAXIMUM_DEPTH = 10
_LONGEST = 8_192


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path, with the filter in brackets that what it leads to must pass."""

    name: str
    where: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class FilterTest:
    """`path operator value`; the value as it was meant, without its quotation marks."""

    path: tuple[Step, ...]
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Both:
    """All parts hold."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of the parts holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The part does not hold."""

    part: "Expression"


Expression = Union[FilterTest, Both, Either, Negated]  # noqa: UP007  its parts name it


def parse_filter(text: str) -> Expression:
    """Return what a filter says; raise Invalid, with the place, where it is none."""
    if len(text) > _LONGEST:
        raise TooCostly(f"`_filter` is longer than {_LONGEST} characters. Ask in two searches.")
    reader = _Reader(text)
    expression = reader.filter()
    if not reader.is_over():
        raise reader.wrong("`and`, `or` or the end")
    return expression


_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORD = re.compile(r"[^\s\[\]()\".]+")
_LOGIC = re.compile(r"(and|or)(?![A-Za-z0-9_.\[-])")
_NOT = re.compile(r"not(?=\s*\()")
_BARE = re.compile(r"[^\s\])]+")
_STRINGS = json.JSONDecoder()


class _Reader:
    """Reads from left to right; `at` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.depth = self.tests = 0

    def filter(self) -> Expression:
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise TooCostly(f"`_filter` is nested deeper than {MAXIMUM_DEPTH} levels.")
        left = self._part()
        while word := self._taken(_LOGIC):
            kind = Both if word == "and" else Either
            right = self._part()
            left = kind((*left.parts, right)) if isinstance(left, kind) else kind((left, right))
        self.depth -= 1
        return left

    def is_over(self) -> bool:
        return self._next() == len(self.text)

    def wrong(self, wanted: str) -> Invalid:
        rest = self.text[self.at :].strip()
        where = f"before `{shown(rest[:40])}`" if rest else "at its end"
        return Invalid(f"`_filter`, character {self.at + 1}, {where}: there should be {wanted}.")

    def _part(self) -> Expression:
        if self._taken(_NOT):
            return Negated(self._group())
        return self._group() if self._sees("(") else self._test()

    def _group(self) -> Expression:
        self._need("(")
        inner = self.filter()
        self._need(")")
        return inner

    def _test(self) -> FilterTest:
        self.tests += 1
        if self.tests > MAXIMUM_TESTS:
            raise TooCostly(f"`_filter` has more than {MAXIMUM_TESTS} tests. Ask in two searches.")
        start = self.at
        path = [self._step()]
        if path[0].name == "not":
            self.at = start
            raise self.wrong("`(` after `not`, as in `not (status eq final)`")
        while path[-1].where is not None or self._sees("."):
            self._need(".")
            path.append(self._step())
        return FilterTest(tuple(path), self._operator(), self._value())

    def _step(self) -> Step:
        name = self._taken(_NAME)
        if name is None:
            raise self.wrong("the name of a search parameter")
        if not self._sees("["):
            return Step(name)
        self._need("[")
        where = self.filter()
        self._need("]")
        return Step(name, where)

    def _operator(self) -> str:
        if self.text[self.at : self.at + 1] == ":":
            raise self.wrong("no modifier and no type: `_filter` has operators instead")
        start = self.at
        word = self._taken(_WORD)
        if word is None:
            raise self.wrong("an operator, such as `eq`")
        if word not in OPERATORS:
            self.at = start
            raise unknown("operator", word, " in `_filter`", OPERATORS)
        return word

    def _value(self) -> str:
        if not self._sees('"'):
            value = self._taken(_BARE)
            if value is None:
                raise self.wrong("a value")
            return value
        try:
            value, self.at = _STRINGS.raw_decode(self.text, self._next())
        except ValueError as error:
            raise self.wrong("a JSON string with both its quotation marks") from error
        return str(value)

    def _sees(self, mark: str) -> bool:
        # A point joins names and has no space about it.
        return self.text.startswith(mark, self.at if mark == "." else self._next())

    def _need(self, mark: str) -> None:
        if not self._sees(mark):
            raise self.wrong(f"`{mark}`")
        self.at = self._next() + 1

    def _taken(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self._next())
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def _next(self) -> int:
        """Return where the next thing is that is no space."""
        found = _SPACE.match(self.text, self.at)
        return found.end() if found else self.at
