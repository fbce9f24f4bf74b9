"""SMART scopes: what the grammar takes, and an algebra that never gives more than was held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.scopes import LETTERS, ResourceScope, Scopes, parse, parse_one, union

TYPES = ("Patient", "Observation", "Condition", "*")
FILTERS = (
    (),
    (("category", "a|lab"),),
    (("category", "a|vital"),),
    (("category", "a|lab"), ("status", "final")),
    (("category", "a|lab,a|vital"),),
    (("category", "a|vital,a|lab"), ("status", "final,amended")),
    (("category", "a\\,b"),),
    (("category", "a\\"),),
)


@st.composite
def one_scope(draw: st.DrawFn) -> ResourceScope:
    context = draw(st.sampled_from(("patient", "user", "system")))
    letters = "".join(each for each in LETTERS if draw(st.booleans())) or "r"
    return ResourceScope(
        context, draw(st.sampled_from(TYPES)), letters, draw(st.sampled_from(FILTERS))
    )


some = st.builds(
    Scopes,
    st.lists(one_scope(), max_size=6).map(tuple),
    st.lists(st.sampled_from(("openid", "fhirUser", "offline_access")), unique=True).map(tuple),
)


def permits(scopes: Scopes, context: str, type: str, letter: str, facts: frozenset[object]) -> bool:
    """Tell by the text of SMART whether a resource of which `facts` hold may be acted on."""
    return any(
        one.context == context
        and one.type in ("*", type)
        and letter in one.letters
        and all(any((name, each) in facts for each in _values(value)) for name, value in one.filter)
        for one in scopes.resources
    )


def _values(text: str) -> list[str]:
    """Return the values that are parted by commas; a comma behind a backslash parts nothing."""
    return [each.replace("\0", "\\,") for each in text.replace("\\,", "\0").split(",")]


ACTS = st.tuples(
    st.sampled_from(("patient", "user", "system")),
    st.sampled_from(("Patient", "Observation", "Condition")),
    st.sampled_from(LETTERS),
    st.frozensets(
        st.sampled_from(
            [(n, one) for each in FILTERS for n, value in each for one in _values(value)]
        )
    ),
)


@pytest.mark.parametrize(
    ("text", "context", "type", "letters"),
    [
        ("patient/Observation.rs", "patient", "Observation", "rs"),
        ("user/*.cruds", "user", "*", "cruds"),
        ("system/Patient.r", "system", "Patient", "r"),
        ("patient/Observation.read", "patient", "Observation", "rs"),
        ("patient/Observation.write", "patient", "Observation", "cud"),
        ("user/*.*", "user", "*", "cruds"),
    ],
)
def test_a_scope_is_read(text: str, context: str, type: str, letters: str) -> None:
    one = parse_one(text)

    assert one == ResourceScope(context, type, letters)
    assert str(one) == text


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation.dus",
        "patient/Observation.rr",
        "patient/Observation.",
        "patient/Observation",
        "patient/Nothing.rs",
        "patient/Element.rs",
        "patient/observation.rs",
        "clinic/Observation.rs",
        "patient/Observation.rs?",
        "patient/Observation.rs?category",
        "patient/Observation.rs?category=",
        "patient/Observation.read?category=a",
        "patient/*.rs\n",
        "/Observation.rs",
        "patient//Observation.rs",
        "openid2",
    ],
)
def test_what_is_no_scope_is_kept_apart(text: str) -> None:
    assert parse_one(text) is None
    assert parse(text).resources == ()


def test_filters_are_compared_whatever_their_order_and_spelling() -> None:
    first = parse_one("patient/Observation.rs?status=final&category=http%3A%2F%2Fa%7Clab")
    second = parse_one("patient/Observation.rs?category=http://a|lab&status=final")

    assert first == second


def test_what_was_asked_is_written_back() -> None:
    text = "openid launch/patient patient/Observation.read patient/*.rs?category=a"

    assert str(parse(text)) == text


def test_too_many_scopes_are_refused() -> None:
    with pytest.raises(ValueError, match="More than 500"):
        parse("openid " * 501)


@given(some)
def test_what_is_written_is_read_again(scopes: Scopes) -> None:
    again = parse(str(scopes))

    assert set(again.resources) == set(scopes.resources)
    assert again.words == scopes.words
    assert not again.unknown


@given(some, some, ACTS)
def test_within_permits_what_both_permit(
    asked: Scopes, limit: Scopes, act: tuple[str, str, str, frozenset[object]]
) -> None:
    both = permits(asked, *act) and permits(limit, *act)

    assert permits(asked.within(limit), *act) == both


@given(some, some, ACTS)
def test_union_permits_what_either_permits(
    one: Scopes, other: Scopes, act: tuple[str, str, str, frozenset[object]]
) -> None:
    assert permits(union(one, other), *act) == (permits(one, *act) or permits(other, *act))


@given(some, some, ACTS)
def test_what_is_covered_permits_nothing_more(
    held: Scopes, wanted: Scopes, act: tuple[str, str, str, frozenset[object]]
) -> None:
    if held.covers(wanted) and permits(wanted, *act):
        assert permits(held, *act)


@given(some, some)
def test_within_is_covered_by_both(asked: Scopes, limit: Scopes) -> None:
    left = asked.within(limit)

    assert asked.covers(left)
    assert limit.covers(left)


@given(some)
def test_scopes_cover_themselves_and_nothing(scopes: Scopes) -> None:
    assert scopes.covers(scopes)
    assert scopes.covers(Scopes())
