"""Whose record a resource belongs to: shared by all, one patient's, or filed under nobody.

Every one of the 146 types is in exactly one class: SHARED, a key of OWNER_PATHS, UNFILED, or it is
Patient itself. The paths are those of R4's patient compartment (§2.28), cut down to the one element
that says whom a resource is *about*, and more for types that the compartment leaves out: Task,
Device, GuidanceResponse, documents. A performer, author, payer or guarantor never owns. Does not
resolve references.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_profiles.care_dates import CARE_DATE_PATHS, care_date
from fhir_profiles.identity import stable_id

__all__ = [
    "CARE_DATE_PATHS",
    "OWNER_PATHS",
    "PROVENANCE_TARGET",
    "SHARED",
    "UNFILED",
    "care_date",
    "owner_candidates",
    "owner_reference",
]

Resource = dict[str, Any]
# The path by which rows of references tell what a Provenance is about.
PROVENANCE_TARGET = stable_id("Provenance.target")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Directory, catalogue, definitions, terminology, conformance: nothing in them is about a patient.
SHARED: frozenset[str] = _words(
    """
    Endpoint HealthcareService InsurancePlan Location Organization OrganizationAffiliation
    Practitioner PractitionerRole

    CatalogEntry ChargeItemDefinition DeviceDefinition Medication MedicationKnowledge
    MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication
    MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
    MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
    MedicinalProductUndesirableEffect ObservationDefinition SpecimenDefinition Substance
    SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation
    SubstanceSourceMaterial SubstanceSpecification

    ActivityDefinition EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable Library
    Measure PlanDefinition Questionnaire ResearchDefinition ResearchElementDefinition ResearchStudy
    RiskEvidenceSynthesis

    CapabilityStatement CodeSystem CompartmentDefinition ConceptMap ExampleScenario GraphDefinition
    ImplementationGuide MessageDefinition NamingSystem OperationDefinition SearchParameter
    StructureDefinition StructureMap TerminologyCapabilities TestReport TestScript ValueSet
    """
)

# Patient types that no element of their own ties to one patient: they may speak of several (Group,
# Linkage, Person, MessageHeader), or only of things that may be a patient's (DeviceMetric, Slot).
UNFILED: frozenset[str] = _words(
    """
    DeviceMetric EnrollmentResponse Group Linkage MessageHeader OperationOutcome Parameters
    PaymentNotice PaymentReconciliation Person Slot Subscription
    """
)

_ABOUT_SUBJECT = _words(
    """
    Account AdverseEvent Basic CarePlan CareTeam ChargeItem ClinicalImpression Communication
    CommunicationRequest Composition Condition Contract DeviceRequest DeviceUseStatement
    DiagnosticReport DocumentManifest DocumentReference Encounter Flag Goal GuidanceResponse
    ImagingStudy Invoice List MeasureReport Media MedicationAdministration MedicationDispense
    MedicationRequest MedicationStatement Observation Procedure QuestionnaireResponse RequestGroup
    RiskAssessment ServiceRequest Specimen
    """
)
_ABOUT_PATIENT = _words(
    """
    AllergyIntolerance BodyStructure Claim ClaimResponse Consent CoverageEligibilityRequest
    CoverageEligibilityResponse DetectedIssue Device EpisodeOfCare ExplanationOfBenefit
    FamilyMemberHistory Immunization ImmunizationEvaluation ImmunizationRecommendation
    MolecularSequence NutritionOrder RelatedPerson SupplyDelivery VisionPrescription
    """
)

# Tried in order: the first path that names a patient decides, and it must name exactly one.
OWNER_PATHS: Mapping[str, tuple[str, ...]] = (
    dict.fromkeys(_ABOUT_SUBJECT, ("subject",))
    | dict.fromkeys(_ABOUT_PATIENT, ("patient",))
    | {
        "Appointment": ("participant.actor",),
        "AppointmentResponse": ("actor",),
        # Whose data were touched counts before who touched them.
        "AuditEvent": ("entity.what", "agent.who"),
        "Binary": ("securityContext",),
        # The donor, as for a specimen; the recipient stands in what refers to the product.
        "BiologicallyDerivedProduct": ("collection.source",),
        # Documents only; a collection or message speaks of whom it likes.
        "Bundle": ("entry[0].resource.subject",),
        "Coverage": ("beneficiary",),
        "EnrollmentRequest": ("candidate",),
        # More is known where targets are looked up: whose each of them is (`ehr/store/resolve.py`).
        "Provenance": ("target",),
        "ResearchSubject": ("individual",),
        "Schedule": ("actor",),
        # The `subject` search parameter of R4 reads deliverTo; the requester may be anybody.
        "SupplyRequest": ("deliverTo",),
        "Task": ("for",),
        "VerificationResult": ("target",),
    }
)


def owner_reference(resource: Resource) -> str | None:
    """Return the reference text that names the one patient whom a resource is about, else None.

    The text is as it came: `Patient/1`, an absolute URL, `urn:uuid:…` or `Patient?identifier=…`.
    None for a Patient, which owns itself, and where no patient or more than one is named.
    """
    name = _DIRECT.get(resource["resourceType"])
    if name is not None:
        reference = resource.get(name)
        if type(reference) is dict:
            return _patient_text(reference)
        if type(reference) is not list:
            return None
    candidates = owner_candidates(resource)
    return candidates[0] if len(candidates) == 1 else None


def owner_candidates(resource: Resource) -> tuple[str, ...]:
    """Return the distinct texts of the first owner path that may name a patient.

    A `urn:` without a type may be a patient: where several texts come back, a caller who can
    resolve them decides.
    """
    for texts in _READERS.get(resource["resourceType"], ()):
        found = tuple(dict.fromkeys(texts(resource)))
        if found:
            return found
    return ()


_PATIENT_PROFILE = "http://hl7.org/fhir/StructureDefinition/Patient"


def _patient_text(reference: Resource) -> str | None:
    text = reference.get("reference")
    if type(text) is not str:
        return None
    if text.startswith(("Patient/", "Patient?")):
        return text
    if text.startswith("urn:"):
        is_patient = reference.get("type", "Patient") in ("Patient", _PATIENT_PROFILE)
        return text if is_patient else None
    return text if "://" in text and _type_in_url(text) == "Patient" else None


def _type_in_url(url: str) -> str:
    """Return the type segment of an absolute `[base]/Type/id[/_history/version]`, or nothing."""
    segments = url.split("/")
    if segments[-2] == "_history":
        segments = segments[:-2]
    # `https:`, nothing and the host come first: a host may be called anything.
    return segments[-2] if len(segments) > 4 else ""


def _texts_at(steps: list[str]) -> Callable[[Resource], Iterator[str]]:
    """Return a reader of the patient texts below a resource, lists on the way opened."""

    def read(resource: Resource) -> Iterator[str]:
        values: list[Any] = [resource]
        for step in steps:
            members = [each[step] for each in values if type(each) is dict and step in each]
            values = [item for each in members for item in (each if type(each) is list else [each])]
        for reference in values:
            text = _patient_text(reference) if type(reference) is dict else None
            if text is not None:
                yield text

    return read


def _document_subject(bundle: Resource) -> Iterator[str]:
    """Yield the subject of a document: FHIR R4 §2.35 puts its Composition first."""
    entries = bundle.get("entry")
    if bundle.get("type") != "document" or type(entries) is not list or not entries:
        return
    first = entries[0].get("resource") if type(entries[0]) is dict else None
    if type(first) is dict and first.get("resourceType") == "Composition":
        yield from _texts_at(["subject"])(first)


_READERS: Mapping[str, tuple[Callable[[Resource], Iterator[str]], ...]] = {
    name: tuple(_texts_at(path.split(".")) for path in paths) for name, paths in OWNER_PATHS.items()
} | {"Bundle": (_document_subject,)}
# The common case, one element at the top, is read without the machinery.
_DIRECT: Mapping[str, str] = {
    name: paths[0] for name, paths in OWNER_PATHS.items() if len(paths) == 1 and "." not in paths[0]
}
