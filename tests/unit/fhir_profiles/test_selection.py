"""Reading the expressions of search parameters, and the elements they select."""

import pytest

from fhir_profiles.definitions import resource_types
from fhir_profiles.extraction import compile_extractor, extractor_source
from fhir_profiles.search_parameters import SearchParameter, for_type
from fhir_profiles.selected import leaves
from fhir_profiles.selection import (
    Cast,
    Child,
    Equal,
    Extended,
    Extensions,
    Inexpressible,
    Nth,
    Targets,
    Truth,
    read_expression,
)

A, B = Child("A"), Child("b")


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("A.b", [(A, B)]),
        ("A.b | A.c", [(A, B), (A, Child("c"))]),
        ("(A.b as Quantity)", [(A, B, Cast("Quantity"))]),
        ("A.b.as(Quantity)", [(A, B, Cast("Quantity"))]),
        ("A.b.ofType(Quantity)", [(A, B, Cast("Quantity"))]),
        ("(A.b as CodeableConcept).text", [(A, B, Cast("CodeableConcept"), Child("text"))]),
        ("(A.b | A.c).d", [(A, B, Child("d")), (A, Child("c"), Child("d"))]),
        ("A.b[0].c", [(A, B, Nth(0), Child("c"))]),
        ("A.b.where(system='phone')", [(A, B, Equal("system", "phone"))]),
        ("A.b.where(type = 'x-y').c", [(A, B, Equal("type", "x-y"), Child("c"))]),
        ("A.b.where(resolve() is Patient)", [(A, B, Targets("Patient"))]),
        ("A.extension('http://x/y').value", [(A, Extensions("http://x/y"), Child("value"))]),
        ("A.b.where(hasExtension('u')).c", [(A, B, Extended("u"), Child("c"))]),
        ("A.b.where(extension('u').exists()).c", [(A, B, Extended("u"), Child("c"))]),
        ("A.b.exists() and A.b != false", [(A, B, Truth())]),
    ],
)
def test_forms_of_the_official_parameters_are_read(expression: str, parts: list[object]) -> None:
    assert list(read_expression(expression)) == parts


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "A.",
        "A.b(",
        "A.b.first()",
        "A.b + 1",
        "%resource.b",
        "A.where(b > 1)",
        "(A.b",
        "A b",
        "A.b[x]",
        "A.where(b='x' and c='y')",
        "A.exists() and B != false",
        "A.'x",
    ],
)
def test_other_fhirpath_is_inexpressible(expression: str) -> None:
    with pytest.raises((Inexpressible, ValueError)):
        read_expression(expression)


def test_no_official_parameter_is_inexpressible() -> None:
    count = 0
    for type in resource_types():
        for parameter in for_type(type).values():
            if parameter.expression:
                count += len(leaves(parameter))

    assert count > 2_500


def _selected(type: str, code: str) -> list[tuple[str, str, bool]]:
    return [(leaf.path, leaf.type, leaf.by_path) for leaf in leaves(for_type(type)[code])]


def test_choice_without_a_cast_selects_every_type() -> None:
    assert {type for _, type, _ in _selected("Observation", "date")} == {
        "dateTime",
        "Period",
        "Timing",
        "instant",
    }


def test_cast_keeps_its_type_only() -> None:
    assert _selected("Observation", "value-concept") == [
        ("Observation.value[x]", "CodeableConcept", True)
    ]


def test_a_cast_keeps_what_is_of_a_subtype() -> None:
    """FHIRPath `as`: "of the type specified in the second operand, or a subclass thereof"."""
    assert [type for _, type, _ in _selected("ConceptMap", "source-uri")] == ["uri", "canonical"]


def test_condition_on_a_sibling_is_more_than_a_path() -> None:
    assert _selected("Library", "composed-of") == [
        ("Library.relatedArtifact.resource", "canonical", False)
    ]


def test_element_of_a_reused_backbone_is_more_than_a_path() -> None:
    assert _selected("Composition", "entry") == [("Composition.section.entry", "Reference", False)]
    assert _selected("Composition", "subject") == [("Composition.subject", "Reference", True)]


def test_parameters_that_share_an_element_share_its_visit() -> None:
    found: list[tuple[int, ...]] = []
    parameters = [for_type("Observation")[code] for code in ("code", "combo-code")]
    extract = compile_extractor(
        parameters, lambda _, __: lambda params, value, rows: found.append(params)
    )

    extract({"resourceType": "Observation", "code": {"text": "x"}}, None)

    assert found == [tuple(parameter.param_id for parameter in parameters)]


def test_elements_without_a_sink_are_not_visited() -> None:
    source, sinks = extractor_source(for_type("Patient").values(), lambda _, __: None)

    assert "get" not in source
    assert sinks == {}


def test_missing_lists_and_nulls_are_passed_over() -> None:
    found: list[object] = []

    def sink_for(parameter: SearchParameter, _: object):
        return lambda params, value, rows: found.append(value)

    extract = compile_extractor([for_type("Patient")["given"]], sink_for)
    for name in ([], [{}], [{"given": []}], [{"given": [None, "Ann"]}]):
        extract({"resourceType": "Patient", "name": name}, None)
    extract({"resourceType": "Patient"}, None)

    assert found == ["Ann"]
