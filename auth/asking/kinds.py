"""Kinds of information by the words of people who are no clinicians, for the types of R4.

Said of a record: "See allergies". Types that are not here are named as R4 names them.
"""

import re
from collections.abc import Mapping, Sequence

from auth.scopes import Filter

# In the order in which a page lists them: what people know of their record comes first.
WORDS: Mapping[str, str] = {
    "Patient": "name, birth date, address and contact details",
    "Condition": "health conditions, diagnoses and concerns",
    "Observation": "test results, measurements and observations",
    "MedicationRequest": "medicines that were prescribed",
    "MedicationStatement": "medicines that are taken",
    "AllergyIntolerance": "allergies and bad reactions",
    "Immunization": "vaccinations",
    "Appointment": "appointments",
    "CarePlan": "care plans",
    "CareTeam": "who is in the care team",
    "Goal": "goals",
    "DocumentReference": "letters and documents",
    "Composition": "summaries and letters",
    "DiagnosticReport": "reports of tests and scans",
    "Procedure": "operations and treatments",
    "Encounter": "visits and stays",
    "ServiceRequest": "referrals and requested tests",
    "MedicationAdministration": "medicines that were given",
    "MedicationDispense": "medicines that were handed out",
    "Medication": "what medicines are made of",
    "ImagingStudy": "scans and X-rays",
    "Specimen": "samples that were taken",
    "EpisodeOfCare": "periods of care",
    "Binary": "files",
    "Media": "pictures and recordings",
    "Task": "tasks",
    "Communication": "messages",
    "Questionnaire": "questionnaires",
    "QuestionnaireResponse": "answers to questionnaires",
    "FamilyMemberHistory": "illnesses in the family",
    "RiskAssessment": "assessments of risk",
    "ClinicalImpression": "clinical assessments",
    "Flag": "warnings and alerts",
    "Device": "devices and implants",
    "DeviceRequest": "devices that were ordered",
    "DeviceUseStatement": "devices that are used",
    "NutritionOrder": "diets",
    "Consent": "choices about sharing and treatment",
    "RelatedPerson": "family, friends and carers",
    "Coverage": "insurance and funding",
    "Provenance": "who wrote what, and when",
    "AuditEvent": "who looked at the record",
    "Practitioner": "names and details of professionals",
    "PractitionerRole": "where professionals work",
    "Organization": "names and details of organisations",
    "Location": "places of care",
    "HealthcareService": "services",
    "Group": "lists of patients",
    "List": "lists",
}

_US_CORE = "http://hl7.org/fhir/us/core/CodeSystem"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_LOINC = "http://loinc.org"

# What a person may choose instead of all resources of a type: SMART granular scopes of US Core,
# whose categories are those of R4 where there are such.
CATEGORIES: Mapping[str, Mapping[str, str]] = {
    "Condition": {
        f"{_HL7}/condition-category|problem-list-item": "problems that last, as on a problem list",
        f"{_HL7}/condition-category|encounter-diagnosis": "diagnoses made at one visit",
        f"{_US_CORE}/condition-category|health-concern": "concerns about health and care",
    },
    "Observation": {
        f"{_HL7}/observation-category|laboratory": "laboratory test results",
        f"{_HL7}/observation-category|vital-signs": (
            "vital signs such as blood pressure, pulse and weight"
        ),
        f"{_HL7}/observation-category|social-history": (
            "smoking, alcohol, work and other parts of daily life"
        ),
        f"{_HL7}/observation-category|survey": "scores and answers of questionnaires",
        f"{_US_CORE}/us-core-category|sdoh": "housing, money, food and other social needs",
    },
    "DiagnosticReport": {
        f"{_HL7}/v2-0074|LAB": "reports of laboratory tests",
        f"{_LOINC}|LP29684-5": "reports of scans and X-rays",
        f"{_LOINC}|LP29708-2": "reports of heart tests",
        f"{_LOINC}|LP7839-6": "reports of tissue samples (pathology)",
    },
    "DocumentReference": {
        f"{_US_CORE}/us-core-documentreference-category|clinical-note": (
            "notes and letters of professionals"
        ),
    },
    "ServiceRequest": {
        f"{_US_CORE}/us-core-category|sdoh": (
            "referrals for housing, money, food and other social needs"
        ),
        f"{_US_CORE}/us-core-category|functional-status": (
            "referrals about managing daily activities"
        ),
        f"{_US_CORE}/us-core-category|disability-status": "referrals about disability",
        f"{_US_CORE}/us-core-category|cognitive-status": "referrals about memory and thinking",
    },
}

# Where everything is asked for, these are offered by category; all other types whole,
BY_CATEGORY = ("Condition", "Observation")
# but these not at all: they are of many people, or of how the record is kept.
NOT_OF_A_PERSON = ("Group", "List", "AuditEvent")

_WORD = re.compile(r"[A-Z][a-z]*|[0-9]+")


def things(type: str, filter: Filter = ()) -> str:
    """Say what resources of a type are, with what a filter leaves of them."""
    known = CATEGORIES.get(type, {})
    if len(filter) == 1 and filter[0][0] == "category":
        named = [known.get(one) for one in filter[0][1].split(",")]
        if all(named):
            return listed([one for one in named if one])
    said = WORDS.get(type) or f"entries of the kind “{_spelt(type)}”"
    limits = " and ".join(f"{name} is {_code(value)}" for name, value in filter)
    return f"{said}, only where {limits}" if limits else said


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _spelt(type: str) -> str:
    return " ".join(_WORD.findall(type)).lower()


def _code(value: str) -> str:
    """Return the code of a token without its system, which says nothing to people."""
    return " or ".join(part.rpartition("|")[2] or part for part in value.split(","))
