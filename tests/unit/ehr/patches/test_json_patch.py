"""JSON Patch: RFC 6902's own examples, what is refused and how, and its algebra."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.errors import FhirError, Invalid, Unprocessable
from ehr.patches import json_patch

A, R, P, M, C, T = "add", "remove", "replace", "move", "copy", "test"


def _op(op: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **more}


RFC_6902 = {
    "A.2": ({"foo": ["bar", "baz"]}, [_op(A, "/foo/1", value="q")], {"foo": ["bar", "q", "baz"]}),
    "A.5": ({"baz": "q", "foo": "bar"}, [_op(P, "/baz", value="b")], {"baz": "b", "foo": "bar"}),
    "A.6": (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "g"}},
        [{"op": M, "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "g", "thud": "fred"}},
    ),
    "A.7": (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": M, "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    "A.8": (
        {"baz": "q", "foo": ["a", 2, "c"]},
        [_op(T, "/baz", value="q"), _op(T, "/foo/1", value=2)],
        {"baz": "q", "foo": ["a", 2, "c"]},
    ),
    "A.16": (
        {"foo": ["bar"]},
        [_op(A, "/foo/-", value=["abc", "def"])],
        {"foo": ["bar", ["abc", "def"]]},
    ),
    "copy": (
        {"a": {"b": [1]}},
        [{"op": C, "from": "/a", "path": "/c"}],
        {"a": {"b": [1]}, "c": {"b": [1]}},
    ),
    "root": ({"a": 1}, [_op(A, "", value={"b": 2})], {"b": 2}),
    "replace root": ({"a": 1}, [_op(P, "", value={"b": 2})], {"b": 2}),
    "empty name": ({"": 1}, [_op(T, "/", value=1), _op(R, "/")], {}),
    "numbers by value": ({"a": Decimal("1.0")}, [_op(T, "/a", value=1)], {"a": Decimal("1.0")}),
    "null": ({"a": 1}, [_op(P, "/a", value=None), _op(T, "/a", value=None)], {"a": None}),
    "members in any order": (
        {"a": {"x": 1, "y": [1, {}]}},
        [_op(T, "/a", value={"y": [1, {}], "x": 1})],
        {"a": {"x": 1, "y": [1, {}]}},
    ),
    "move onto itself": ({"a": 1}, [{"op": M, "from": "/a", "path": "/a"}], {"a": 1}),
}


@pytest.mark.parametrize(("document", "patch", "expected"), RFC_6902.values(), ids=RFC_6902.keys())
def test_operations(document: Any, patch: Any, expected: Any) -> None:
    before = deepcopy(document)

    assert json_patch.apply(document, patch) == expected
    assert document == before


MALFORMED = {
    "no array": {"op": "add"},
    "no object": ["add"],
    "no op": [{"path": "/a"}],
    "unknown op": [_op("merge", "/a")],
    "op is no text": [{"op": [], "path": "/a"}],
    "no path": [{"op": "remove"}],
    "path without slash": [_op(R, "a")],
    "bad escape": [_op(R, "/a~2")],
    "lone tilde": [_op(R, "/a~")],
    "no value": [_op(A, "/a")],
    "no from": [_op(M, "/a")],
    "move into itself": [{"op": M, "from": "/a", "path": "/a/b"}],
    "move of the root": [{"op": M, "from": "", "path": "/a"}],
    "too many": [_op(T, "", value=1)] * 10_001,
}


@pytest.mark.parametrize("patch", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_patch_is_invalid(patch: Any) -> None:
    with pytest.raises(Invalid):
        json_patch.apply({"a": {}}, patch)


UNFITTING = {
    "missing member": _op(R, "/b"),
    "missing parent": _op(A, "/b/c", value=1),
    "past the end": _op(A, "/list/3", value=1),
    "leading zero": _op(R, "/list/01"),
    "sign": _op(R, "/list/-1"),
    "dash of nothing": _op(R, "/list/-"),
    "huge index": _op(R, "/list/" + "9" * 5000),
    "other digits": _op(R, "/list/\u0661"),
    "into a string": _op(A, "/text/x", value=1),
    "true is not 1": _op(T, "/one", value=True),
    "text is not a number": _op(T, "/one", value="1"),
    "remove everything": _op(R, ""),
    "no object any more": _op(P, "", value=[1]),
    "copy from nowhere": {"op": C, "from": "/b", "path": "/c"},
}


@pytest.mark.parametrize("operation", UNFITTING.values(), ids=UNFITTING.keys())
def test_a_patch_that_does_not_fit_is_unprocessable(operation: Any) -> None:
    document = {"list": [1, 2], "text": "x", "one": 1}

    with pytest.raises(Unprocessable):
        json_patch.apply(document, [_op(T, "/one", value=1), operation])


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (_op(P, "/b", value=1), "Use `add`, which sets a member in any case"),
        (_op(P, "/b/c", value=1), "nothing at /b. Add that first"),
        (_op(A, "/b/c/d", value=1), "nothing at /b. Add that first"),
        (_op(R, "/b"), "Read the resource"),
        ({"op": "fly", "path": "/b"}, "not `fly`"),
    ],
)
def test_a_refusal_says_what_to_do(operation: Any, says: str) -> None:
    with pytest.raises((Invalid, Unprocessable), match=says):
        json_patch.apply({"a": 1}, [operation])


def test_an_error_names_operation_pointer_and_fhirpath() -> None:
    patient = {"resourceType": "Patient", "name": [{"family": "A"}]}
    patch = [_op(T, "/name/0/family", value="A"), _op(P, "/name/0/suffix", value=["x"])]

    with pytest.raises(Unprocessable, match=r"operation 1 \(replace /name/0/suffix\)") as caught:
        json_patch.apply(patient, patch)

    assert caught.value.issues[0].expression == "Patient.name[0].suffix"


def test_a_failed_test_changes_nothing_and_shows_no_content() -> None:
    patient = {"resourceType": "Patient", "birthDate": "1970-01-01"}
    patch = [_op(R, "/birthDate"), _op(T, "/resourceType", value="secret")]

    with pytest.raises(Unprocessable) as caught:
        json_patch.apply(patient, patch)

    assert patient["birthDate"] == "1970-01-01"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("count", [18, 40, 200])
def test_copies_cannot_exhaust_memory(count: int) -> None:
    patch = [{"op": C, "from": "/a", "path": f"/a/{n}"} for n in range(count)]

    with pytest.raises(Unprocessable, match=r"more than|too much"):
        json_patch.apply({"a": {"x": [1] * 100}}, patch)


def test_values_of_the_patch_are_not_shared_with_the_result() -> None:
    patch = [_op(A, "/a", value=[1]), _op(A, "/a/-", value=2)]

    first = json_patch.apply({}, patch)
    second = json_patch.apply({}, patch)

    assert first == second == {"a": [1, 2]}
    assert patch[0]["value"] == [1]


_scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/~01-", max_size=3)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab/~0", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
_documents = st.dictionaries(st.text("ab/~0", max_size=2), _values, max_size=3)
_pointers = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "~0", "~1", ""]), max_size=3).map(
    lambda names: "".join(f"/{name}" for name in names)
)
_operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from([A, R, P, M, C, T]),
        "path": _pointers,
        "from": _pointers,
        "value": _values,
    }
)


@given(_documents, st.lists(_operations, max_size=4))
def test_any_patch_applies_or_is_refused(document: Any, patch: Any) -> None:
    before = deepcopy((document, patch))

    try:
        result: Any = json_patch.apply(document, patch)
    except FhirError:
        result = {}

    assert isinstance(result, dict)
    assert (document, patch) == before


@given(_documents, st.text("ab/~0", max_size=3), _values)
def test_what_was_added_is_found_by_test_and_gone_after_remove(
    document: Any, name: str, value: Any
) -> None:
    path = "/" + name.replace("~", "~0").replace("/", "~1")
    add = [_op(A, path, value=value), _op(T, path, value=value)]

    added = json_patch.apply(document, add)
    removed = json_patch.apply(added, [_op(R, path)])

    assert added == {**document, name: value}
    assert removed == {key: each for key, each in document.items() if key != name}
