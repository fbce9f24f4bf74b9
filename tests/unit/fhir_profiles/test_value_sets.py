"""Codes of value sets: whole systems, chosen codes, filters, imports, exclusions, not listable."""

import pytest

from fhir_profiles.value_sets import coded, codes, system_codes

FHIR = "http://hl7.org/fhir/ValueSet/"
V3 = "http://terminology.hl7.org/ValueSet/v3-"


def test_whole_code_system() -> None:
    assert codes(FHIR + "administrative-gender") == {"male", "female", "other", "unknown"}
    assert coded(FHIR + "administrative-gender") == {
        ("http://hl7.org/fhir/administrative-gender", code)
        for code in ("male", "female", "other", "unknown")
    }


def test_version_is_ignored() -> None:
    assert codes(FHIR + "request-status|4.0.1") == codes(FHIR + "request-status")


def test_nested_concepts_are_included() -> None:
    found = codes(FHIR + "observation-status")

    assert found is not None
    # `corrected` stands below `amended` in the code system.
    assert {"amended", "corrected"} <= found


def test_filter_by_hierarchy() -> None:
    found = codes(V3 + "PurposeOfUse")

    assert found is not None
    assert {"TREAT", "ETREAT", "PATADMIN"} <= found
    assert "ADMINISTRATIVE" not in found or len(found) < 200


def test_value_set_of_several_systems() -> None:
    systems = {system for system, _ in coded(FHIR + "marital-status") or ()}

    assert systems == {
        "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
        "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
    }


def test_import_of_value_sets() -> None:
    imported = codes(FHIR + "all-types")

    assert imported is not None
    assert {"Patient", "Quantity", "boolean", "Type", "Any"} <= imported


@pytest.mark.parametrize(
    "url",
    [
        FHIR + "mimetypes",
        FHIR + "all-languages",
        FHIR + "ucum-units",
        FHIR + "currencies",
        FHIR + "condition-code",
        FHIR + "observation-codes",
        FHIR + "no-such-value-set",
        "",
    ],
)
def test_not_listable(url: str) -> None:
    assert codes(url) is None
    assert coded(url) is None


def test_code_system() -> None:
    genders = system_codes("http://hl7.org/fhir/administrative-gender")

    assert genders == {"male", "female", "other", "unknown"}
    assert system_codes("http://snomed.info/sct") is None
