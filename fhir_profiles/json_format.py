"""Read and write FHIR JSON without losing a digit (FHIR R4 §2.6.2, RFC 8259).

Decimals are exact: a number with a point or an exponent becomes a `Decimal` that prints as the text
it was read from (`1.00`, `1e5` and `0.0000001` alike); any other number is an `int`, however long.
Stricter than RFC 8259 where a record must be: no member twice in an object, no deeper than
`max_depth`, no NUL character, no lone surrogates, no NaN. One leading UTF-8 byte order mark is
tolerated, as RFC 8259 §8.1 allows. Does not know what a resource is.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from fhir_profiles.issues import InvalidDocument, Issue
from fhir_profiles.json_faults import MAX_NUMBER_TEXT, is_number_too_large, locate

MAX_DEPTH = 64
# The most that a record may be set to take: below what Python's recursion carries.
DEEPEST = 200
# A document as deep as that, in the Bundle that it is answered in.
_OWN_DEPTH = 256
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# An odd number of backslashes makes the escape; an even one only spells it.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")


class ExactDecimal(Decimal):
    """A decimal whose own text (`1e5`) is not what `str(Decimal)` would print."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "ExactDecimal":
        """Read `text`, and remember it."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        """Return the text as it was read."""
        return self.text

    def __reduce__(self) -> tuple[type["ExactDecimal"], tuple[str]]:
        """Keep the text through pickle and copy."""
        return ExactDecimal, (self.text,)


def parse(data: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Return the JSON value in `data`; raise InvalidDocument (malformed) where it isn't one."""
    if data[:3] == _BYTE_ORDER_MARK:
        data = data[3:]
    try:
        value = _DECODER.decode(data)
        if _may_be_deeper(data, max_depth) and _is_deeper(value, max_depth):
            raise _malformed(data, max_depth)
        # Equal texts prove that no member was dropped and no number changed its text.
        if _ENCODER.encode(value) != msgspec.json.format(data, indent=-1):
            value = _parse_slowly(data)
        if b"\\u0000" in data and _NUL.search(data):
            raise _malformed(data, max_depth)
        return value
    except (ValueError, InvalidOperation, RecursionError, OverflowError):
        # msgspec's DecodeError and UnicodeDecodeError are ValueErrors.
        raise _malformed(data, max_depth) from None


def reparse(data: bytes) -> Any:
    """Return the JSON value in a document that was accepted before, under whatever limit."""
    return parse(data, max_depth=_OWN_DEPTH)


def serialise(value: Any, *, pretty: bool = False) -> bytes:
    """Return `value` as UTF-8 JSON; decimals keep their text, members keep their order."""
    encoded = _ENCODER.encode(value)
    return msgspec.json.format(encoded, indent=2) if pretty else encoded


def exact_decimal(text: str) -> Decimal:
    """Return the decimal that prints as `text`; raise ValueError when it is absurdly large."""
    if is_number_too_large(text):
        raise ValueError("number too large")
    number = Decimal(text)
    return number if str(number) == text else ExactDecimal(text)


def _may_be_deeper(data: bytes, max_depth: int) -> bool:
    if data.count(b"{") + data.count(b"[") <= max_depth:
        return False
    # Written with an indent of one, a line tells its depth; text never holds a line feed. One pass
    # in C, where counting the levels of a large Bundle costs as much as reading it.
    return b"\n" + b" " * max_depth in msgspec.json.format(data, indent=1)


def _is_deeper(value: Any, max_depth: int) -> bool:
    # Level by level, without recursion: the depth of hostile input must not become our own.
    level = [value] if type(value) is dict or type(value) is list else []
    depth = 0
    while level:
        depth += 1
        if depth > max_depth:
            return True
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
    return False


def _parse_slowly(data: bytes) -> Any:
    # Reached by escapes that we would write otherwise (`\\/`, `\\u00e9`), by -0 and by duplicates.
    return json.loads(
        data.decode(),
        parse_float=exact_decimal,
        parse_int=_exact_integer,
        object_pairs_hook=_without_duplicates,
    )


def _exact_integer(text: str) -> int | Decimal:
    if len(text) > MAX_NUMBER_TEXT:
        raise ValueError("number too large")
    return ExactDecimal(text) if text == "-0" else int(text)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _malformed(data: bytes, max_depth: int) -> InvalidDocument:
    return InvalidDocument([Issue("structure", locate(data, max_depth))], malformed=True)


def _raw_text(value: Any) -> msgspec.Raw:
    if isinstance(value, ExactDecimal):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} has no JSON form")


_DECODER = msgspec.json.Decoder(float_hook=exact_decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=_raw_text)
