"""The words about changes: as the second reading of the policy has them, whatever is written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.elements import Writer, change_meets
from auth.roles.narrowings import CHANGE, NARROWINGS
from tests.element_cases import ANN, MARY, PATIENT, Resource, mary, of_mary, ref, said
from tests.policy.naive.changes import CHANGES, Change
from tests.policy.naive.vocabulary import AGREEMENT

WORDS = ("proposed", "error", "comment", "contact")


def _meets(word: str, before: Resource | None, after: Resource) -> bool:
    found = change_meets(word, PATIENT, before, after)
    assert found is CHANGES[word](Change(before, after, MARY))
    return found


def test_the_words_are_those_of_the_table_but_for_auto() -> None:
    assert {one.word for one in NARROWINGS if one.kind == CHANGE} == {*WORDS, "auto"}
    with pytest.raises(KeyError):
        change_meets("auto", PATIENT, None, of_mary("Provenance"))


def test_a_deletion_meets_no_word() -> None:
    for word in WORDS:
        assert not change_meets(word, PATIENT, of_mary("Goal"), None)


PLAN = of_mary("CarePlan", note=[said("Old", ANN)], activity=[{"progress": [said("Old", ANN)]}])
AGREED = [{"url": AGREEMENT, "valueCode": "agreed"}]


@pytest.mark.parametrize(
    ("word", "before", "after", "is_met"),
    [
        ("proposed", None, of_mary("Goal", lifecycleStatus="proposed"), True),
        ("proposed", None, of_mary("Goal", lifecycleStatus="active"), False),
        ("error", of_mary("Observation", status="final"),
         of_mary("Observation", status="entered-in-error"), True),
        ("error", of_mary("Observation", status="final"),
         of_mary("Observation", status="entered-in-error", issued="2025"), False),
        ("error", None, of_mary("Observation", status="entered-in-error"), False),
        ("contact", mary(), mary(telecom=[], photo=[]), True),
        ("contact", mary(), mary(telecom=[], gender="male"), False),
        ("contact", mary(meta={"versionId": "1"}), mary(address=[]), True),
        ("contact", None, mary(), False),
        ("comment", PLAN, {**PLAN, "note": [*PLAN["note"], said("New", MARY)]}, True),
        ("comment", PLAN, {**PLAN, "note": [*PLAN["note"], said("New")]}, False),
        ("comment", PLAN, {**PLAN, "note": [*PLAN["note"], said("New", ANN)]}, False),
        ("comment", PLAN, {**PLAN, "note": [said("New", MARY), *PLAN["note"]]}, False),
        ("comment", PLAN, {**PLAN, "activity": []}, False),
        ("comment", PLAN, {**PLAN, "extension": AGREED}, True),
        ("comment", PLAN, {**PLAN, "extension": [{"url": "urn:x", "valueCode": "a"}]}, False),
        ("comment", PLAN, {**PLAN, "title": "New"}, False),
        ("comment", None, PLAN, False),
    ],
)  # fmt: skip
def test_a_change_meets_a_word_or_not(
    word: str, before: Resource | None, after: Resource, is_met: bool
) -> None:
    assert _meets(word, before, after) is is_met


def test_an_address_of_this_server_names_the_writer() -> None:
    after = {**PLAN, "note": [*PLAN["note"], said("New", f"https://ehr.example/{MARY}")]}

    assert change_meets("comment", PATIENT, PLAN, after, bases=("https://ehr.example",))
    assert not change_meets("comment", PATIENT, PLAN, after)


ENTRIES = st.lists(
    st.builds(said, st.sampled_from(["a", "b"]), st.sampled_from([MARY, ANN, None])), max_size=2
)
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={"progress": ENTRIES, "reference": st.just(ref("Task/1"))}),
    max_size=2,
)
EXTENSIONS = st.lists(
    st.builds(lambda url: {"url": url, "valueCode": "a"}, st.sampled_from([AGREEMENT, "urn:x"])),
    max_size=2,
)
META = st.fixed_dictionaries(
    {}, optional={"versionId": st.sampled_from(["1", "2"]),
                  "lastUpdated": st.just("2025-01-01T00:00:00Z"),
                  "tag": st.just([{"code": "patient-reported"}])},
)  # fmt: skip
OPTIONAL: dict[str, Any] = {
    "meta": META, "note": ENTRIES, "activity": ROWS, "extension": EXTENSIONS,
    "status": st.sampled_from(["final", "entered-in-error"]),
    "lifecycleStatus": st.sampled_from(["proposed", "active"]),
    "telecom": st.just([{"value": "1"}]), "photo": st.just([{"url": "Binary/1"}]),
    "title": st.sampled_from(["a", "b"]),
}  # fmt: skip
RESOURCES = st.fixed_dictionaries({"resourceType": st.just("CarePlan")}, optional=OPTIONAL)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Resource | None, Resource]:
    """Draw what was and what is sent, mostly alike but for an element or two."""
    before = draw(st.none() | RESOURCES)
    if before is None:
        return None, draw(RESOURCES)
    after = dict(before)
    for element in draw(st.lists(st.sampled_from(sorted(OPTIONAL)), max_size=2, unique=True)):
        after[element] = draw(OPTIONAL[element])
    if draw(st.booleans()):
        after["note"] = [*before.get("note", []), *draw(ENTRIES)]
    return before, after


@given(pairs(), st.sampled_from(WORDS), st.sampled_from([MARY, ANN, None]))
def test_both_readings_of_a_word_agree(
    pair: tuple[Resource | None, Resource], word: str, person: str | None
) -> None:
    before, after = pair
    writer = Writer("patient", "patient", frozenset(filter(None, (person,))), person, None)

    assert change_meets(word, writer, before, after) is CHANGES[word](Change(before, after, person))
