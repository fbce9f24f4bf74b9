"""The words by which the table narrows a right, each with one exact meaning. Closed: no other word.

A right of several words needs all of them; where a cell has several rights, one is enough. `kind`
says who enforces a word: `row` by the row as it stands, and for writes as it becomes too (the SQL
predicate); `change` by what a write alters; `parts` by what is left out of an answer. What of the
`row` words a resource says of itself, `marks.py` reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ROW, CHANGE, PARTS = "row", "change", "parts"

_SNOMED = "http://snomed.info/sct|"
PACKAGES = (_SNOMED + "60689008", _SNOMED + "893451000000102")  # home care, respite care


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A word of the table. Where `types` is not empty, it means something for these types only."""

    word: str
    kind: str
    meaning: str
    types: frozenset[str] = frozenset()


def _of(word: str, kind: str, types: str, meaning: str) -> Narrowing:
    return Narrowing(word, kind, meaning, frozenset(types.split()))


_WHOSE = (
    _of("own", ROW, "",
        "The caller wrote version 1 of the row: `version.author` of that version, for later ones "
        "name who wrote last."),
    _of("mine", ROW, "",
        "The caller's organisation is `Encounter.serviceProvider`, "
        "`EpisodeOfCare.managingOrganization` or `MeasureReport.reporter`; for all other types it "
        "is `version.author_organisation` of version 1."),
    _of("self", ROW, "RelatedPerson", "The resource is the caller's `fhirUser`."),
    _of("party", ROW, "Appointment AppointmentResponse Communication ServiceRequest Task",
        "The caller or the caller's organisation is `Task.owner` or `.requester`, "
        "`ServiceRequest.performer` or `.requester`, `Communication.sender` or `.recipient`, "
        "`Appointment.participant.actor` or `AppointmentResponse.actor`."),
    _of("grant", ROW, "",
        "The active proxy Consent by which the carer acts permits this letter on this type and "
        "group of data (`Consent.provision`)."),
    _of("live", ROW, "Flag",
        "Now, the patient has an Encounter of status `arrived`, `triaged`, `in-progress` or "
        "`onleave` whose `serviceProvider` is the caller's organisation; break-glass is none."),
    _of("area", ROW, "CarePlan CareTeam Condition Goal",
        "A Goal of a life area of the caller's organisation (`Goal.category` has a code of "
        "`HealthcareService.category` of a service that it provides), a CarePlan that names such "
        "a Goal, the CareTeam of that CarePlan, or a Condition that such a Goal `addresses`."),
    _of("acts", ROW, "AuditEvent", "`AuditEvent.agent.who` names the caller."),
    _of("shown", ROW, "AuditEvent",
        "`AuditEvent.entity.what` names the patient, and neither staff safety nor safeguarding "
        "holds the event back."),
)  # fmt: skip

_WHAT = (
    _of("need", ROW, "Condition", "`Condition.category` has `need`."),
    _of("care", ROW, "ServiceRequest",
        "A package of social care: `ServiceRequest.category` or `.code` has SNOMED CT 60689008 "
        "(home care) or 893451000000102 (respite care)."),
    _of("clinical", ROW, "Condition ServiceRequest",
        "A Condition that is not `need`, a ServiceRequest that is not `care`."),
    _of("key", ROW, "Condition",
        "A key problem: `Condition.category` has `problem-list-item`, `.clinicalStatus` is "
        "`active`, `recurrence` or `relapse`, and it is `plain`."),
    _of("social", ROW, "Binary Composition DocumentReference Observation",
        "`Observation.category` has `social-history`; `Composition.category` or "
        "`DocumentReference.category` has `social-care`; a Binary to which such a "
        "DocumentReference, visible to the caller, refers."),
    _of("vital", ROW, "Observation", "`Observation.category` has `vital-signs`."),
    _of("reported", ROW, "Observation", "`meta.tag` has `patient-reported`."),
    _of("measured", ROW, "Observation", "It is not `reported`."),
    _of("plan", ROW, "Observation",
        "An active CarePlan of the patient names it in `supportingInfo` or "
        "`activity.outcomeReference`, or a Goal of such a CarePlan in `outcomeReference`."),
    _of("about", ROW, "Composition QuestionnaireResponse",
        "About Me: `Composition.type` has `about-me`; the url of "
        "`QuestionnaireResponse.questionnaire` ends in `/about-me`, its version left off."),
    _of("question", ROW, "Task",
        "`Task.code` has `question`, `correction` or `own-action`."),
    _of("review", ROW, "Task", "`Task.code` has `break-glass-review`."),
    _of("access", ROW, "Consent",
        "`Consent.scope` has `patient-privacy`: a choice of sharing, or a proxy grant, recorded "
        "with its evidence by whoever is not the patient."),
    _of("aggregate", ROW, "MeasureReport",
        "`MeasureReport.type` is `summary`, no `subject` is a Patient, and no group lists people."),
    _of("foreign", ROW, "AuditEvent",
        "`AuditEvent.source.observer` names another system than this server."),
)  # fmt: skip

_LABELS = (
    _of("plain", ROW, "",
        "`meta.security` has no confidentiality above N; none counts as N."),
    _of("unlocked", ROW, "Flag", "`meta.security` does not have V."),
    _of("released", ROW, "",
        "`meta.security` does not have TBOO, and the row has no release time or it has passed."),
    _of("told", ROW, "AdverseEvent Flag",
        "`meta.security` does not have TBOO, and the row has a release time, which has passed."),
    _of("shared", ROW, "Binary Composition DocumentReference",
        "It is `plain`, and `Composition.status` is `final` or `amended`, or "
        "`DocumentReference.status` is `current`; a Binary to which such a DocumentReference, "
        "visible to the caller, refers."),
    _of("unfinished", ROW, "QuestionnaireResponse",
        "As it stood, `QuestionnaireResponse.status` was `in-progress`."),
)  # fmt: skip

_CHANGES = (
    _of("proposed", CHANGE, "Goal", "What is made has `Goal.lifecycleStatus` `proposed`."),
    _of("error", CHANGE, "Observation",
        "Nothing changes but `Observation.status`, which becomes `entered-in-error`."),
    _of("comment", CHANGE, "CarePlan",
        "Nothing changes but entries added, by the caller as author, to "
        "`CarePlan.activity.progress` and `CarePlan.note`, and the extension on agreement."),
    _of("contact", CHANGE, "Patient",
        "Nothing changes but `Patient.telecom`, `address`, `contact`, `communication` and "
        "`photo`."),
    _of("auto", CHANGE, "Provenance",
        "It comes beside the write that it tells of, in `X-Provenance`; never by itself."),
)  # fmt: skip

_PARTS = (
    _of("minimal", PARTS, "Patient",
        "Of the Patient, `name`, `birthDate`, `gender` and `generalPractitioner` only."),
    _of("outline", PARTS, "EpisodeOfCare",
        "Of the episode, `patient`, `status`, `type`, `period` and `managingOrganization` only."),
    _of("conclusion", PARTS, "DiagnosticReport ImagingStudy",
        "Of the report, `subject`, `status`, `category`, `code`, `effective[x]`, `issued`, "
        "`performer` and `conclusion` only; of the study, `subject`, `status`, `modality`, "
        "`started` and `description`."),
)  # fmt: skip

NARROWINGS: tuple[Narrowing, ...] = (*_WHOSE, *_WHAT, *_LABELS, *_CHANGES, *_PARTS)
BY_WORD: Mapping[str, Narrowing] = {one.word: one for one in NARROWINGS}


def meant(words: Iterable[str]) -> str:
    """Return in sentences what all must hold for these words; empty for none."""
    return " ".join(BY_WORD[word].meaning for word in sorted(words) if word in BY_WORD)
