"""What must hold of the rules of elements whatever is written, and by whom."""

import json
import tarfile
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.elements import Writer, change_meets, claims, filled, judge
from auth.elements.moves import MOVES
from auth.elements.who import TYPES
from fhir_profiles.definitions import resource_types, type_definition
from fhir_profiles.facets import AUTHOR_PATHS
from fhir_profiles.owners import OWNER_PATHS
from tests.element_cases import ANN, EVERYBODY, MARY, PATIENT, PETER, SYSTEM, Resource
from tests.shared_data import shared

EXAMPLES = "hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz"
# Types with rules of their own come up more often.
RULED = sorted(TYPES | MOVES.keys() | AUTHOR_PATHS.keys() | OWNER_PATHS.keys())
WORDS = st.frozensets(st.sampled_from(["own", "mine", "registered", "need"]))
WRITERS = st.sampled_from(EVERYBODY)

_NAMES = st.sampled_from(
    [MARY, PETER, ANN, "#a", "urn:uuid:1", "Patient/", "/", "", "Organization/ward", "Nothing/1"]
)
_REFERENCES = st.builds(lambda name: {"reference": name}, _NAMES)
_STATES = st.sampled_from(
    [*sorted({state for one in MOVES.values() for state in one.steps}), "entered-in-error", "?"]
)
_CONCEPTS = st.builds(
    lambda code: {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
    st.sampled_from(["60689008", "named-lead", "break-glass-review", "social-care"]),
)
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.text(max_size=3), _NAMES, _STATES,
    _REFERENCES, _CONCEPTS,
)  # fmt: skip
_KEYS = st.sampled_from([
    "reference", "member", "individual", "authorReference", "authorString", "text", "progress",
    "detail", "code", "coding", "system", "security", "tag", "extension", "url", "actor", "party",
    "onBehalfOf", "period", "end", "role", "identifier", "value", "id", "note", "versionId",
])  # fmt: skip
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@cache
def _elements(type: str) -> tuple[str, ...]:
    return tuple(type_definition(type).fields)


@st.composite
def shapes(draw: st.DrawFn, type: str | None = None) -> Resource:
    """Draw what has the elements of a type of R4, with any JSON in them."""
    of = type or draw(st.sampled_from(RULED) | st.sampled_from(sorted(resource_types())))
    names = draw(st.lists(st.sampled_from(_elements(of)), max_size=6, unique=True))
    moves = MOVES.get(of)
    found = {name: draw(JSON) for name in names}
    if moves is not None and draw(st.booleans()):
        found[moves.element] = draw(_STATES)
    return {**found, "resourceType": of}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Resource | None, Resource | None]:
    """Draw what was and what is sent, mostly of one type and alike in part."""
    before = draw(shapes())
    after = {**before, **draw(shapes(before["resourceType"]))}
    is_one_only = draw(st.sampled_from(["made", "deleted", "other", "", "", "", ""]))
    if is_one_only == "made":
        return None, after
    if is_one_only == "deleted":
        return before, None
    return before, draw(shapes()) if is_one_only == "other" else after


@given(pairs(), WRITERS, WORDS)
def test_whatever_is_written_is_judged(
    pair: tuple[Resource | None, Resource | None], writer: Writer, words: frozenset[str]
) -> None:
    before, after = pair

    found = judge(writer, before, after, words=words)
    claimed = claims(writer, before, after, words=words)

    assert all(one.status in (403, 409, 422) and one.text.endswith(".") for one in found)
    assert len({(one.expression, one.status) for one in found}) == len(found)
    if after is not None:
        named = (after["resourceType"], "Resource")
        assert all(one.expression.partition(".")[0] in named for one in found)
        assert all(one.expression.startswith(after["resourceType"]) for one in claimed)
        filled(writer, before, after)
    else:
        assert (found, claimed) == ((), ())
    for word in ("proposed", "error", "comment", "contact"):
        change_meets(word, writer, before, after)


@given(JSON, JSON, WRITERS)
def test_what_is_no_resource_is_nobodys_fault(before: Any, after: Any, writer: Writer) -> None:
    judge(writer, before, after)
    claims(writer, before, after)
    filled(writer, before, after)


@given(shapes(), WRITERS, WORDS)
def test_what_does_not_change_has_no_fault(
    resource: Resource, writer: Writer, words: frozenset[str]
) -> None:
    meta = resource.get("meta")
    later = {**(meta if isinstance(meta, dict) else {}), "versionId": "2", "lastUpdated": "x"}

    assert judge(writer, resource, dict(resource), words=words) == ()
    assert claims(writer, resource, dict(resource), words=words) == ()
    if meta is None or isinstance(meta, dict):
        assert judge(writer, resource, {**resource, "meta": later}, words=words) == ()


@given(shapes(), WRITERS)
def test_what_is_filled_in_stays_and_takes_nothing_away(resource: Resource, writer: Writer) -> None:
    found = filled(writer, None, resource)

    assert filled(writer, None, found) == found
    assert found.keys() >= resource.keys()
    of_notes = {"note", "activity", "reaction", "condition", "lensSpecification"}
    of_authors = set(AUTHOR_PATHS.get(resource["resourceType"], ()))
    assert {key for key in found if found[key] != resource.get(key)} <= of_notes | of_authors


@given(pairs(), WORDS)
def test_a_system_is_held_to_whose_it_is_and_to_moves(
    pair: tuple[Resource | None, Resource | None], words: frozenset[str]
) -> None:
    before, after = pair

    found = judge(SYSTEM, before, after, words=words)

    assert all(one.status in (409, 422) for one in found)
    assert not found or before is not None


@given(pairs(), WRITERS)
def test_to_know_more_of_the_row_takes_no_right_away(
    pair: tuple[Resource | None, Resource | None], writer: Writer
) -> None:
    before, after = pair
    every = frozenset({"own", "mine", "registered"})

    with_all = {(one.expression, one.status) for one in judge(writer, before, after, words=every)}

    assert with_all <= {(one.expression, one.status) for one in judge(writer, before, after)}


@cache
def _examples() -> tuple[Resource, ...]:
    return tuple(_read())


def _read() -> Iterator[Resource]:
    with tarfile.open(shared(EXAMPLES)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            content = json.loads(file.read()) if file is not None else None
            if isinstance(content, dict) and content.get("resourceType") in resource_types():
                yield content


def test_a_harmless_update_of_a_system_is_no_fault() -> None:
    examples = _examples()
    for one in examples:
        sent = {**one, "language": "cy", "note": [{"text": "Seen", "authorString": "A. Nother"}]}
        assert judge(SYSTEM, one, sent) == ()
        assert judge(SYSTEM, None, one) == ()

    assert len(examples) > 400
    assert {one["resourceType"] for one in examples} >= TYPES | MOVES.keys()


def test_people_make_what_examples_say_once_authors_and_labels_are_theirs() -> None:
    refused = set()
    for one in _examples():
        paths = {path.partition(".")[0] for path in AUTHOR_PATHS.get(one["resourceType"], ())}
        bare = {key: value for key, value in one.items() if key not in {*paths, "note", "meta"}}
        found = judge(PATIENT, None, filled(PATIENT, None, bare))
        refused |= {(fault.expression, fault.status) for fault in found}

    # In these a patient would let staff in, or begin what others have to do.
    assert refused == {
        ("CareTeam.participant[0]", 403), ("CareTeam.participant[1]", 403),
        ("Encounter.participant[0]", 403), ("Encounter.serviceProvider", 403),
        ("Task.status", 403),
    }  # fmt: skip


@pytest.mark.parametrize("writer", EVERYBODY, ids=lambda one: one.role)
def test_each_example_may_be_sent_again_by_anybody(writer: Writer) -> None:
    for one in _examples():
        again = json.loads(json.dumps(one))
        assert judge(writer, one, again) == ()
        assert filled(writer, one, again) is again
