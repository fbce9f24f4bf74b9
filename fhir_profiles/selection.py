"""Read a SearchParameter's expression into steps: the part of FHIRPath that R4's parameters use.

Paths, `as`, `.as()`, `.ofType()`, `.where(x='y')`, `.where(resolve() is T)`,
`.where(hasExtension('url'))`, `.where(extension('url').exists())`, `.extension('url')`, `[0]`,
unions, parentheses and `X.exists() and X != false` (R4 search.html §3.1.1.3). Anything else raises
`Inexpressible`; a test proves that no R4 parameter does.
"""

import re
from dataclasses import dataclass
from functools import lru_cache


class Inexpressible(Exception):
    """The expression uses more of FHIRPath than these steps can say."""


@dataclass(frozen=True, slots=True)
class Child:
    """Go to the elements with this name; a choice element by its name without the type."""

    name: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Keep values of this type."""

    type: str


@dataclass(frozen=True, slots=True)
class Nth:
    """Keep one item of the list before it."""

    index: int


@dataclass(frozen=True, slots=True)
class Equal:
    """Keep items whose member has this text."""

    member: str
    value: str


@dataclass(frozen=True, slots=True)
class Targets:
    """Keep references to this type: `where(resolve() is T)`."""

    type: str


@dataclass(frozen=True, slots=True)
class Extended:
    """Keep items that carry an extension with this url."""

    url: str


@dataclass(frozen=True, slots=True)
class Extensions:
    """Go to the extensions with this url."""

    url: str


@dataclass(frozen=True, slots=True)
class Truth:
    """Yield one boolean, always: whether the element exists and is not false."""


Step = Child | Cast | Nth | Equal | Targets | Extended | Extensions | Truth
Steps = tuple[Step, ...]

_TOKEN = re.compile(r"\s*(?:(\w+)|'((?:[^'\\]|\\.)*)'|(!=|[.()\[\]|=]))")
_TRUTH = re.compile(r"([\w.]+)\.exists\(\)\s+and\s+\1\s*!=\s*false")
_FUNCTIONS = ("as", "ofType", "where", "extension")


@lru_cache(maxsize=4096)
def read_expression(expression: str) -> tuple[Steps, ...]:
    """Return one tuple of steps for each part of the union."""
    truth = _TRUTH.fullmatch(expression.strip())
    if truth:
        return ((*(Child(name) for name in truth[1].split(".")), Truth()),)
    reader = _Reader(expression)
    parts = reader.union()
    if reader.peek():
        raise Inexpressible(f"{expression}: unexpected {reader.peek()!r}")
    return tuple(parts)


class _Reader:
    """A recursive descent over the tokens; texts in quotes keep a leading quote as their mark."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = list(_tokens(expression))
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def union(self) -> list[Steps]:
        parts = self._term()
        while self.peek() == "|":
            self._take("|")
            parts += self._term()
        return parts

    def _term(self) -> list[Steps]:
        if self.peek() == "(":
            self._take("(")
            parts = self.union()
            self._take(")")
        else:
            parts = [(Child(self._name()),)]
        while self.peek() in (".", "["):
            step = self._step()
            parts = [(*part, step) for part in parts]
        if self.peek() == "as":
            self._take("as")
            cast = Cast(self._name())
            parts = [(*part, cast) for part in parts]
        return parts

    def _step(self) -> Step:
        if self.peek() == "[":
            self._take("[")
            index = self._name()
            self._take("]")
            return Nth(int(index))
        self._take(".")
        name = self._name()
        if self.peek() != "(":
            return Child(name)
        if name not in _FUNCTIONS:
            raise Inexpressible(f"{self._expression}: function {name}()")
        self._take("(")
        step = self._argument(name)
        self._take(")")
        return step

    def _argument(self, function: str) -> Step:
        if function in ("as", "ofType"):
            return Cast(self._name())
        if function == "extension":
            return Extensions(self._text())
        member = self._name()
        if member == "resolve":
            for token in ("(", ")", "is"):
                self._take(token)
            return Targets(self._name())
        if member in ("hasExtension", "extension"):
            self._take("(")
            url = self._text()
            for token in (")",) if member == "hasExtension" else (")", ".", "exists", "(", ")"):
                self._take(token)
            return Extended(url)
        self._take("=")
        return Equal(member, self._text())

    def _take(self, token: str) -> None:
        if self.peek() != token:
            raise Inexpressible(f"{self._expression}: expected {token!r}, found {self.peek()!r}")
        self._at += 1

    def _name(self) -> str:
        token = self.peek()
        if not re.fullmatch(r"\w+", token):
            raise Inexpressible(f"{self._expression}: expected a name, found {token!r}")
        self._at += 1
        return token

    def _text(self) -> str:
        token = self.peek()
        if not token.startswith("'"):
            raise Inexpressible(f"{self._expression}: expected a text, found {token!r}")
        self._at += 1
        return token[1:]


def _tokens(expression: str) -> list[str]:
    found: list[str] = []
    at = 0
    end = len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if not match:
            raise Inexpressible(f"{expression}: cannot read {expression[at:]!r}")
        name, text, symbol = match.groups()
        found.append("'" + text if text is not None else name or symbol)
        at = match.end()
    return found
