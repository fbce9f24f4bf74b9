"""Operations: what R4 defines, at which levels, with which parameters."""

from fhir_profiles.operations import all as all_operations
from fhir_profiles.operations import for_type


def test_all_without_the_examples() -> None:
    names = [each.name for each in all_operations()]

    assert len(names) == 46
    assert names == sorted(names)


def test_operations_of_a_type() -> None:
    names = {each.name for each in for_type("Patient")}

    assert {"everything", "match", "validate", "meta", "meta-add", "meta-delete"} <= names
    assert "expand" not in names


def test_parameters_of_everything() -> None:
    (everything,) = (each for each in for_type("Patient") if each.name == "everything")

    assert (everything.system, everything.type, everything.instance) == (False, True, True)
    assert not everything.affects_state
    by_name = {each.name: each for each in everything.parameters if each.use == "in"}
    assert by_name["_since"].type == "instant"
    assert by_name["_type"].many


def test_parameter_with_parts() -> None:
    (lookup,) = (each for each in for_type("CodeSystem") if each.name == "lookup")
    (designation,) = (each for each in lookup.parameters if each.name == "designation")

    assert designation.type == ""
    assert [each.name for each in designation.parts] == ["language", "use", "value"]
