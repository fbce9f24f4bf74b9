"""The clinically relevant date of a resource: when it happened, not when it was stored.

Where R4 has the shared `date` parameter (§3.1.1, clinical-date) its element comes first, so that
the order of the record page and a search by date agree. Orders count from when they were written.
"""

from collections.abc import Mapping
from typing import Any

Resource = dict[str, Any]

_PUBLISHED = """
    ActivityDefinition CapabilityStatement ChargeItemDefinition CodeSystem CompartmentDefinition
    ConceptMap EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable ExampleScenario
    GraphDefinition ImplementationGuide Library Measure MessageDefinition NamingSystem
    OperationDefinition PlanDefinition Questionnaire ResearchDefinition ResearchElementDefinition
    RiskEvidenceSynthesis SearchParameter StructureDefinition StructureMap TerminologyCapabilities
    TestScript ValueSet
    """

# Tried in order; `[x]` stands for every type of date, period or timing that the element may have.
CARE_DATE_PATHS: Mapping[str, tuple[str, ...]] = dict.fromkeys(_PUBLISHED.split(), ("date",)) | {
    "Account": ("servicePeriod",),
    "AdverseEvent": ("date", "detected", "recordedDate"),
    "AllergyIntolerance": ("recordedDate", "onset[x]", "lastOccurrence"),
    "Appointment": ("start", "requestedPeriod", "created"),
    "AppointmentResponse": ("start",),
    "AuditEvent": ("recorded", "period"),
    "Basic": ("created",),
    "BiologicallyDerivedProduct": ("collection.collected[x]",),
    "Bundle": ("timestamp",),
    "CarePlan": ("period", "created"),
    "CareTeam": ("period",),
    "CatalogEntry": ("lastUpdated",),
    "ChargeItem": ("occurrence[x]", "enteredDate"),
    "Claim": ("billablePeriod", "created"),
    "ClaimResponse": ("created",),
    "ClinicalImpression": ("date", "effective[x]"),
    "Communication": ("sent", "received"),
    "CommunicationRequest": ("authoredOn", "occurrence[x]"),
    "Composition": ("date",),
    "Condition": ("onset[x]", "recordedDate"),
    "Consent": ("dateTime",),
    "Contract": ("issued", "applies"),
    "Coverage": ("period",),
    "CoverageEligibilityRequest": ("serviced[x]", "created"),
    "CoverageEligibilityResponse": ("serviced[x]", "created"),
    "DetectedIssue": ("identified[x]",),
    "DeviceRequest": ("authoredOn", "occurrence[x]"),
    "DeviceUseStatement": ("timing[x]", "recordedOn"),
    "DiagnosticReport": ("effective[x]", "issued"),
    "DocumentManifest": ("created",),
    "DocumentReference": ("date", "context.period"),
    "Encounter": ("period",),
    "Endpoint": ("period",),
    "EnrollmentRequest": ("created",),
    "EnrollmentResponse": ("created",),
    "EpisodeOfCare": ("period",),
    "ExplanationOfBenefit": ("billablePeriod", "created"),
    "FamilyMemberHistory": ("date",),
    "Flag": ("period",),
    "Goal": ("start[x]", "statusDate"),
    "GuidanceResponse": ("occurrenceDateTime",),
    "ImagingStudy": ("started",),
    "Immunization": ("occurrence[x]", "recorded"),
    "ImmunizationEvaluation": ("date",),
    "ImmunizationRecommendation": ("date",),
    "InsurancePlan": ("period",),
    "Invoice": ("date",),
    "List": ("date",),
    "MeasureReport": ("date", "period"),
    "Media": ("created[x]", "issued"),
    "MedicationAdministration": ("effective[x]",),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effective[x]", "dateAsserted"),
    "MedicinalProductAuthorization": ("statusDate",),
    "NutritionOrder": ("dateTime",),
    "Observation": ("effective[x]", "issued"),
    "OrganizationAffiliation": ("period",),
    "PaymentNotice": ("created", "paymentDate"),
    "PaymentReconciliation": ("created", "paymentDate"),
    "PractitionerRole": ("period",),
    "Procedure": ("performed[x]",),
    "Provenance": ("occurred[x]", "recorded"),
    "QuestionnaireResponse": ("authored",),
    "RelatedPerson": ("period",),
    "RequestGroup": ("authoredOn",),
    "ResearchStudy": ("period",),
    "ResearchSubject": ("period",),
    "RiskAssessment": ("occurrence[x]",),
    "Schedule": ("planningHorizon",),
    "ServiceRequest": ("authoredOn", "occurrence[x]"),
    "Slot": ("start",),
    "Specimen": ("collection.collected[x]", "receivedTime"),
    "SupplyDelivery": ("occurrence[x]",),
    "SupplyRequest": ("authoredOn", "occurrence[x]"),
    "Task": ("executionPeriod", "authoredOn", "lastModified"),
    "TestReport": ("issued",),
    "VerificationResult": ("statusDate", "lastPerformed"),
    "VisionPrescription": ("dateWritten", "created"),
}


def care_date(resource: Resource) -> str | None:
    """Return the care date as the FHIR date or dateTime text it has, or None."""
    for parent, name in _PLACES.get(resource["resourceType"], ()):
        holder = resource.get(parent) if parent else resource
        value = holder.get(name) if type(holder) is dict else None
        if value is not None:
            text = value if type(value) is str else _start(value)
            if text is not None:
                return text
    return None


def _start(value: Any) -> str | None:
    """Return the start of a Period (its end if open), or the first event of a Timing."""
    if type(value) is not dict:
        return None
    events = value.get("event")
    if type(events) is list:
        texts = [each for each in events if type(each) is str]
        return texts[0] if texts else None
    repeat = value.get("repeat")
    bounds = repeat.get("boundsPeriod") if type(repeat) is dict else value
    if type(bounds) is not dict:
        return None
    text = bounds.get("start") or bounds.get("end")
    return text if type(text) is str else None


_DATED = ("DateTime", "Period", "Instant", "Timing", "Date")


def _places(path: str) -> list[tuple[str, str]]:
    parent, _, name = path.rpartition(".")
    choice = name.removesuffix("[x]")
    return [(parent, choice + each) for each in _DATED] if choice != name else [(parent, name)]


_PLACES = {
    name: tuple(place for path in paths for place in _places(path))
    for name, paths in CARE_DATE_PATHS.items()
}
