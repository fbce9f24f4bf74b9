"""JSON Merge Patch: the table of RFC 7386 appendix A, as far as results are objects."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from ehr.errors import Invalid
from ehr.patches import merge_patch

RFC_7386 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ({"a": Decimal("1.10")}, {}, {"a": Decimal("1.10")}),
]


@pytest.mark.parametrize(("target", "patch", "expected"), RFC_7386)
def test_examples(target: Any, patch: Any, expected: Any) -> None:
    before = deepcopy((target, patch))

    assert merge_patch.apply(target, patch) == expected
    assert (target, patch) == before


@pytest.mark.parametrize("patch", [[], "x", 1, None, True])
def test_a_resource_cannot_become_something_else(patch: Any) -> None:
    with pytest.raises(Invalid):
        merge_patch.apply({"resourceType": "Patient"}, patch)
