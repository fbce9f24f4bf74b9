"""What access asks of a resource beside whose it is: labels, release time, authors, parties. Pure.

R4 security-labels. Confidentiality is U < L < M < N < R < V as 0…5 (HL7 v3 Confidentiality); no
label is N, of several the highest counts. Each sensitivity has one bit. Does not resolve
references: texts are as they stand.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_profiles.own_names import RELEASE_TIME

Resource = dict[str, Any]
Reference = dict[str, Any]

CONFIDENTIALITY = {"U": 0, "L": 1, "M": 2, "N": 3, "R": 4, "V": 5}
NORMAL, RESTRICTED, LOCKED = (CONFIDENTIALITY[code] for code in "NRV")
# The order is the bit and is never changed; new codes go to the end.
SENSITIVITY = (
    "HIV", "STD", "SUD", "ETH", "PSY", "MH", "SEX", "SDV", "GDIS", "TBOO", "VIO", "ADOL",
    "PRS", "PHY", "ETHUD", "OPIOIDUD", "SCA", "SICKLE", "DVD", "SEXHLTH",
    "PATRPT", "SOCIALCARE", "JUSTICE", "THIRDPARTY",
)  # fmt: skip
BITS: Mapping[str, int] = {code: 1 << bit for bit, code in enumerate(SENSITIVITY)}


def mask(*codes: str) -> int:
    """Return the bits of sensitivities. Raises KeyError for a code that is none."""
    found = 0
    for code in codes:
        found |= BITS[code]
    return found


# Groups as patients know them; a general one would be all the rest.
PRIVACY_GROUPS: Mapping[str, int] = {
    "mental": mask("PSY", "MH"),
    "sexual": mask("HIV", "STD", "SEX", "SEXHLTH"),
    "substance": mask("SUD", "ETH", "ETHUD", "OPIOIDUD"),
    "violence": mask("SDV", "VIO", "DVD"),
    "genetic": mask("GDIS", "SCA", "SICKLE"),
    "social": mask("SOCIALCARE"),
    "justice": mask("JUSTICE"),
}
# Hidden from the patient and carers: what a doctor has still to explain, and what others said.
NOT_FOR_PATIENT = mask("TBOO", "THIRDPARTY")


@dataclass(frozen=True, slots=True)
class Facets:
    """What access asks of one version; `releases` are dateTimes as written, none: at once."""

    conf: int
    sens: int
    releases: tuple[str, ...]
    authors: tuple[Reference, ...]
    parties: tuple[Reference, ...]


def facets(resource: Resource) -> Facets:
    """Return the facets of a valid resource."""
    conf, sens = labels(resource)
    return Facets(conf, sens, release_times(resource), authors(resource), parties(resource))


def labels(resource: Resource) -> tuple[int, int]:
    """Return (conf, sens) of a resource: its highest confidentiality and all its sensitivities."""
    security: list[Any] = resource.get("meta", {}).get("security") or []
    if not security:
        return NORMAL, 0
    codes = [str(label.get("code")) for label in security if isinstance(label, dict)]
    levels = [CONFIDENTIALITY[code] for code in codes if code in CONFIDENTIALITY]
    sensitivity = 0
    for code in codes:
        sensitivity |= BITS.get(code, 0)
    return max(levels, default=NORMAL), sensitivity


def release_times(resource: Resource) -> tuple[str, ...]:
    """Return from when the patient may see it, as texts in `meta`: the last of them counts."""
    return tuple(
        value
        for one in resource.get("meta", {}).get("extension") or ()
        if isinstance(one, dict) and one.get("url") == RELEASE_TIME
        for name in ("valueDateTime", "valueInstant")
        if isinstance(value := one.get(name), str)
    )


# Who says what is written: whose entry it is, and nobody else's to edit.
AUTHOR_PATHS: Mapping[str, tuple[str, ...]] = {
    "AdverseEvent": ("recorder", "contributor"),
    "AllergyIntolerance": ("recorder", "asserter"),
    "Basic": ("author",),
    "CarePlan": ("author", "contributor"),
    "ClinicalImpression": ("assessor",),
    "Communication": ("sender",),
    "CommunicationRequest": ("requester", "sender"),
    "Composition": ("author", "attester.party"),
    "Condition": ("recorder", "asserter"),
    "Consent": ("performer",),
    "DetectedIssue": ("author",),
    "DeviceRequest": ("requester",),
    "DeviceUseStatement": ("source",),
    "DiagnosticReport": ("performer", "resultsInterpreter"),
    "DocumentManifest": ("author",),
    "DocumentReference": ("author", "authenticator"),
    "Flag": ("author",),
    "Goal": ("expressedBy",),
    "GuidanceResponse": ("performer",),
    "ImagingStudy": ("interpreter",),
    "Immunization": ("performer.actor",),
    "List": ("source",),
    "Media": ("operator",),
    "MedicationAdministration": ("performer.actor",),
    "MedicationDispense": ("performer.actor",),
    "MedicationRequest": ("requester", "recorder"),
    "MedicationStatement": ("informationSource",),
    "NutritionOrder": ("orderer",),
    "Observation": ("performer",),
    "Procedure": ("recorder", "asserter", "performer.actor"),
    "Provenance": ("agent.who",),
    "QuestionnaireResponse": ("author", "source"),
    "RequestGroup": ("author",),
    "RiskAssessment": ("performer",),
    "ServiceRequest": ("requester",),
    "Specimen": ("collection.collector",),
    "SupplyRequest": ("requester",),
    "Task": ("requester",),
    "VisionPrescription": ("prescriber",),
}  # fmt: skip
# Between whom it goes: they have to know of it, whatever else they may see.
PARTY_PATHS: Mapping[str, tuple[str, ...]] = {
    "Appointment": ("participant.actor",),
    "AppointmentResponse": ("actor",),
    "Communication": ("sender", "recipient"),
    "CommunicationRequest": ("requester", "sender", "recipient"),
    "DeviceRequest": ("requester", "performer"),
    "DocumentManifest": ("recipient",),
    "MedicationRequest": ("requester", "performer"),
    "ServiceRequest": ("requester", "performer"),
    "SupplyRequest": ("requester", "supplier"),
    "Task": ("requester", "owner", "for", "restriction.recipient"),
}


def authors(resource: Resource) -> tuple[Reference, ...]:
    """Return the References that name who wrote, recorded or performed, each once."""
    return _at(_AUTHORS, resource)


def parties(resource: Resource) -> tuple[Reference, ...]:
    """Return the References that name those between whom it goes, each once."""
    return _at(_PARTIES, resource)


Reader = Callable[[Resource], Iterator[Any]]


def _reader(path: str) -> Reader:
    steps = path.split(".")

    def read(resource: Resource) -> Iterator[Any]:
        values: list[Any] = [resource]
        for step in steps:
            members = [each[step] for each in values if type(each) is dict and step in each]
            values = [item for each in members for item in (each if type(each) is list else [each])]
        yield from values

    return read


def _readers(paths: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[Reader, ...]]:
    return {name: tuple(map(_reader, some)) for name, some in paths.items()}


_AUTHORS, _PARTIES = _readers(AUTHOR_PATHS), _readers(PARTY_PATHS)


def _at(readers: Mapping[str, tuple[Reader, ...]], resource: Resource) -> tuple[Reference, ...]:
    found: list[Reference] = []
    for read in readers.get(resource["resourceType"], ()):
        found += (each for each in read(resource) if type(each) is dict and each not in found)
    return tuple(found)
