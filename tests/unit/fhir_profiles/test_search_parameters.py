"""Search parameters by type: expressions cut to the type, targets, composites, ids."""

import re

import pytest

from fhir_profiles.condense.expression_parts import parts_for, top_level_parts
from fhir_profiles.definitions import resource_types, type_definition
from fhir_profiles.search_parameters import by_url, component_parameter, for_type

ALL = [parameter for name in resource_types() for parameter in for_type(name).values()]
BY_OTHER_MEANS = {"_content", "_filter", "_query", "_text"}


@pytest.mark.parametrize(
    ("type", "code", "expression"),
    [
        ("Observation", "date", "Observation.effective"),
        ("Observation", "code", "Observation.code"),
        (
            "AllergyIntolerance",
            "code",
            "AllergyIntolerance.code | AllergyIntolerance.reaction.substance",
        ),
        ("RiskAssessment", "date", "(RiskAssessment.occurrence as dateTime)"),
        ("Patient", "_lastUpdated", "Patient.meta.lastUpdated"),
        ("Binary", "_id", "Binary.id"),
        ("CarePlan", "patient", "CarePlan.subject.where(resolve() is Patient)"),
        (
            "Questionnaire",
            "context-quantity",
            "(Questionnaire.useContext.value as Quantity)"
            " | (Questionnaire.useContext.value as Range)",
        ),
        ("Bundle", "composition", "Bundle.entry[0].resource"),
        ("Patient", "deceased", "Patient.deceased.exists() and Patient.deceased != false"),
        (
            "Patient",
            "mothersMaidenName",
            "Patient.extension('http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName')"
            ".value",
        ),
    ],
)
def test_expression_of_one_type(type: str, code: str, expression: str) -> None:
    assert for_type(type)[code].expression == expression


def test_split_minds_parentheses_and_quotes() -> None:
    assert top_level_parts("(A.b | A.c).d | A.where(e = '|)') | B.f") == [
        "(A.b | A.c).d", "A.where(e = '|)')", "B.f",
    ]  # fmt: skip


def test_type_names_are_compared_whole() -> None:
    expression = "Medication.code | MedicationRequest.code | (Medication.form as code)"

    assert parts_for(expression, "Medication") == ["Medication.code", "(Medication.form as code)"]


def test_every_parameter_has_an_expression_or_another_means() -> None:
    without = {parameter.code for parameter in ALL if not parameter.expression}

    assert without == BY_OTHER_MEANS


def test_expressions_speak_of_their_own_type_only() -> None:
    for parameter in ALL:
        for part in top_level_parts(parameter.expression):
            assert part.lstrip("(").split(".")[0].split(" ")[0] == parameter.type, parameter


def test_expressions_reach_elements_that_exist() -> None:
    for parameter in ALL:
        for part in top_level_parts(parameter.expression):
            leading = re.match(r"\(*([A-Z]\w*)((?:\.[a-z]\w*(?![\w(]))*)", part)
            assert leading
            steps = leading[2].split(".")[1:]
            assert _types_at({leading[1]}, steps), parameter


def test_ids_are_unique() -> None:
    assert len({parameter.param_id for parameter in ALL}) == len(ALL) == 3163


def test_codes_are_sorted_within_a_type() -> None:
    assert list(for_type("Encounter")) == sorted(for_type("Encounter"))


def test_text_search_is_for_domain_resources_only() -> None:
    assert "_text" in for_type("Patient")
    assert not {"_text"} & {*for_type("Bundle"), *for_type("Binary"), *for_type("Parameters")}


@pytest.mark.parametrize(
    ("type", "code", "targets"),
    [
        ("Observation", "patient", ("Patient",)),
        ("Observation", "subject", ("Device", "Group", "Location", "Patient")),
        ("Encounter", "subject", ("Group", "Patient")),
        ("Immunization", "patient", ("Patient",)),
        ("Observation", "encounter", ("Encounter",)),
        ("CarePlan", "care-team", ("CareTeam",)),
        ("Encounter", "participant", ("Practitioner", "PractitionerRole", "RelatedPerson")),
        ("Procedure", "encounter", ("Encounter",)),
    ],
)
def test_targets_are_those_of_the_element(type: str, code: str, targets: tuple[str, ...]) -> None:
    assert for_type(type)[code].targets == targets


def test_description_is_that_of_the_type() -> None:
    assert (
        for_type("Encounter")["date"].description == "A date within the period the Encounter lasted"
    )


def test_components_lead_to_parameters_of_the_same_type() -> None:
    composites = [parameter for parameter in ALL if parameter.kind == "composite"]

    assert len(composites) > 40
    for composite in composites:
        assert len(composite.components) >= 2
        for component in composite.components:
            assert component_parameter(composite, component).type == composite.type


def test_document_relationship_is_set_right() -> None:
    first, second = for_type("DocumentReference")["relationship"].components

    assert first.definition.endswith("relatesto")
    assert (first.expression, second.expression) == ("target", "code")


def test_by_url_of_a_shared_parameter() -> None:
    url = "http://hl7.org/fhir/SearchParameter/clinical-date"

    assert by_url(url, "Encounter").expression == "Encounter.period"
    assert by_url(url).type == "AllergyIntolerance"


@pytest.mark.parametrize("url", ["", "http://hl7.org/fhir/SearchParameter/example"])
def test_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(KeyError):
        by_url(url)


def test_unknown_type_is_refused() -> None:
    with pytest.raises(KeyError):
        for_type("Resource")


def _types_at(types: set[str], steps: list[str]) -> set[str]:
    for step in steps:
        fields = [field for name in types for field in type_definition(name).fields.values()]
        types = {field.type for field in fields if step in (field.name, field.choice)}
    return types
