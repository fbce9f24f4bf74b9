"""Whose record a resource is of, by the one element that says so for its type (R4, by hand).

Does not guess: an element that names no patient of this server, or two, files a resource under
nobody.
"""

from collections.abc import Callable

from tests.policy.naive.reading import Resource, named

Find = Callable[[str], Resource | None]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Said of nobody, seen by all whose role reads the type.
SHARED = _words(
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

    ActivityDefinition EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable
    Library Measure PlanDefinition Questionnaire ResearchDefinition ResearchElementDefinition
    ResearchStudy RiskEvidenceSynthesis

    CodeSystem ConceptMap NamingSystem ValueSet

    CapabilityStatement CompartmentDefinition ExampleScenario GraphDefinition
    ImplementationGuide MessageDefinition OperationDefinition SearchParameter
    StructureDefinition StructureMap TerminologyCapabilities TestReport TestScript
    """
)
_NOBODYS = _words("DeviceMetric Group Linkage MessageHeader Person Slot Subscription")
_OF_PATIENT = _words(
    """
    AllergyIntolerance BodyStructure Claim Consent DetectedIssue Device EpisodeOfCare
    ExplanationOfBenefit FamilyMemberHistory Immunization ImmunizationEvaluation
    ImmunizationRecommendation MolecularSequence NutritionOrder RelatedPerson SupplyDelivery
    VisionPrescription
    """
)
_OF_SUBJECT = _words(
    """
    Account AdverseEvent Basic CarePlan CareTeam ChargeItem ClinicalImpression Communication
    CommunicationRequest Composition Condition DeviceRequest DeviceUseStatement
    DiagnosticReport DocumentManifest DocumentReference Encounter Flag Goal GuidanceResponse
    ImagingStudy Invoice List MeasureReport Media MedicationAdministration MedicationDispense
    MedicationRequest MedicationStatement Observation Procedure QuestionnaireResponse
    RequestGroup RiskAssessment ServiceRequest Specimen
    """
)
_PATHS = (
    dict.fromkeys(_OF_PATIENT, ("patient",))
    | dict.fromkeys(_OF_SUBJECT, ("subject",))
    | {
        "Appointment": ("participant.actor",),
        "AppointmentResponse": ("actor",),
        "AuditEvent": ("entity.what", "agent.who"),
        "Binary": ("securityContext",),
        "BiologicallyDerivedProduct": ("collection.source",),
        "Coverage": ("beneficiary",),
        "ResearchSubject": ("individual",),
        "Schedule": ("actor",),
        "SupplyRequest": ("deliverTo",),
        "Task": ("for",),
        "VerificationResult": ("target",),
    }
)


def patient_of(document: Resource, find: Find) -> str | None:
    """Return `Patient/id` of the one patient whose record it is of; None: shared, or unfiled.

    `find` gives the document that a name stands for. KeyError for a type that is not known here.
    """
    kind = document["resourceType"]
    if kind == "Patient":
        return f"Patient/{document['id']}"
    if kind in SHARED or kind in _NOBODYS:
        return None
    if kind == "Provenance":
        return _one({owner for name in named(document, "target") for owner in _of(name, find)})
    if kind == "Bundle":
        return _of_document(document)
    for path in _PATHS[kind]:
        patients = {name for name in named(document, path) if name.startswith("Patient/")}
        if patients:
            return _one(patients)
    return None


def _one(patients: set[str]) -> str | None:
    return next(iter(patients)) if len(patients) == 1 else None


def _of(name: str, find: Find) -> list[str]:
    """Return whose record a target is of, as a list of one or none."""
    if name.startswith("Patient/"):
        return [name]
    document = find(name)
    owner = None if document is None else patient_of(document, find)
    return [] if owner is None else [owner]


def _of_document(bundle: Resource) -> str | None:
    """A document is of whom its Composition is about, which comes first (R4 §2.35)."""
    if bundle["type"] != "document":
        return None
    first = bundle["entry"][0]["resource"]
    return _one({name for name in named(first, "subject") if name.startswith("Patient/")})
