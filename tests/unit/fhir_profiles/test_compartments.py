"""Compartments: the parameters of each type, the focal resource, types that are never in one."""

import pytest

from fhir_profiles.compartments import COMPARTMENTS, parameters, types_in
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.search_parameters import for_type


def test_parameters_of_a_type() -> None:
    assert parameters("Patient", "Observation") == ("subject", "performer")
    assert parameters("Encounter", "Observation") == ("encounter",)


def test_type_that_is_never_in() -> None:
    assert parameters("Patient", "Organization") == ()


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_focal_resource_is_in_its_own(compartment: str) -> None:
    assert parameters(compartment, compartment)[0] == "{def}"


@pytest.mark.parametrize("compartment", COMPARTMENTS)
def test_every_parameter_is_defined(compartment: str) -> None:
    for name in types_in(compartment):
        assert is_resource_type(name)
        missing = set(parameters(compartment, name)) - {"{def}", *for_type(name)}
        assert not missing, (compartment, name)


def test_unknown_compartment_is_refused() -> None:
    with pytest.raises(KeyError):
        parameters("Organization", "Patient")
