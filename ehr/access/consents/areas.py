"""Parts of a record that a patient lets a carer into: words of the grant, and types behind them.

Areas are those of the patient's own pages. A type that is in no area is not for
carers; the audit trail and consents are areas of their own, granted by name only.
"""

from collections.abc import Mapping

AREAS: Mapping[str, frozenset[str]] = {
    "about": frozenset({"QuestionnaireResponse", "Questionnaire", "RelatedPerson"}),
    "access-log": frozenset({"AuditEvent", "Provenance"}),
    "appointments": frozenset({"Appointment", "AppointmentResponse", "Encounter", "EpisodeOfCare"}),
    "conditions": frozenset(
        {
            "AllergyIntolerance", "ClinicalImpression", "Condition", "FamilyMemberHistory",
            "Immunization", "Procedure",
        }
    ),
    "consents": frozenset({"Consent"}),
    "demographics": frozenset({"Patient"}),
    "documents": frozenset({"Binary", "Composition", "DocumentReference", "Media"}),
    "measurements": frozenset({"Device", "DeviceUseStatement", "Observation"}),
    "medicines": frozenset(
        {
            "MedicationAdministration", "MedicationDispense", "MedicationRequest",
            "MedicationStatement",
        }
    ),
    "messages": frozenset({"Communication", "CommunicationRequest"}),
    "plan": frozenset({"CarePlan", "CareTeam", "Goal", "ServiceRequest", "Task"}),
    "results": frozenset({"DiagnosticReport", "ImagingStudy", "Observation", "Specimen"}),
}  # fmt: skip
# What a parent keeps of a young person's record from the age of review on.
OF_THE_YOUNG = frozenset({"appointments", "demographics", "messages"})


def permit(action: str, area: str) -> str:
    """Return one permission as relationships keep it: `read:plan`."""
    return f"{action}:{area}"


def permitted_types(permits: str, action: str) -> frozenset[str]:
    """Return the types that permissions open to an action, from `read:plan write:messages`."""
    found: set[str] = set()
    for one in permits.split():
        verb, _, area = one.partition(":")
        if verb == action:
            found |= AREAS.get(area, frozenset())
    return frozenset(found)
