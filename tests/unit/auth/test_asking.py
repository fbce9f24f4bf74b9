"""What a consent page offers for scopes, and what ticked boxes grant of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth import scopes
from auth.asking.choices import granted, offers, sentence, staying
from auth.asking.kinds import CATEGORIES, WORDS
from auth.grants.issuing import ACCESS_LIFE, REFRESH_LIFE
from fhir_profiles.definitions import is_resource_type

LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
PROBLEM = "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"
SURVEY = "http://terminology.hl7.org/CodeSystem/observation-category|survey"
ASKED = [
    "patient/*.rs",
    "patient/*.cruds",
    "patient/Observation.rs",
    "patient/Observation.read",
    "patient/Condition.cruds",
    "patient/Condition.r",
    "patient/Condition.s",
    f"patient/Condition.rs?category={PROBLEM}",
    "user/Patient.rs",
    "user/*.read",
    "user/MedicationRequest.write",
    "patient/Goal.cu",
]


def _values(asked: str) -> list[str]:
    found = offers(scopes.parse(asked))
    return [each.value for offer in found for each in (offer, *offer.narrower)]


def _tops(asked: str) -> list[str]:
    return [offer.value for offer in offers(scopes.parse(asked))]


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("patient/AllergyIntolerance.rs", "See allergies and bad reactions"),
        ("patient/Goal.cu", "Add and change goals"),
        ("patient/Task.cud", "Add, change and delete tasks"),
        ("user/*.rs", "See everything"),
        ("patient/Basic.s", "See entries of the kind “basic”"),
        ("patient/SupplyRequest.r", "See entries of the kind “supply request”"),
        (f"patient/Observation.rs?category={LABORATORY}", "See laboratory test results"),
        (
            f"patient/Condition.rs?category={PROBLEM},{PROBLEM.replace('problem-list-item', 'x')}",
            "See health conditions, diagnoses and concerns, only where category is "
            "problem-list-item or x",
        ),
        (
            f"patient/Observation.rs?category={LABORATORY},{SURVEY}",
            "See laboratory test results and scores and answers of questionnaires",
        ),
        (
            "patient/Goal.rs?lifecycle-status=http://x|active",
            "See goals, only where lifecycle-status is active",
        ),
    ],
)
def test_a_scope_is_said_in_plain_words(scope: str, said: str) -> None:
    one = scopes.parse_one(scope)

    assert one is not None
    assert sentence(one) == said


def test_kinds_are_types_of_r4() -> None:
    assert [type for type in WORDS if not is_resource_type(type)] == []
    assert set(CATEGORIES) <= set(WORDS)


def test_seeing_and_changing_are_two_boxes() -> None:
    assert _tops("patient/Goal.cruds") == ["patient/Goal.rs", "patient/Goal.cud"]


def test_what_is_asked_twice_is_one_box() -> None:
    assert _tops("patient/Goal.r patient/Goal.s patient/Goal.read") == ["patient/Goal.rs"]


def test_all_boxes_grant_what_was_asked_as_it_was_written() -> None:
    asked = "openid launch/patient offline_access patient/Goal.read patient/Task.cruds"

    done = granted(scopes.parse(asked), {*_tops(asked), "offline_access"})

    assert str(done) == asked


def test_a_box_that_is_not_ticked_is_not_granted() -> None:
    asked = "openid patient/Goal.rs patient/Task.cruds offline_access"

    assert str(granted(scopes.parse(asked), {"patient/Task.rs"})) == "openid patient/Task.rs"


def test_a_kind_in_place_of_all_leaves_no_scope_for_all() -> None:
    """SMART (g)(10) 9.15: a choice of categories where a whole type was asked for."""
    asked = scopes.parse("patient/Condition.rs patient/Observation.rs patient/Patient.rs")
    problems = f"patient/Condition.rs?category={PROBLEM}"
    results = f"patient/Observation.rs?category={LABORATORY}"

    done = granted(asked, {problems, results, "patient/Patient.rs"})

    assert {str(one) for one in done.resources} == {problems, results, "patient/Patient.rs"}
    assert asked.covers(done)
    assert not done.covers(scopes.parse("patient/Condition.rs"))


@pytest.mark.parametrize("wide", ["patient/Condition.rs", "patient/*.rs"])
def test_a_kind_that_is_ticked_counts_where_all_are_ticked_as_well(wide: str) -> None:
    """Who opened "only some of these" and ticked some means those."""
    problems = f"patient/Condition.rs?category={PROBLEM}"

    done = granted(scopes.parse(wide), {wide, problems})

    assert str(done) == problems


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("patient/*.rs patient/Goal.rs patient/Goal.s", ["patient/*.rs"]),
        ("patient/*.r patient/Goal.rs", ["patient/*.r", "patient/Goal.rs"]),
        ("patient/*.rs user/Goal.rs", ["patient/*.rs", "user/Goal.rs"]),
        ("patient/*.rs patient/Goal.cruds", ["patient/*.rs", "patient/Goal.cud"]),
        (
            f"patient/Condition.rs patient/Condition.rs?category={PROBLEM}",
            ["patient/Condition.rs"],
        ),
    ],
)
def test_what_lies_within_another_box_has_none_of_its_own(asked: str, shown: list[str]) -> None:
    """One left unticked beside the wider one would say what is not so."""
    assert _tops(asked) == shown
    assert str(granted(scopes.parse(asked), shown)) == asked


@given(st.sets(st.sampled_from(ASKED), min_size=1))
def test_no_two_boxes_are_the_same(asked: set[str]) -> None:
    values = _values(" ".join(sorted(asked)))

    assert len(values) == len(set(values))


def test_everything_can_be_narrowed_to_kinds() -> None:
    asked = scopes.parse("patient/*.rs")
    problems = f"patient/Condition.rs?category={PROBLEM}"

    done = granted(asked, {"patient/Goal.rs", problems})

    assert {str(one) for one in done.resources} == {"patient/Goal.rs", problems}


@pytest.mark.parametrize(
    "forged", ["patient/*.cruds", "user/Goal.rs", "system/*.rs", "patient/Goal.d", "admin", ""]
)
def test_t08_a_box_that_was_not_offered_grants_nothing(forged: str) -> None:
    assert not granted(scopes.parse("patient/Goal.rs"), {forged})


@given(st.sets(st.sampled_from(ASKED)), st.data())
def test_t08_no_boxes_grant_more_than_was_asked(asked: set[str], data: st.DataObject) -> None:
    wanted = scopes.parse(" ".join(sorted(asked)))
    values = _values(" ".join(sorted(asked)))
    ticked = data.draw(st.sets(st.sampled_from(values))) if values else set()

    done = granted(wanted, ticked)

    assert wanted.covers(done)
    assert granted(wanted, _tops(" ".join(sorted(asked)))).covers(wanted)


def test_staying_is_asked_where_the_app_asks_for_it() -> None:
    assert staying(scopes.parse("openid")) is None
    for word in ("offline_access", "online_access"):
        offer = staying(scopes.parse(word))
        assert offer is not None
        assert offer.value == word


def test_only_whole_conditions_and_observations_have_categories() -> None:
    (whole,) = offers(scopes.parse("patient/Condition.rs"))
    (part,) = offers(scopes.parse(f"patient/Condition.rs?category={PROBLEM} openid"))

    assert whole.narrower
    assert not part.narrower


def test_how_long_is_told_as_it_is() -> None:
    """The page says one hour, and six months without use."""
    assert ACCESS_LIFE == 3_600_000
    assert REFRESH_LIFE["offline"] == 180 * 86_400_000


def test_kinds_that_people_know_come_first_and_no_lists() -> None:
    (everything,) = offers(scopes.parse("patient/*.rs"))
    kinds = [each.scope.type for each in everything.narrower if each.scope is not None]

    assert list(dict.fromkeys(kinds))[:6] == [
        "Patient",
        "Condition",
        "Observation",
        "MedicationRequest",
        "MedicationStatement",
        "AllergyIntolerance",
    ]
    assert not {"Group", "List", "AuditEvent"} & set(kinds)
    # Who is asked for them alone is asked.
    assert _tops("patient/List.rs patient/AuditEvent.rs") == [
        "patient/AuditEvent.rs",
        "patient/List.rs",
    ]
