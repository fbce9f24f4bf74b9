"""The fast half's checks of primitive values: the common is certainly sound, the rest is looked at.

Every check takes the value and the list in which local references (`#x`) and element ids (`!x`) of
the resource are collected.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from fhir_profiles.definitions import Field
from fhir_profiles.primitives import CHECKS, is_uri
from fhir_profiles.validator.bindings import bound_codes

Seen = list[str]
Check = Callable[[Any, Seen], bool]


def primitive(field: Field) -> Check:
    """Return the check of a primitive element, its codes included."""
    allowed = bound_codes(field)
    if allowed is not None:
        return lambda value, _: type(value) is str and value in allowed
    if field.name == "id" and field.xml == "attribute":
        return _element_id
    return _primitive_check(field.type)


@cache
def _primitive_check(type_name: str) -> Check:
    check = CHECKS[type_name]
    if type_name in ("string", "markdown"):
        return _text
    if type_name in ("uri", "url", "canonical", "code"):
        return _word(check)
    if type_name in ("date", "dateTime", "instant"):
        return _remembered(check)
    return lambda value, _: check(value)


def _text(value: Any, _: Seen) -> bool:
    # Most texts are short and printable; the others are looked at with all care.
    if type(value) is str and value.isprintable() and 0 < len(value) < 1000:
        return True
    return CHECKS["string"](value)


def _word(check: Callable[[Any], bool]) -> Check:
    def word(value: Any, _: Seen) -> bool:
        if type(value) is str and value.isprintable() and " " not in value:
            return 0 < len(value) < 1000 or check(value)
        return check(value)

    return word


def _remembered(check: Callable[[Any], bool]) -> Check:
    # The moments of a visit stand in all its resources: 0.1 µs instead of 1.5.
    known = lru_cache(maxsize=16384)(check)

    def remembered(value: Any, _: Seen) -> bool:
        return type(value) is str and len(value) < 40 and known(value)

    return remembered


def _element_id(value: Any, seen: Seen) -> bool:
    if not is_uri(value):
        return False
    seen.append("!" + value)
    return True
