"""The 146 types in families, each of which has one line in the table for types without their own.

No source says anything of most types. What the family of such a type permits is told by `why`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Types that are alike; `why` says what is permitted where no line names the type."""

    name: str
    why: str
    types: frozenset[str]


def _family(name: str, types: str, why: str) -> Family:
    return Family(name, why, frozenset(types.split()))


FAMILIES: tuple[Family, ...] = (
    _family(
        "People",
        "Patient RelatedPerson",
        "Each has a line of its own.",
    ),
    _family(
        "Plan",
        "CarePlan CareTeam Goal",
        "Each has a line of its own.",
    ),
    _family(
        "Clinical",
        """AllergyIntolerance ClinicalImpression Condition DetectedIssue Encounter EpisodeOfCare
        FamilyMemberHistory GuidanceResponse Immunization ImmunizationEvaluation
        ImmunizationRecommendation List Observation Procedure""",
        "GP, consultant and nurse treat from one record, and patients read all of theirs by "
        "default; nobody else is named, and nobody writes.",
    ),
    _family(
        "Medicines",
        "MedicationAdministration MedicationDispense MedicationRequest MedicationStatement",
        "The care table's line for medication speaks of all four.",
    ),
    _family(
        "Diagnostics",
        """BiologicallyDerivedProduct BodyStructure DiagnosticReport ImagingStudy Media
        MolecularSequence Specimen""",
        "What results are made of: read by who treats, and by the patient once released.",
    ),
    _family(
        "Devices",
        "Device DeviceMetric DeviceUseStatement",
        "What is in or on a person: read by who treats and by the patient.",
    ),
    _family(
        "Documents",
        "Binary Bundle Composition DocumentManifest DocumentReference QuestionnaireResponse",
        "Kept documents are read by who reads documents; only systems file them whole.",
    ),
    _family(
        "Requests",
        """Communication CommunicationRequest DeviceRequest NutritionOrder RequestGroup
        ServiceRequest SupplyDelivery SupplyRequest Task VisionPrescription""",
        "Orders that no journey writes: read by who treats and by the patient.",
    ),
    _family(
        "Scheduling",
        "Appointment AppointmentResponse Schedule Slot",
        "Who books must see what is free; only systems offer it.",
    ),
    _family(
        "Safety",
        "AdverseEvent Flag RiskAssessment",
        "An adverse event may be about staff: read by who treats, by the patient once told.",
    ),
    _family(
        "Evidence",
        "AuditEvent Consent Provenance",
        "Each has a line of its own.",
    ),
    _family(
        "Measures",
        "MeasureReport",
        "It has a line of its own.",
    ),
    _family(
        "Money",
        """Account ChargeItem Claim ClaimResponse Contract Coverage CoverageEligibilityRequest
        CoverageEligibilityResponse EnrollmentRequest EnrollmentResponse ExplanationOfBenefit
        Invoice PaymentNotice PaymentReconciliation""",
        "No journey needs it to care; patients read what is of them.",
    ),
    _family(
        "Research",
        "ResearchSubject",
        "Who takes part is nobody's matter in care; patients read that they do.",
    ),
    _family(
        "Infrastructure",
        """Basic Group Linkage MessageHeader OperationOutcome Parameters Person Subscription
        VerificationResult""",
        "What they say, and of whom, can't be told from the type: systems only.",
    ),
    _family(
        "Directory",
        """Endpoint HealthcareService InsurancePlan Location Organization OrganizationAffiliation
        Practitioner PractitionerRole""",
        "Says nothing of patients. Staff find each other by it; patients read who treats them.",
    ),
    _family(
        "Catalogue",
        """CatalogEntry ChargeItemDefinition DeviceDefinition Medication MedicationKnowledge
        MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication
        MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
        MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
        MedicinalProductUndesirableEffect ObservationDefinition SpecimenDefinition Substance
        SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation
        SubstanceSourceMaterial SubstanceSpecification""",
        "Says nothing of patients. Patients read what their medicines are made of.",
    ),
    _family(
        "Definitions",
        """ActivityDefinition EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable
        Library Measure PlanDefinition Questionnaire ResearchDefinition ResearchElementDefinition
        ResearchStudy RiskEvidenceSynthesis""",
        "Says nothing of patients. Templates of plans and questions are loaded by systems.",
    ),
    _family(
        "Terminology",
        "CodeSystem ConceptMap NamingSystem ValueSet",
        "Says nothing of patients. Codes that nobody can look up help nobody.",
    ),
    _family(
        "Conformance",
        """CapabilityStatement CompartmentDefinition ExampleScenario GraphDefinition
        ImplementationGuide MessageDefinition OperationDefinition SearchParameter
        StructureDefinition StructureMap TerminologyCapabilities TestReport TestScript""",
        "Says nothing of patients, and how the server works: staff read it.",
    ),
)
FAMILY_OF: Mapping[str, Family] = {type: one for one in FAMILIES for type in one.types}
