"""Names and numbers of resource types: the numbers are stored, so they are pinned here."""

import pytest

from fhir_profiles.resource_types import is_resource_type, resource_types, type_name, type_number


def test_there_are_146_sorted() -> None:
    assert len(resource_types()) == 146
    assert list(resource_types()) == sorted(set(resource_types()))


def test_number_and_name_are_inverse() -> None:
    numbers = [type_number(name) for name in resource_types()]

    assert sorted(numbers) == list(range(1, 147))
    assert [type_name(number) for number in numbers] == list(resource_types())


@pytest.mark.parametrize(
    ("name", "number"),
    [("Account", 1), ("CarePlan", 14), ("Observation", 96), ("Patient", 103), ("Task", 140)],
)
def test_numbers_never_change(name: str, number: int) -> None:
    assert type_number(name) == number


def test_last_number_is_pinned() -> None:
    assert type_name(146) == "VisionPrescription"


@pytest.mark.parametrize("number", [0, -1, 147])
def test_unknown_number_is_refused(number: int) -> None:
    with pytest.raises(IndexError):
        type_name(number)


@pytest.mark.parametrize("name", ["", "patient", "Resource", "DomainResource", "Quantity", "X"])
def test_other_names_are_no_resource_types(name: str) -> None:
    assert not is_resource_type(name)
    with pytest.raises(KeyError):
        type_number(name)
