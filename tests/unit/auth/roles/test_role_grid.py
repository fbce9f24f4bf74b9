"""A written table that is not well formed is refused; families hold each type once."""

from collections import Counter

import pytest

from auth.roles import clinicians
from auth.roles.families import FAMILIES
from auth.roles.grid import Right, read
from auth.roles.known import WORDS
from auth.roles.matrix import TABLES
from fhir_profiles.definitions import resource_types
from fhir_profiles.owners import SHARED


def _all(cell: str, name: str = "Goal") -> str:
    """Return a table of one row in which every role has the same."""
    return f"Type | {' | '.join(WORDS)}\n{name} | {' | '.join([cell] * len(WORDS))}"


def test_a_cell_is_alternatives_of_letters_and_words() -> None:
    found = read(_all("rs:own+area c"))

    assert found["gp", "Goal"] == (
        Right(frozenset("rs"), frozenset({"own", "area"})),
        Right(frozenset("c")),
    )


def test_nothing_is_a_dash() -> None:
    assert read(_all("-"))["gp", "Goal"] == ()


def test_a_row_goes_on_in_lines_that_are_indented() -> None:
    joined = _all("rs").replace("| rs |", "\n     | rs |", 1)

    assert read(joined) == read(_all("rs"))


def test_a_types_own_row_comes_before_its_family_wherever_it_stands() -> None:
    rows = _all("-", "[Plan]") + "\n" + _all("r", "Goal").splitlines()[1]

    found = read(rows)

    assert found["gp", "Goal"] == (Right(frozenset("r")),)
    assert found["gp", "CarePlan"] == ()


@pytest.mark.parametrize(
    "cell",
    [
        "x",
        "",
        "rr",
        "r:",
        "r:nothing",
        "r:own+",
        ":own",
        "r r",
        "R",
        "r:conclusion",
        "-r",
        "r:own:own",
    ],
)
def test_a_cell_that_is_not_well_formed_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read(_all(cell))


@pytest.mark.parametrize("name", ["Gaol", "[Plans]", "Goal, Goals", "goal", "Goal,CarePlan"])
def test_a_row_of_nothing_that_is_known_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="row"):
        read(_all("r", name))


def test_a_row_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="row Goal"):
        read(_all("r") + "\n" + _all("s").splitlines()[1])


def test_a_row_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="row Goal"):
        read(_all("r").rpartition("|")[0])


def test_a_role_without_a_column_is_refused() -> None:
    with pytest.raises(ValueError, match="not all roles"):
        read(clinicians.TABLE)


def test_a_role_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown role"):
        read(_all("r").replace("| gp |", "| gps |"))


def test_two_tables_of_one_role_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        read(*TABLES, clinicians.TABLE)


def test_each_type_is_in_one_family() -> None:
    counted = Counter(type for one in FAMILIES for type in one.types)

    assert counted == Counter(resource_types())


@pytest.mark.parametrize("one", FAMILIES, ids=lambda one: one.name)
def test_a_family_is_shared_or_of_patients_and_says_why(one: object) -> None:
    types, why = one.types, one.why  # type: ignore[attr-defined]

    assert types <= SHARED or not types & SHARED
    assert why.endswith(".")
