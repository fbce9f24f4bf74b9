"""Codes and URLs that the policy turns on, by hand. A test compares them with the product's."""

BASE = "https://shared-care-record.example.org/fhir"

RELEASE_TIME = f"{BASE}/StructureDefinition/releaseTime"  # in meta
BREAK_GLASS_ALLOWED = f"{BASE}/StructureDefinition/breakGlassAllowed"  # of a Consent or provision
PROXY_BASIS = f"{BASE}/StructureDefinition/proxyBasis"  # of a Consent
AGREEMENT = f"{BASE}/StructureDefinition/agreement"  # of a CarePlan: the patient's agreement to it

CONSENT_KIND = f"{BASE}/CodeSystem/consent-kind"
PROXY_AREA = f"{BASE}/CodeSystem/proxy-area"
PROXY_ACTION = f"{BASE}/CodeSystem/proxy-action"
PRIVACY_GROUP = f"{BASE}/CodeSystem/privacy-group"

SNOMED = "http://snomed.info/sct"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

# Labels that say what is sensitive of a row, beside how confidential it is.
SENSITIVITIES = {
    "HIV", "STD", "SUD", "ETH", "PSY", "MH", "SEX", "SDV", "GDIS", "TBOO", "VIO", "ADOL", "PRS",
    "PHY", "ETHUD", "OPIOIDUD", "SCA", "SICKLE", "DVD", "SEXHLTH", "PATRPT", "SOCIALCARE",
    "JUSTICE", "THIRDPARTY",
}  # fmt: skip

# What a patient calls a group of labels.
GROUPS = {
    "mental": {"PSY", "MH"},
    "sexual": {"HIV", "STD", "SEX", "SEXHLTH"},
    "substance": {"SUD", "ETH", "ETHUD", "OPIOIDUD"},
    "violence": {"SDV", "VIO", "DVD"},
    "genetic": {"GDIS", "SCA", "SICKLE"},
    "social": {"SOCIALCARE"},
    "justice": {"JUSTICE"},
}

# What a carer is let into, by the words of the grant. A type that is in none is not for carers.
AREAS = {
    "about": {"QuestionnaireResponse", "Questionnaire", "RelatedPerson"},
    "access-log": {"AuditEvent", "Provenance"},
    "appointments": {"Appointment", "AppointmentResponse", "Encounter", "EpisodeOfCare"},
    "conditions": {
        "AllergyIntolerance", "ClinicalImpression", "Condition", "FamilyMemberHistory",
        "Immunization", "Procedure",
    },
    "consents": {"Consent"},
    "demographics": {"Patient"},
    "documents": {"Binary", "Composition", "DocumentReference", "Media"},
    "measurements": {"Device", "DeviceUseStatement", "Observation"},
    "medicines": {
        "MedicationAdministration", "MedicationDispense", "MedicationRequest",
        "MedicationStatement",
    },
    "messages": {"Communication", "CommunicationRequest"},
    "plan": {"CarePlan", "CareTeam", "Goal", "ServiceRequest", "Task"},
    "results": {"DiagnosticReport", "ImagingStudy", "Observation", "Specimen"},
}  # fmt: skip
