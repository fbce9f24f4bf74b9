"""JSON documents as patches handle them: copied cheaply, and never grown without bound."""

from typing import Any

from ehr.errors import Unprocessable
from fhir_profiles.json_format import MAX_DEPTH

MAX_VALUES = 1_000_000


def clone(value: Any) -> Any:
    """Copy dicts and lists all the way down; scalars are immutable."""
    if type(value) is dict:
        return {name: clone(each) for name, each in value.items()}
    if type(value) is list:
        return [clone(each) for each in value]
    return value


def measure(value: Any, max_depth: int = MAX_DEPTH) -> int:
    """Count all values inside; refuse a document that became too large or too deep."""
    count, depth, level = 0, 0, [value]
    while level:
        count, depth = count + len(level), depth + 1
        if count > MAX_VALUES or depth > max_depth + 1:
            raise Unprocessable(
                f"The patch makes a resource of more than {MAX_VALUES} values or {max_depth} "
                "levels. Add the content in several smaller resources.",
                code="too-costly",
            )
        level = [inner for each in level for inner in _inside(each)]
    return count


def is_equal(left: Any, right: Any) -> bool:
    """Compare as RFC 6902 §4.6 says: numbers by value, true is not 1, members in any order."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_equal(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_equal, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _inside(value: Any) -> Any:
    if type(value) is dict:
        return value.values()
    return value if type(value) is list else ()
