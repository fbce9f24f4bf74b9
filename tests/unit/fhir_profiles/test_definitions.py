"""Type definitions: fields, types of ids, choices, content references, constraints."""

import subprocess
import sys

import pytest

from fhir_profiles.definitions import (
    Binding,
    base_types,
    is_resource_type,
    resource_types,
    type_definition,
    type_names,
)


def test_resource_has_inherited_fields_first_and_in_order() -> None:
    patient = type_definition("Patient")

    names = list(patient.fields)
    assert names[:8] == [
        "id", "meta", "implicitRules", "language", "text", "contained", "extension",
        "modifierExtension",
    ]  # fmt: skip
    assert (patient.kind, patient.base, patient.abstract) == ("resource", "DomainResource", False)
    assert "resourceType" not in patient.fields


@pytest.mark.parametrize(
    ("owner", "name", "type"),
    [
        ("Patient", "id", "id"),
        ("Bundle", "id", "id"),
        ("Resource", "id", "id"),
        ("Patient.contact", "id", "string"),
        ("Period", "id", "string"),
        ("Element", "id", "string"),
        ("Extension", "url", "uri"),
        ("boolean", "value", "boolean"),
        ("instant", "value", "instant"),
        ("xhtml", "value", "xhtml"),
        ("Narrative", "div", "xhtml"),
        ("Bundle.entry", "resource", "Resource"),
    ],
)
def test_field_has_its_fhir_type(owner: str, name: str, type: str) -> None:
    assert type_definition(owner).fields[name].type == type


def test_no_field_has_a_fhirpath_system_type() -> None:
    types = {
        field.type
        for name in type_names()
        for field in type_definition(name).fields.values()
        if "." not in field.type
    }

    assert types <= set(type_names())


def test_choice_gives_one_field_per_type() -> None:
    observation = type_definition("Observation")

    effective, value = observation.choices
    assert effective == (
        "effective",
        ("effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant"),
        False,
    )
    field = observation.fields["valueQuantity"]
    assert (field.element, field.path) == ("value[x]", "Observation.value[x]")
    assert (field.choice, field.type, field.primitive) == ("value", "Quantity", False)
    assert "valueQuantity" in value[1]
    assert observation.fields["valueString"].primitive


def test_required_choice_is_marked() -> None:
    assert ("occurrence", ("occurrenceDateTime", "occurrenceString"), True) in type_definition(
        "Immunization"
    ).choices


def test_backbone_is_named_by_its_path() -> None:
    field = type_definition("Observation").fields["component"]
    component = type_definition(field.type)

    assert (field.type, field.many, field.primitive) == ("Observation.component", True, False)
    assert (component.kind, component.base) == ("backbone", "BackboneElement")
    assert list(component.fields)[:4] == ["id", "extension", "modifierExtension", "code"]
    assert [each.key for each in component.constraints] == ["ele-1"]


@pytest.mark.parametrize(
    ("owner", "name", "type"),
    [
        ("Observation.component", "referenceRange", "Observation.referenceRange"),
        ("Questionnaire.item", "item", "Questionnaire.item"),
        ("Bundle.entry", "link", "Bundle.link"),
        ("TestScript.test.action", "operation", "TestScript.setup.action.operation"),
    ],
)
def test_content_reference_leads_to_its_target(owner: str, name: str, type: str) -> None:
    field = type_definition(owner).fields[name]

    assert field.type == type
    assert type_definition(field.type).kind == "backbone"


def test_every_field_type_has_a_definition() -> None:
    waiting, seen = set(type_names()), set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= {field.type for field in type_definition(name).fields.values()} - seen

    assert len(seen) > 650


@pytest.mark.parametrize("name", ["", "Nothing", "Observation.status", "Observation.x", "patient"])
def test_unknown_type_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        type_definition(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Age", ("Quantity", "Element")),
        ("Patient", ("DomainResource", "Resource")),
        ("Bundle", ("Resource",)),
        ("markdown", ("string", "Element")),
        ("Dosage", ("BackboneElement", "Element")),
        ("Timing.repeat", ("Element",)),
        ("Resource", ()),
    ],
)
def test_ancestors(name: str, expected: tuple[str, ...]) -> None:
    assert base_types(name) == expected


def test_targets_and_any_target() -> None:
    fields = type_definition("Observation").fields

    assert fields["subject"].targets == {"Patient", "Group", "Device", "Location"}
    assert fields["focus"].targets == frozenset()
    assert fields["valueQuantity"].targets == frozenset()


def test_targets_name_resource_types() -> None:
    for name in resource_types():
        for field in type_definition(name).fields.values():
            assert all(is_resource_type(each) for each in field.targets), field


def test_binding_keeps_strength_and_version() -> None:
    status = type_definition("Observation").fields["status"]

    assert status.binding == Binding(
        "required", "http://hl7.org/fhir/ValueSet/observation-status|4.0.1"
    )
    assert (status.min, status.summary, status.modifier) == (1, True, True)


def test_binding_of_a_choice_stays_on_its_coded_types() -> None:
    fields = type_definition("ActivityDefinition").fields

    assert fields["subjectCodeableConcept"].binding is not None
    assert fields["subjectReference"].binding is None


def test_xml_shapes() -> None:
    assert type_definition("Extension").fields["url"].xml == "attribute"
    assert type_definition("HumanName").fields["id"].xml == "attribute"
    assert type_definition("Narrative").fields["div"].xml == "xhtml"
    assert type_definition("Patient").fields["id"].xml == "element"


def test_constraints_of_a_type_and_of_one_element() -> None:
    bundle = {each.key for each in type_definition("Bundle").constraints}
    organization = type_definition("Organization").fields
    dose = type_definition("Immunization").fields["doseQuantity"]

    assert {"bdl-1", "bdl-7"} <= bundle
    assert [each.key for each in organization["telecom"].constraints] == ["org-3"]
    assert [(each.key, each.expression) for each in dose.constraints] == [
        ("sqty-1", "comparator.empty()")
    ]
    assert dose.type == "Quantity"


def test_import_alone_reads_no_data() -> None:
    program = (
        "import sys, fhir_profiles.definitions as d; assert d.is_resource_type('Patient');"
        "assert 'msgspec' not in sys.modules; assert 'zstandard' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
