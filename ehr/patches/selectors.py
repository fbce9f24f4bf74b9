"""Selectors of XML Patch (RFC 5261 §4.1): a small, safe part of XPath 1.0.

Steps by name or `*`, predicates by position or by equality, an attribute or a kind of node at the
end. No axes, no functions, no `//`: what remains is evaluated in time linear in the document.
Unqualified names take the default namespace of the patch document (RFC 5261 §4.2.2).
"""

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

_NAME = r"[A-Za-z_][\w.-]*"
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<literal>'[^']*'|"[^"]*")
  | (?P<number>[1-9]\d{{0,5}})
  | (?P<node>(?:text|comment|processing-instruction)\s*\(\s*\))
  | (?P<name>(?:{_NAME}:)?(?:{_NAME}|\*)|\*)
  | (?P<symbol>[/\[\]@=.])
    )""",
    re.VERBOSE | re.ASCII,
)
_DEFAULT = "default-namespace"


def select(root: etree._Element, selector: str, namespaces: Mapping[str | None, str]) -> list[Any]:
    """Return the nodes a selector finds; ValueError says why it is no selector of RFC 5261."""
    parser = _Parser(selector, namespaces)
    path = parser.selector()
    known = {prefix or _DEFAULT: uri for prefix, uri in namespaces.items()}
    found = root.getroottree().xpath(path, namespaces=known)
    return found if isinstance(found, list) else []


class _Parser:
    """Reads a selector and writes it again as an absolute XPath with every name qualified."""

    def __init__(self, selector: str, namespaces: Mapping[str | None, str]) -> None:
        if len(selector) > 2_000:
            raise ValueError("sel has more than 2000 characters")
        self.namespaces = namespaces
        self.tokens = list(_tokens(selector.strip()))
        self.at = 0

    def selector(self) -> str:
        self.accept("/")
        steps = [self.step()]
        while self.accept("/"):
            steps.append(self.last() or self.step())
        if self.at < len(self.tokens):
            raise ValueError(f"sel goes on with {self.tokens[self.at][1]!r} where it should end")
        return "/" + "/".join(steps)

    def last(self) -> str:
        """Read what only a selector's end may be; empty when it is a step."""
        kind = self.kind()
        if kind == "node":
            node = self.next().replace(" ", "")
            return node + (self.position() if self.accept("[") else "")
        if self.accept("@"):
            return "@" + self.qualified(attribute=True)
        return ""

    def step(self) -> str:
        written = self.qualified()
        while self.accept("["):
            written += self.position() if self.kind() == "number" else self.equality()
        return written

    def position(self) -> str:
        if self.kind() != "number":
            raise ValueError("a position in brackets counts from 1")
        number = self.next()
        self.expect("]")
        return f"[{number}]"

    def equality(self) -> str:
        """Read `[@a='x']`, `[.='x']`, `[child='x']`; for FHIR also `[child/@value='x']`."""
        if self.accept("."):
            left = "."
        else:
            parts = []
            while not self.accept("@"):
                parts.append(self.qualified())
                if not self.accept("/"):
                    break
            else:
                parts.append("@" + self.qualified(attribute=True))
            left = "/".join(parts)
        self.expect("=")
        if self.kind() != "literal":
            raise ValueError("a predicate compares with text in quotes")
        literal = self.next()
        self.expect("]")
        return f"[{left}={literal}]"

    def qualified(self, *, attribute: bool = False) -> str:
        if self.kind() != "name":
            found = self.tokens[self.at][1] if self.at < len(self.tokens) else "its end"
            raise ValueError(f"sel needs an element name where it has {found!r}")
        name = self.next()
        prefix, colon, _ = name.partition(":")
        if colon and prefix not in self.namespaces:
            raise ValueError(f"the prefix {prefix} is not declared in the patch document")
        # An attribute without a prefix is in no namespace; `*` needs none.
        if colon or attribute or name == "*" or None not in self.namespaces:
            return name
        return f"{_DEFAULT}:{name}"

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, symbol: str) -> bool:
        if self.at >= len(self.tokens) or self.tokens[self.at] != ("symbol", symbol):
            return False
        self.at += 1
        return True

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise ValueError(f"sel needs {symbol!r}; axes, functions and // are not supported")


def _tokens(selector: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(selector):
        match = _TOKEN.match(selector, at)
        if match is None:
            raise ValueError(f"sel cannot hold {selector[at]!r}")
        kind = match.lastgroup or ""
        found.append((kind, match.group(kind)))
        at = match.end()
    if not found:
        raise ValueError("sel is empty")
    return found
