"""What is written of a patient's health and care: some thirty types, each said with little."""

from collections.abc import Callable

from tests.policy.world.labelling import age, locked, meta
from tests.policy.world.making import Making, Resource, concept, day, instant, period, ref
from tests.policy.world.people import Subject

_OBSERVED = "http://terminology.hl7.org/CodeSystem/observation-category"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_TABLET = concept("387458008")


def make_notes(making: Making, subject: Subject, encounters: list[str]) -> list[str]:
    """Make rows of most types, some of them changed later or deleted, and return their names."""
    found = []
    for write in _WRITTEN:
        for _ in range(making.one((1, 1, 2) if write in _OFTEN else (0, 1))):
            document = write(making, subject)
            labelled = {} if "meta" in document else meta(making)
            document = {**document, **labelled}
            name = making.add(document, making.one(subject.authors))
            age(making, name, subject.authors)
            found.append(name)
    if encounters:
        found.append(_measured_in(making, subject, making.one(encounters)))
    return found


def _measured_in(making: Making, subject: Subject, encounter: str) -> str:
    document = {**_vital(making, subject), **meta(making), "encounter": ref(encounter)}
    return making.add(document, making.one(subject.workers).author)


def _observation(category: str, code: str, **more: Resource) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept(category, _OBSERVED)],
        "code": concept(code, "http://loinc.org"),
        **more,
    }


def _vital(making: Making, subject: Subject) -> Resource:
    is_home = making.chance(0.3)
    return {
        **_observation("vital-signs", "8867-4", subject=ref(subject.name)),
        "effectiveDateTime": instant(-20),
        "valueQuantity": {
            "value": making.random.randint(50, 110), "unit": "/min", "code": "/min",
            "system": "http://unitsofmeasure.org",
        },
        **(meta(making, tags=("patient-reported",)) if is_home else {}),
    }  # fmt: skip


def _laboratory(making: Making, subject: Subject) -> Resource:
    return {
        **_observation("laboratory", "2951-2", subject=ref(subject.name)),
        "specimen": ref("#blood"),
        "contained": [{"resourceType": "Specimen", "id": "blood", "type": concept("119297000")}],
    }


def _social(making: Making, subject: Subject) -> Resource:
    return _observation("social-history", "72166-2", subject=ref(subject.name))


def _flag(making: Making, subject: Subject) -> Resource:
    is_safeguarding = making.chance(0.6)
    category = "safeguarding" if is_safeguarding else "clinical"
    return {
        "resourceType": "Flag",
        "status": "active",
        "category": [concept(category, "urn:flag")],
        "code": concept("225908003"),
        "subject": ref(subject.name),
        **(locked() if is_safeguarding and making.chance(0.8) else {}),
    }


def _questionnaire_response(making: Making, subject: Subject) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": making.one(("in-progress", "completed")),
        "questionnaire": f"https://forms.example.org/{making.one(('about-me|1', 'prom'))}",
        "subject": ref(subject.name),
    }


def _communication(making: Making, subject: Subject) -> Resource:
    sender, recipient = making.some(subject.workers, 2, 2)
    return {
        "resourceType": "Communication",
        "status": "completed",
        "subject": ref(subject.name),
        "sender": ref(making.one((sender.person, sender.organisation, subject.name))),
        "recipient": [ref(making.one((recipient.person, recipient.place, recipient.organisation)))],
    }


def _appointment(making: Making, subject: Subject) -> Resource:
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": instant(5),
        "end": instant(5.01),
        "participant": [
            {"actor": ref(name), "status": "accepted"}
            for name in (subject.name, making.one(subject.workers).person)
        ],
    }


def _family(making: Making, subject: Subject) -> Resource:
    relative = concept("MTH", "http://terminology.hl7.org/CodeSystem/v3-RoleCode")
    return _of_patient("FamilyMemberHistory", subject, status="completed", relationship=relative)


def _nutrition(making: Making, subject: Subject) -> Resource:
    diet = {"type": [concept("435801000124108")]}
    return _of_patient(
        "NutritionOrder", subject, status="active", intent="order", dateTime=day(-3), oralDiet=diet
    )


def _of_subject(type: str, subject: Subject, /, **elements: object) -> Resource:
    return {"resourceType": type, "subject": ref(subject.name), **elements}


def _of_patient(type: str, subject: Subject, /, **elements: object) -> Resource:
    return {"resourceType": type, "patient": ref(subject.name), **elements}


def _plainly(
    form: Callable[..., Resource], type: str, /, **elements: object
) -> Callable[[Making, Subject], Resource]:
    """Return what writes a type that always says the same."""
    return lambda making, subject: form(type, subject, **elements)


_MEDICINE = {"medicationCodeableConcept": _TABLET}
_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_OFTEN = (_vital, _social, _flag, _communication)
_WRITTEN: tuple[Callable[[Making, Subject], Resource], ...] = (
    _vital,
    _laboratory,
    _social,
    _flag,
    _questionnaire_response,
    _communication,
    _appointment,
    _family,
    _nutrition,
    _plainly(_of_patient, "AllergyIntolerance", clinicalStatus=concept("active", _CLINICAL)),
    _plainly(
        _of_patient, "Immunization",
        status="completed", vaccineCode=concept("836374004"), occurrenceDateTime=day(-300),
    ),
    _plainly(_of_subject, "Procedure", status="completed", code=concept("80146002")),
    _plainly(_of_subject, "MedicationRequest", status="active", intent="order", **_MEDICINE),
    _plainly(_of_subject, "MedicationStatement", status="active", **_MEDICINE),
    _plainly(
        _of_subject, "MedicationAdministration",
        status="completed", effectiveDateTime=day(-2), **_MEDICINE,
    ),
    _plainly(_of_subject, "MedicationDispense", status="completed", **_MEDICINE),
    _plainly(
        _of_subject, "ImagingStudy",
        status="available", description="Chest", modality=[{"system": _DICOM, "code": "DX"}],
        numberOfSeries=1,
    ),
    _plainly(_of_subject, "RiskAssessment", status="final"),
    _plainly(_of_subject, "ClinicalImpression", status="completed", summary="Frail"),
    _plainly(_of_subject, "List", status="current", mode="working", title="Agenda"),
    _plainly(_of_subject, "CommunicationRequest", status="active"),
    _plainly(_of_subject, "AdverseEvent", actuality="actual"),
    _plainly(_of_subject, "DeviceRequest", intent="order", codeCodeableConcept=concept("58938008")),
    _plainly(_of_subject, "Specimen", receivedTime=instant(-9)),
    _plainly(_of_patient, "Device", deviceName=[{"name": "Hoist", "type": "user-friendly-name"}]),
    _plainly(_of_patient, "DetectedIssue", status="final", detail="Two of a kind"),
    _plainly(_of_subject, "Basic", code=concept("referral", "urn:basic")),
)  # fmt: skip


def make_episode(making: Making, subject: Subject) -> str:
    """Make an episode of care at one of the organisations that treat."""
    worker = making.one(subject.workers)
    document = _of_patient(
        "EpisodeOfCare", subject,
        **meta(making),
        status="active",
        type=[concept("394656005")],
        period=period(-40),
        managingOrganization=ref(worker.organisation),
        careManager=ref(worker.person),
    )  # fmt: skip
    return making.add(document, worker.author, ago=40)
