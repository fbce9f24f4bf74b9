"""Exact decimals out and in again, and a helpful no to everything that is not FHIR JSON."""

import copy
import json
import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.issues import InvalidDocument
from fhir_profiles.json_format import ExactDecimal, parse, serialise

NUMBERS = [
    "1.00",
    "1e5",
    "1E5",
    "1E+5",
    "1e400",
    "-0",
    "-0.0",
    "0.0000001",
    "12345678901234567890",
    "0.12345678901234567890",
    "123456789012345678901234567890",
]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_keeps_its_text(text: str) -> None:
    value = parse(f'{{"value":{text}}}'.encode())

    assert serialise(value) == f'{{"value":{text}}}'.encode()
    assert value["value"] == Decimal(text)


def test_whole_numbers_are_int_and_others_decimal() -> None:
    assert type(parse(b"[5]")[0]) is int
    assert isinstance(parse(b"[5.0]")[0], Decimal)


def test_an_exact_decimal_keeps_its_text_when_copied() -> None:
    number = ExactDecimal("1e5")

    assert str(pickle.loads(pickle.dumps(number))) == "1e5"
    assert str(copy.deepcopy([number])[0]) == "1e5"
    assert number == 100000


def test_escapes_are_read_and_order_is_kept() -> None:
    value = parse(rb'{"b":"caf\u00e9 \/ \ud83d\ude00 \\u0000","a":1.50}')

    assert list(value) == ["b", "a"]
    assert value["b"] == "café / 😀 \\u0000"
    assert serialise(value) == '{"b":"café / 😀 \\\\u0000","a":1.50}'.encode()


def test_pretty_prints_with_two_spaces_and_exact_numbers() -> None:
    assert serialise(parse(b'{"a":[1.0]}'), pretty=True) == b'{\n  "a": [\n    1.0\n  ]\n}'


def test_one_byte_order_mark_is_tolerated() -> None:
    assert parse(b"\xef\xbb\xbf{}") == {}


def test_depth_is_counted_by_brackets() -> None:
    assert parse(b"[" * 64 + b"]" * 64)
    with pytest.raises(InvalidDocument, match=r"column 65: .*deeper than 64"):
        parse(b"[" * 65 + b"]" * 65)
    with pytest.raises(InvalidDocument, match="deeper than 2"):
        parse(b'{"a":{"b":{}}}', max_depth=2)
    assert parse(b"[" + b"{}," * 100 + b"{}]")


REFUSED = {
    "empty": (b"", "line 1, column 1.*empty"),
    "blank": (b" \n", "empty"),
    "no JSON at all": (b"hello", "Expected a value but found 'h'"),
    "XML": (b"\n <Patient/>", "looks like XML"),
    "cut off": (b'{"a": 1', "ends where ',' or the closing bracket"),
    "cut off in a string": (b'{"a": "x', "inside a string"),
    "wrong bracket": (b'{"a":[1}', "line 1, column 8"),
    "trailing comma in an array": (b"[1,]", "column 4.*Remove the comma"),
    "trailing comma in an object": (b'{"a":1,}', "column 8.*Remove the comma"),
    "trailing data": (b"{} {}", "column 4: Expected the end"),
    "trailing NUL": (b"{}\x00", r"U\+0000"),
    "comment": (b'{"a":1} // x', "no comments"),
    "single quotes": (b"{'a':1}", "double quotes"),
    "twice": (b'{"a":1,\n "a":1}', "line 2, column 2: The member 'a' stands twice"),
    "twice, spelt otherwise": (b'{"a":1,"\\u0061":2}', "stands twice"),
    "twice, deep inside": (b'[{"b":{"c":1.0,"c":1.0}}]', "'c' stands twice"),
    "NaN": (b'{"a":NaN}', "NaN is not JSON"),
    "Infinity": (b"[Infinity]", "Infinity is not JSON"),
    "minus Infinity": (b"[-Infinity]", "not a JSON number"),
    "leading zero": (b"[01]", "not a JSON number"),
    "leading plus": (b"[+1]", "not a JSON number"),
    "bare point": (b"[1.]", "not a JSON number"),
    "True": (b"[True]", "small letters"),
    "huge exponent": (b"[1e99999999999]", "too large"),
    "huge exponent after an escape": (b'["\\/",1e99999999999]', "too large"),
    "5,000 digits": (b"[" + b"9" * 5000 + b"]", "too large"),
    "UTF-8 cut": (b'{"a":"\xc3"}', "line 1, column 7.*not UTF-8"),
    "UTF-8 surrogate": (b'"\xed\xa0\x80"', "not UTF-8"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "not UTF-8"),
    "raw control character": (b'{"a":"x\x01"}', "control character"),
    "raw line break": (b'{"a":"x\n"}', "control character"),
    "NUL": (b'{"a":"\\u0000"}', "column 7: The NUL"),
    "NUL after a backslash": (b'{"a":"\\\\\\u0000"}', "The NUL"),
    "lone high surrogate": (b'"\\ud800"', "surrogate"),
    "lone low surrogate": (b'"x\\udc00"', "column 3: .*surrogate"),
    "unknown escape": (b'"\\x41"', "escape"),
    "100,000 brackets": (b"[" * 100_000, "deeper than 64"),
    "100,000 objects": (b'{"a":' * 100_000, "deeper than 64"),
    "name without quotes": (b"{a:1}", "member name"),
    "colon missing": (b'{"a" 1}', "Expected ':'"),
}


@pytest.mark.parametrize(("document", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses_with_place_and_reason(document: bytes, sentence: str) -> None:
    with pytest.raises(InvalidDocument, match=sentence) as refused:
        parse(document)

    assert refused.value.malformed
    assert "line " in refused.value.issues[0].diagnostics


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = parse(data)
    except InvalidDocument:
        return

    assert parse(serialise(value)) == value


_TOKENS = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"a"', '"b"', "1", "1.0", "-0", "1e3", "true", "null", " "]
)


@given(st.lists(_TOKENS, max_size=14))
def test_agrees_with_the_standard_library(tokens: list[str]) -> None:
    text = "".join(tokens)
    try:
        value = parse(text.encode())
    except InvalidDocument as refused:
        sentence = refused.issues[0].diagnostics
        assert "can't be taken" not in sentence  # every refusal has its own reason
        if "twice" not in sentence and "too large" not in sentence:  # which only we refuse
            with pytest.raises(json.JSONDecodeError):
                json.loads(text)
    else:
        assert value == json.loads(text, parse_float=Decimal)
        assert serialise(value).decode() == text.replace(" ", "")


# Half a surrogate pair is no character: such an escape is refused.
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, st.booleans())
def test_reads_what_others_write(value: object, is_ascii: bool) -> None:
    data = json.dumps(value, ensure_ascii=is_ascii).encode()

    assert parse(data) == value
