"""Tokens: codes, identifiers, contact points, booleans, and what the modifiers make of them.

FHIR R4 §3.1.1.4.10 (token).
"""

from dataclasses import dataclass
from typing import Any

from tests.spec.oracle.elements import Element
from tests.spec.oracle.texts import split, string_matches, unescape

_TEXTS = (
    "code", "string", "markdown", "id", "uri", "url", "canonical", "oid", "uuid",
    "date", "dateTime", "instant", "time", "integer", "positiveInt", "unsignedInt",
    "System.String",
)  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A code with its system, the texts that go with it, and the types of an identifier."""

    system: str | None
    code: str | None
    texts: tuple[str, ...] = ()
    types: tuple[tuple[str | None, str | None], ...] = ()
    any_case: bool = False


def element_tokens(element: Element) -> list[Token]:
    """Return the tokens that an element holds, by the table of §3.1.1.4.10."""
    value = element.value
    if element.type == "CodeableConcept":
        text = (value["text"],) if "text" in value else ()
        tokens = [_coding(each) for each in value.get("coding", ())]
        return [*tokens, Token(None, None, text)] if text else tokens
    if element.type == "Coding":
        return [_coding(value)]
    if element.type == "Identifier":
        return [_identifier(value)]
    if element.type == "ContactPoint":
        return [Token(None, value["value"])] if "value" in value else []
    if element.type == "boolean":
        return [Token(None, "true" if value else "false")]
    # "If the underlying data type is string then the search is not case sensitive."
    return (
        [Token(None, str(value), any_case=element.type == "string")]
        if (element.type in _TEXTS)
        else []
    )


def _coding(value: dict[str, Any]) -> Token:
    display = (value["display"],) if "display" in value else ()
    return Token(value.get("system"), value.get("code"), display)


def _identifier(value: dict[str, Any]) -> Token:
    kind = value.get("type", {})
    types = tuple((each.get("system"), each.get("code")) for each in kind.get("coding", ()))
    return Token(
        value.get("system"), value.get("value"), (kind["text"],) if "text" in kind else (), types
    )


def matches(text: str, token: Token) -> bool:
    """Tell whether a token is `code`, `system|code`, `|code` or `system|`."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) == 1:
        return _same_code(parts[0], token)
    system, code = parts
    if system == "":
        return token.system is None and _same_code(code, token)
    return token.system == system and (code == "" or _same_code(code, token))


def _same_code(code: str, token: Token) -> bool:
    # R4 leaves this open: codes of systems whose case may not count. "When in doubt, servers
    # SHOULD treat tokens in a case-insensitive manner"; the record keeps to the letter.
    if token.any_case and token.code is not None:
        return token.code.casefold() == code.casefold()
    return token.code == code


def text_matches(text: str, token: Token) -> bool:
    """Tell whether `:text` finds a token: "functions as a normal string search"."""
    return any(string_matches(None, unescape(text), each) for each in token.texts)


def of_type_matches(text: str, token: Token) -> bool:
    """Tell whether `:of-type` finds an identifier: `system|code|value`."""
    system, code, value = (unescape(part) for part in split(text, "|"))
    return token.code == value and (system, code) in token.types
