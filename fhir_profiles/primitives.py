"""R4 primitive types: is this JSON value a date, a code, an id? (FHIR R4 §2.24.0.1)

Stricter than the published patterns where the text is: dates must exist in the calendar, base64
must decode, numbers must fit. `is_valid` answers; `WANTED` says in words what would be right.
"""

import binascii
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from fhir_profiles.narrative import narrative_fault

MAX_STRING = 1024 * 1024
_MAX_EXPONENT = 9999
_MAX_INTEGER = 2**31 - 1

# What XML can't carry either, so that every resource can be written in both formats.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_YEAR = r"(?!0000)[0-9]{4}"
# Days that every year has; 29 February is looked up, other days are no dates.
_MONTH_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-9]))"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

_date = re.compile(rf"{_YEAR}(?:-(?:{_MONTH_DAY}|0[1-9]|1[0-2]))?").fullmatch
_date_time = re.compile(
    rf"{_YEAR}(?:-(?:{_MONTH_DAY}(?:T{_CLOCK}{_ZONE})?|0[1-9]|1[0-2]))?"
).fullmatch
_instant = re.compile(rf"{_YEAR}-{_MONTH_DAY}T{_CLOCK}{_ZONE}").fullmatch
_time = re.compile(_CLOCK).fullmatch
_code = re.compile(r"\S+(?: \S+)*").fullmatch
_oid = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+").fullmatch
_uuid = re.compile(r"urn:uuid:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").fullmatch
_space = re.compile(r"[ \t\r\n]+")


def is_valid(type_name: str, value: Any) -> bool:
    """Say whether a JSON value is a valid value of a primitive type; KeyError for other types."""
    return CHECKS[type_name](value)


def is_string(value: Any) -> bool:
    """Say whether `value` is a FHIR string: not empty, at most 1 MiB, no control characters."""
    if type(value) is not str or not value or len(value) > MAX_STRING:
        return False
    # isprintable is the cheap yes; line breaks and rare characters take the second look.
    return value.isprintable() or _CONTROL.search(value) is None


def is_uri(value: Any) -> bool:
    """Say whether `value` is a uri, url or canonical: any text without white space."""
    if type(value) is not str or not value or len(value) > MAX_STRING:
        return False
    if value.isprintable():
        return " " not in value
    return _CONTROL.search(value) is None and not any(map(str.isspace, value))


def is_id(value: Any) -> bool:
    """Say whether `value` can be the id of a resource."""
    # Three string methods are half the price of a pattern.
    return (
        type(value) is str
        and 0 < len(value) <= 64
        and value.isascii()
        and (value.replace("-", "").replace(".", "") or "0").isalnum()
    )


def is_code(value: Any) -> bool:
    """Say whether `value` is a code: words with single spaces between, none at the ends."""
    return is_string(value) and (value.isalnum() or _code(value) is not None)


def is_date(value: Any) -> bool:
    """Say whether `value` is a year, a month or a day that exists."""
    return type(value) is str and _date(value) is not None and _day_exists(value)


def is_date_time(value: Any) -> bool:
    """Say whether `value` is a date, or a date with time to the second and its zone."""
    return type(value) is str and _date_time(value) is not None and _day_exists(value)


def is_instant(value: Any) -> bool:
    """Say whether `value` is a moment: date, time to the second or finer, and zone."""
    return type(value) is str and _instant(value) is not None and _day_exists(value)


def is_time(value: Any) -> bool:
    """Say whether `value` is a time of day, seconds included, without a zone."""
    return type(value) is str and _time(value) is not None


def is_decimal(value: Any) -> bool:
    """Say whether `value` is a finite number."""
    if type(value) is int:
        return True
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value.adjusted()) <= _MAX_EXPONENT
    return type(value) is float and value - value == 0


def is_base64(value: Any) -> bool:
    """Say whether `value` is base64 that decodes; white space inside is tolerated."""
    if type(value) is not str or not value or not value.isascii():
        return False
    try:
        binascii.a2b_base64(value, strict_mode=True)
    except binascii.Error:
        return _is_spaced_base64(value)
    return True


def _is_spaced_base64(value: str) -> bool:
    # R4's pattern lets white space stand between groups of four characters.
    packed = _space.sub("", value)
    try:
        binascii.a2b_base64(packed, strict_mode=True)
    except binascii.Error:
        return False
    return bool(packed) and packed != value


def _day_exists(value: str) -> bool:
    if value[5:10] != "02-29":
        return True
    return monthrange(int(value[:4]), 2)[1] == 29


def _in_range(low: int) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        return type(value) is int and low <= value <= _MAX_INTEGER

    return check


def _is_boolean(value: Any) -> bool:
    return value is True or value is False


def _is_oid(value: Any) -> bool:
    return type(value) is str and len(value) <= MAX_STRING and _oid(value) is not None


def _is_uuid(value: Any) -> bool:
    return type(value) is str and _uuid(value) is not None


def _is_xhtml(value: Any) -> bool:
    return type(value) is str and len(value) <= MAX_STRING and not narrative_fault(value)


CHECKS: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "base64Binary": is_base64,
        "boolean": _is_boolean,
        "canonical": is_uri,
        "code": is_code,
        "date": is_date,
        "dateTime": is_date_time,
        "decimal": is_decimal,
        "id": is_id,
        "instant": is_instant,
        "integer": _in_range(-_MAX_INTEGER - 1),
        "markdown": is_string,
        "oid": _is_oid,
        "positiveInt": _in_range(1),
        "string": is_string,
        "time": is_time,
        "unsignedInt": _in_range(0),
        "uri": is_uri,
        "url": is_uri,
        "uuid": _is_uuid,
        "xhtml": _is_xhtml,
    }
)

_TEXT = "text that is not empty, has at most 1,048,576 characters and no control characters"
_URI = "a URI without white space"
_DATES = "a year, month or day that exists: 2024, 2024-02 or 2024-02-29"
WANTED: Mapping[str, str] = MappingProxyType(
    {
        "base64Binary": "base64 text with right padding",
        "boolean": "true or false without quotes",
        "canonical": _URI,
        "code": "a code: no white space at its ends, single spaces inside",
        "date": _DATES,
        "dateTime": f"{_DATES}, or with time and zone 2024-02-29T13:28:17+00:00",
        "decimal": "a number without quotes",
        "id": "1 to 64 letters, digits, '-' and '.'",
        "instant": "date, time and zone: 2024-02-29T13:28:17.239+00:00",
        "integer": "a whole number from -2147483648 to 2147483647 without quotes",
        "markdown": _TEXT,
        "oid": "an OID: urn:oid:1.2.3",
        "positiveInt": "a whole number from 1 to 2147483647 without quotes",
        "string": _TEXT,
        "time": "a time of day with seconds and no zone: 13:28:17",
        "unsignedInt": "a whole number from 0 to 2147483647 without quotes",
        "uri": _URI,
        "url": _URI,
        "uuid": "a UUID: urn:uuid: and 32 small hexadecimal digits in five groups",
        "xhtml": "one well-formed XHTML div",
    }
)
