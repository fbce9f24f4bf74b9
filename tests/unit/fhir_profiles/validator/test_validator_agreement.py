"""The two halves of the validator against each other, on examples broken at random.

What the accept path takes the walker must find sound; neither may ever raise.
"""

import json
import tarfile
from copy import deepcopy
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles.json_format import parse
from fhir_profiles.validator.accept import accepts
from fhir_profiles.validator.walk import walk_resource
from tests.shared_data import shared

EXAMPLES = "hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz"
POOL: list[Any] = [
    None, "", " ", "x", "a b", "#", "#x", "Patient/1", "2024-02-30", "urn:uuid:1", True, 0, -1,
    2**40, Decimal("1.0"), [], {}, [None], [[]], ["x"], [{}], {"id": "x"}, {"reference": "#x"},
    {"extension": [{"url": "urn:x", "valueString": "x"}]},
    [{"url": "urn:x", "valueCode": "x"}],
    {"resourceType": "Basic", "id": "x"}, [{"resourceType": "Practitioner", "id": "x"}],
]  # fmt: skip
NAMES = [
    "id", "_id", "extension", "contained", "value", "valueString", "_valueString", "valueCode",
    "status", "_status", "text", "type", "reference", "resourceType", "unknown", "url", "language",
    "_language", "coding", "given", "_given", "period", "start", "end", "dataAbsentReason",
]  # fmt: skip


@cache
def _examples() -> list[bytes]:
    with tarfile.open(shared(EXAMPLES)) as archive:
        members = [one for one in archive if one.name.endswith(".json") and one.size < 12_000]
        contents = [archive.extractfile(one) for one in members if "/" in one.name]
        documents = [content.read() for content in contents if content is not None]
    return [one for one in documents if accepts(parse(one))]


def _places(value: Any) -> list[tuple[Any, Any]]:
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        parent = waiting.pop()
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        places.extend((parent, key) for key in keys)
        waiting.extend(parent[key] for key in keys if isinstance(parent[key], dict | list))
    return places


def _break(resource: dict[str, Any], data: st.DataObject) -> None:
    places = _places(resource)
    parent, key = places[data.draw(st.integers(0, len(places) - 1))]
    way = data.draw(st.sampled_from(["drop", "put", "add", "wrap", "rename", "copy"]))
    if way == "drop":
        del parent[key]
    elif way == "put":
        parent[key] = deepcopy(data.draw(st.sampled_from(POOL)))
    elif way == "wrap":
        parent[key] = [parent[key]]
    elif isinstance(parent, dict) and way == "add":
        parent[data.draw(st.sampled_from(NAMES))] = deepcopy(data.draw(st.sampled_from(POOL)))
    elif isinstance(parent, dict) and way == "rename":
        parent[data.draw(st.sampled_from([*NAMES, "_" + key]))] = parent.pop(key)
    else:
        other, place = places[data.draw(st.integers(0, len(places) - 1))]
        parent[key] = deepcopy(other[place])


@given(st.data())
@settings(max_examples=max(300, settings().max_examples))  # cheap, but never fewer than asked for
def test_what_is_accepted_has_no_issue(data: st.DataObject) -> None:
    examples = _examples()
    resource = parse(examples[data.draw(st.integers(0, len(examples) - 1))])
    for _ in range(data.draw(st.integers(1, 3))):
        if _places(resource):
            _break(resource, data)

    issues = walk_resource(resource)

    if accepts(resource):
        assert issues == [], json.dumps(resource, default=str)


@given(
    st.recursive(
        st.sampled_from(POOL),
        lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
        max_leaves=10,
    )
)
def test_anything_gets_a_verdict(value: Any) -> None:
    walk_resource(value)
    accepts(value)
