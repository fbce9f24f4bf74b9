"""Builders in care words: valid R4 resources with as little as a test needs to say.

    mary = client.create(given.patient("Mary"))
    client.create(given.observation(mary, code="8867-4", value=72, unit="/min"))

A resource argument may be the resource (as stored or with an `id`), a text such as "Patient/1", or,
inside a transaction, a `urn:uuid:` text. Further elements go by their FHIR names.
"""

import uuid
from decimal import Decimal
from typing import Any

from fhir_profiles.own_names import ORGANIZATION_TYPE, PRACTICE

Resource = dict[str, Any]
Who = Resource | str

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


def reference(who: Who) -> Resource:
    """Refer to a resource."""
    if isinstance(who, str):
        return {"reference": who}
    return {"reference": f"{who['resourceType']}/{who['id']}"}


def concept(code: str, system: str = SNOMED, display: str | None = None) -> Resource:
    """Code something."""
    coding = {"system": system, "code": code}
    return {"coding": [coding | ({"display": display} if display else {})]}


def patient(given: str = "Mary", family: str = "Murray", **more: Any) -> Resource:
    """Describe a person who receives care."""
    return {
        "resourceType": "Patient",
        "name": [{"family": family, "given": [given]}],
        "gender": "female",
        "birthDate": "1950-03-02",
        **more,
    }


def practitioner(given: str = "Anna", family: str = "Reid", **more: Any) -> Resource:
    """Describe a professional."""
    return {
        "resourceType": "Practitioner",
        "name": [{"family": family, "given": [given], "prefix": ["Dr"]}],
        **more,
    }


def organisation(name: str = "Leith Walk Surgery", **more: Any) -> Resource:
    """Describe an organisation."""
    return {"resourceType": "Organization", "name": name, **more}


def practice(name: str = "Leith Walk Surgery", **more: Any) -> Resource:
    """Describe a practice of GPs."""
    return organisation(name, type=[concept(PRACTICE, ORGANIZATION_TYPE)], **more)


def encounter(subject: Who, start: str = "2024-05-01T09:00:00Z", **more: Any) -> Resource:
    """Record a visit."""
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "AMB",
        },
        "subject": reference(subject),
        "period": {"start": start},
        **more,
    }


def observation(
    subject: Who,
    *,
    code: str = "8867-4",
    value: int | str | Decimal = 72,
    unit: str = "/min",
    when: str = "2024-05-01T09:15:00Z",
    **more: Any,
) -> Resource:
    """Record a measurement; give the value as text to fix its decimals: value="72.50"."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(code, LOINC),
        "subject": reference(subject),
        "effectiveDateTime": when,
        "valueQuantity": {
            "value": Decimal(value) if isinstance(value, str) else value,
            "unit": unit,
            "system": UCUM,
            "code": unit,
        },
        **more,
    }


def condition(subject: Who, code: str = "73211009", **more: Any) -> Resource:
    """Record a diagnosis."""
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "clinicalStatus": concept("active", clinical),
        "code": concept(code),
        "subject": reference(subject),
        **more,
    }


def goal(subject: Who, text: str = "Walk to the shop", **more: Any) -> Resource:
    """Record what a person wants to reach."""
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": text},
        "subject": reference(subject),
        **more,
    }


def care_plan(subject: Who, **more: Any) -> Resource:
    """Lay down a plan of care."""
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": reference(subject),
        **more,
    }


def care_team(subject: Who, *members: Who, **more: Any) -> Resource:
    """Name who cares for a person."""
    team = {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": reference(subject),
        **more,
    }
    if members:
        team["participant"] = [{"member": reference(member)} for member in members]
    return team


def binary(content: str = "aGVsbG8=", content_type: str = "text/plain", **more: Any) -> Resource:
    """Hold a document in base64."""
    return {"resourceType": "Binary", "contentType": content_type, "data": content, **more}


def fhirpath_patch(type: str, path: str, **value: Any) -> Resource:
    """Describe a patch of one operation; its value by its name there, as `valueCode="male"`."""
    parts = [{"name": "type", "valueCode": type}, {"name": "path", "valueString": path}]
    parts += [{"name": "value", name: given} for name, given in value.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def urn() -> str:
    """Make a full URL for a new resource in a Bundle."""
    return f"urn:uuid:{uuid.uuid4()}"


def entry(
    resource: Resource | None = None,
    *,
    method: str = "POST",
    url: str | None = None,
    full_url: str | None = None,
    **request: str,
) -> Resource:
    """Ask for one change in a Bundle; the URL follows from the resource unless given."""
    made: Resource = {"fullUrl": full_url} if full_url else {}
    if resource is not None:
        made["resource"] = resource
        url = url or _url_of(resource, method)
    made["request"] = {"method": method, "url": url, **request}
    return made


def _url_of(resource: Resource, method: str) -> str:
    if method == "POST":
        return str(resource["resourceType"])
    return f"{resource['resourceType']}/{resource['id']}"


def bundle(type: str, *entries: Resource) -> Resource:
    """Put entries, or resources to be created, into a Bundle."""
    whole = [entry(each) if "resourceType" in each else each for each in entries]
    return {"resourceType": "Bundle", "type": type, "entry": whole}


def transaction(*entries: Resource) -> Resource:
    """Make changes that happen together or not at all."""
    return bundle("transaction", *entries)


def batch(*entries: Resource) -> Resource:
    """Make changes that happen each on its own."""
    return bundle("batch", *entries)
