"""Care dates: every path leads to a date, the first with a value wins, broken shapes give None."""

from typing import Any

import pytest

from fhir_profiles.care_dates import CARE_DATE_PATHS, care_date
from fhir_profiles.definitions import resource_types, type_definition

BOUNDED = {"repeat": {"boundsPeriod": {"start": "2020"}}}
DATED = {"date", "dateTime", "instant", "Period", "Timing"}
# Things and people, not events; their dates are those of publishing or manufacture.
WITHOUT = {
    "Binary", "BodyStructure", "Device", "DeviceDefinition", "DeviceMetric", "Group",
    "HealthcareService", "Linkage", "Location", "Medication", "MedicationKnowledge",
    "MedicinalProduct", "MedicinalProductContraindication", "MedicinalProductIndication",
    "MedicinalProductIngredient", "MedicinalProductInteraction", "MedicinalProductManufactured",
    "MedicinalProductPackaged", "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect", "MessageHeader", "MolecularSequence",
    "ObservationDefinition", "OperationOutcome", "Organization", "Parameters", "Patient", "Person",
    "Practitioner", "SpecimenDefinition", "Subscription", "Substance", "SubstanceNucleicAcid",
    "SubstancePolymer", "SubstanceProtein", "SubstanceReferenceInformation",
    "SubstanceSourceMaterial", "SubstanceSpecification",
}  # fmt: skip


def test_every_type_has_a_path_or_a_reason() -> None:
    assert set(CARE_DATE_PATHS) | WITHOUT == set(resource_types())
    assert not set(CARE_DATE_PATHS) & WITHOUT


@pytest.mark.parametrize("name", sorted(CARE_DATE_PATHS))
def test_paths_lead_to_dates(name: str) -> None:
    for path in CARE_DATE_PATHS[name]:
        *parents, last = path.split(".")
        holder = type_definition(name)
        for parent in parents:
            holder = type_definition(holder.fields[parent].type)
        types = {field.type for field in holder.fields.values() if field.element == last}

        assert types & DATED, path


@pytest.mark.parametrize(
    ("type", "members", "expected"),
    [
        ("Observation", {"effectiveDateTime": "2024", "issued": "2024-06-01T00:00:00Z"}, "2024"),
        ("Observation", {"effectivePeriod": {"start": "2024-05-01"}}, "2024-05-01"),
        ("Observation", {"effectiveTiming": {"event": ["2024-01", "2024-02"]}}, "2024-01"),
        ("Observation", {"issued": "2024-06-01T00:00:00Z"}, "2024-06-01T00:00:00Z"),
        ("Encounter", {"period": {"start": "2024-01-01", "end": "2024-01-02"}}, "2024-01-01"),
        ("Encounter", {"period": {"end": "2024-01-02"}}, "2024-01-02"),
        ("Condition", {"onsetAge": {"value": 7}, "recordedDate": "2020"}, "2020"),
        ("Condition", {"onsetDateTime": "2019", "recordedDate": "2020"}, "2019"),
        ("CarePlan", {"created": "2020"}, "2020"),
        ("MedicationRequest", {"authoredOn": "2021-02-03"}, "2021-02-03"),
        ("Procedure", {"performedString": "long ago"}, None),
        ("Immunization", {"occurrenceString": "as a child", "recorded": "2020"}, "2020"),
        ("Specimen", {"collection": {"collectedDateTime": "2020"}}, "2020"),
        ("ServiceRequest", {"occurrenceTiming": BOUNDED}, "2020"),
        ("ServiceRequest", {"occurrenceTiming": {"repeat": {"frequency": 1}}}, None),
        ("Goal", {"startCodeableConcept": {"text": "now"}, "statusDate": "2020"}, "2020"),
        ("Task", {"executionPeriod": {}, "authoredOn": "2020"}, "2020"),
        ("Patient", {"birthDate": "1950"}, None),
    ],
)  # fmt: skip
def test_care_date(type: str, members: dict[str, Any], expected: str | None) -> None:
    assert care_date({"resourceType": type, **members}) == expected


@pytest.mark.parametrize(
    "value",
    [None, 1, True, [], {}, ["2020"], {"start": 1}, {"event": []}, {"event": [1]}, {"repeat": 1}],
    ids=str,
)
def test_broken_shapes_have_no_date(value: Any) -> None:
    assert care_date({"resourceType": "Encounter", "period": value}) is None
    assert care_date({"resourceType": "Observation", "effectiveTiming": value}) is None
    assert care_date({"resourceType": "Specimen", "collection": value}) is None
