"""FHIRPath text → tokens (FHIRPath N1 §13 "Formal specifications", lexical part)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import FhirPathSyntaxError


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `kind` is a group name of the pattern below, or "end"."""

    kind: str
    text: str
    at: int


def tokens(expression: str) -> Iterator[Token]:
    """Yield the tokens of the text, without white space and comments, closed by "end"."""
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise FhirPathSyntaxError(_unreadable(expression, at), at, expression)
        kind = match.lastgroup or ""
        if kind != "space":
            yield Token(kind, match.group(), at)
        at = match.end()
    yield Token("end", "", len(expression))


def unquote(token: Token, expression: str) -> str:
    """Return the text inside quotes or back-ticks, with its escapes resolved."""

    def resolve(match: re.Match[str]) -> str:
        escape = match.group(1)
        if escape[0] == "u" and len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape in _ESCAPES:
            return _ESCAPES[escape]
        at = token.at + 1 + match.start()
        raise FhirPathSyntaxError(f"Unknown escape \\{escape}", at, expression)

    return _ESCAPE.sub(resolve, token.text[1:-1])


def _unreadable(expression: str, at: int) -> str:
    if expression[at] in "'`":
        return f"This {expression[at]} is never closed"
    return f"Unexpected character {expression[at]!r}"


_DAY = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_TIME = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+|//[^\r\n]*|/\*[\s\S]*?\*/)
  | (?P<temporal>@(?:T{_TIME}|{_DAY}(?:T(?:{_TIME}(?:Z|[+-]\d{{2}}:\d{{2}})?)?)?))
  | (?P<number>[0-9]+(?:\.[0-9]+)?)
  | (?P<string>'[^'\\]*(?:\\[\s\S][^'\\]*)*')
  | (?P<quoted>`[^`\\]*(?:\\[\s\S][^`\\]*)*`)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<special>\$(?:this|index|total)\b)
  | (?P<symbol><=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{{}}%])
    """,
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|[\s\S])")
_ESCAPES = {
    "'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/",
    "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
