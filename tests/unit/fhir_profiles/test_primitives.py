"""Each primitive type by examples of R4 §2.24.0.1, right and wrong."""

from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.primitives import CHECKS, WANTED, is_valid

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
RIGHT: dict[str, list[Any]] = {
    "base64Binary": ["aGVsbG8=", "aGVs", "aGVs\r\nbG8=", "+/==", " aGVs bG8= "],
    "boolean": [True, False],
    "canonical": ["http://example.org/a|1", "#x", "urn:uuid:1"],
    "code": ["a", "a b", "1.0", "!=", "ä"],
    "date": ["2024", "2024-02", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"],
    "dateTime": [
        "2024",
        "2024-02",
        "2024-02-29",
        "2015-02-07T13:28:17-05:00",
        "2015-02-07T13:28:17.239Z",
        "2016-12-31T23:59:60Z",
        "2015-02-07T00:00:00+14:00",
        "2015-02-07T00:00:00-14:00",
        "2015-02-07T00:00:00.123456789012Z",
    ],
    "decimal": [0, -1, 10**30, Decimal("1.00"), Decimal("1E+400"), 0.5],
    "id": ["a", "A-1.b", "x" * 64, "-", "..."],
    "instant": ["2015-02-07T13:28:17.239+02:00", "2024-02-29T00:00:00Z"],
    "integer": [0, -(2**31), 2**31 - 1],
    "markdown": ["# x\n\n* y", "a\tb"],
    "oid": ["urn:oid:1.2.3", "urn:oid:0.0"],
    "positiveInt": [1, 2**31 - 1],
    "string": ["x", " ", "a\r\n\tb", "Dr\u00a0Who", "😀", "x" * 1_048_576],
    "time": ["00:00:00", "23:59:60", "12:00:00.5"],
    "unsignedInt": [0, 2**31 - 1],
    "uri": ["a", "http://example.org/ä", "urn:oid:1"],
    "url": ["mailto:a@b.c"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "xhtml": [DIV.format("x")],
}
WRONG: dict[str, list[Any]] = {
    "base64Binary": ["", " ", "aGVsbG8", "====", "%%%2@()()", "aGV=sbG8", "é", b"aGVs", 1],
    "boolean": ["true", 1, 0, None],
    "canonical": ["", "a b", "a\nb"],
    "code": ["", " a", "a ", "a  b", "a\nb", "a\tb", 1],
    "date": [
        "2023-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-04-31",
        "1980-13-45",
        "2024-1-1",
        "0000",
        "24",
        "2024-02-29T00:00:00Z",
        "2024\n",
        " 2024",
        "\uff12\uff10\uff12\uff14",
        20240101,
        None,
    ],
    "dateTime": [
        "2015-02-07T13:28",
        "2015-02-07T13:28:17",
        "2015-02-07T24:00:00Z",
        "2015-02-07T13:28:61Z",
        "2015-02-07T13:28:17+14:01",
        "2015-02-07T13:28:17+15:00",
        "2015-02-07t13:28:17z",
        "2015-02-07 13:28:17Z",
        "2015-02-07T13:28:17.Z",
        "2015-02T13:28:17Z",
        "2023-02-29T00:00:00Z",
    ],
    "decimal": ["1.5", True, float("nan"), float("inf"), Decimal("NaN"), Decimal("1E+99999"), None],
    "id": ["", "a_b", "a b", "x" * 65, "a/b", "é", "a\n", 1],
    "instant": ["2015", "2015-02-07", "2015-02-07T13:28:17", "2015-02-07T13:28Z"],
    "integer": [2**31, -(2**31) - 1, 1.0, Decimal(1), "1", True],
    "markdown": ["", "\x00"],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1"],
    "positiveInt": [0, -1, True],
    "string": ["", "\x00", "a\x01", "\x1f", "\ud800", "x" * 1_048_577, "\n" * 1_048_577, 1, []],
    "time": ["24:00:00", "12:00", "12:00:00Z", "12:60:00"],
    "unsignedInt": [-1, False],
    "uri": ["", " ", "a b", "a\u00a0b", "a\x01", {}],
    "url": ["http://example.org/a b"],
    "uuid": [
        "c757873d-ec9a-4326-a141-556f43239520",
        "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
    ],
    "xhtml": ["", "x", "<div>x</div>", DIV.format(" ")],
}


@pytest.mark.parametrize("type_name", RIGHT)
def test_right_values(type_name: str) -> None:
    assert [value for value in RIGHT[type_name] if not is_valid(type_name, value)] == []


@pytest.mark.parametrize("type_name", WRONG)
def test_wrong_values(type_name: str) -> None:
    assert [value for value in WRONG[type_name] if is_valid(type_name, value)] == []


def test_every_primitive_type_is_here_and_explained() -> None:
    assert set(RIGHT) == set(WRONG) == set(CHECKS) == set(WANTED)


def test_another_type_is_no_primitive() -> None:
    with pytest.raises(KeyError):
        is_valid("Patient", "x")
