"""An event as FHIR R4 AuditEvent, in the patterns of IHE Basic Audit Log Patterns (BALP) 1.1.

Nothing is kept as FHIR: names of patients' and resources' rows are looked up when it is asked for.
An event of another system is told as that system sent it, with an id of ours.
"""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from auth.purposes import SYSTEM as PURPOSES
from ehr.audit import rows
from ehr.audit.event import AuditRow, Event
from ehr.audit.ids import Ids
from ehr.audit.items import unpack
from ehr.audit.kinds import CODINGS, DCM, Code, Coding, Kind
from ehr.messages import Resource
from ehr.store.bodies import instant
from fhir_profiles import json_format
from fhir_profiles.resource_types import is_resource_type, type_name

_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ROLE_CLASS = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
_BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_URI = "urn:ietf:rfc:3986"
NAME = "Shared care record"
_UNNAMED = {"display": "A member of staff"}

_SOURCE: Code = (DCM, "110153", "Source Role ID")
_DESTINATION: Code = (DCM, "110152", "Destination Role ID")
_RECIPIENT: Code = (_PARTICIPATION, "IRCP", "information recipient")
_AUTHOR: Code = (_PARTICIPATION, "AUT", "author (originator)")
_PROVIDER: Code = (_ROLE_CLASS, "PROV", "healthcare provider")
_OUTCOMES = {
    4: "It was refused or not found, and nothing was shown or changed.",
    8: "It failed, and nothing was shown or changed.",
    12: "The record itself was at fault.",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What rows of the record are called: patients by key, resources by (patient_key, rid)."""

    patients: Mapping[int, str]
    resources: Mapping[tuple[int, int], tuple[str, str]]


def names_for(connection: Connection, events: Sequence[Event]) -> Names:
    """Return the names that these events need, in two statements."""
    places: list[tuple[int, int]] = []
    for event in events:
        row = event.row
        if row.rid is not None:
            places.append((row.patient_key, row.rid))
        places += [(key, rid) for key, rid, _ in unpack(row.items or b"", row.patient_key)]
    patients = rows.patients_of(connection, [event.row.patient_key for event in events])
    return Names(patients, rows.names_of(connection, places))


def observer(base: str) -> Resource:
    """Return the reference by which this record names itself; nobody else may name it so."""
    return {"identifier": {"system": _URI, "value": base}, "display": NAME}


def render(
    event: Event,
    ids: Ids,
    names: Names,
    *,
    base: str,
    query: str | None = None,
    unnamed: Collection[str] = (),
) -> Resource:
    """Return the AuditEvent of an event.

    `base` is the address of this record. `query` is that of the first event of the request, where
    this one comes behind it. `unnamed` are agents whose names are not told.
    """
    row = event.row
    head: Resource = {
        "resourceType": "AuditEvent",
        "id": ids.of(event.place),
        "meta": {"versionId": "1", "lastUpdated": instant(row.at)},
    }
    if row.body is not None:
        sent = json_format.parse(row.body)
        return head | {k: v for k, v in sent.items() if k not in head}
    coding = CODINGS[Kind(row.kind)]
    told = head | {
        "type": _coding(coding.type),
        "subtype": [_coding(coding.subtype)],
        "action": coding.action,
        "recorded": instant(row.at),
        "outcome": str(row.outcome),
        "agent": _agents(row, coding, base, unnamed),
        "source": {
            "observer": observer(base),
            "type": [_coding((_SOURCE_TYPE, "4", "Application Server"))],
        },
    }
    if row.outcome in _OUTCOMES:
        told["outcomeDesc"] = _OUTCOMES[row.outcome]
    if row.purpose is not None:
        told["purposeOfEvent"] = [_concept((PURPOSES, row.purpose, ""))]
    entities = _entities(row, names, row.query if row.query is not None else query)
    return told | {"entity": entities} if entities else told


def _agents(row: AuditRow, coding: Coding, base: str, unnamed: Collection[str]) -> list[Resource]:
    client = _DESTINATION if coding.reads else _SOURCE
    server = _SOURCE if coding.reads else _DESTINATION
    known = {"identifier": {"value": row.client_id}} if row.client_id else {"display": "unknown"}
    agents: list[Resource] = [
        {"type": _concept(client), "who": known, "requestor": row.agent is None},
        {
            "type": _concept(server),
            "who": observer(base),
            "requestor": False,
            "network": {"address": base, "type": "5"},
        },
    ]
    if row.agent is not None:
        who = _UNNAMED if row.agent in unnamed else _reference(row.agent)
        agents.append(_user(row, who, coding))
    if row.organisation is not None:
        agents.append(
            {
                "type": _concept(_PROVIDER),
                "who": _reference(row.organisation),
                "requestor": False,
            }
        )
    if row.on_behalf_of is not None:
        agents.append(
            {
                "type": {"text": "on behalf of"},
                "who": _reference(row.on_behalf_of),
                "requestor": False,
            }
        )
    return agents


def _user(row: AuditRow, who: Resource, coding: Coding) -> Resource:
    user: Resource = {"type": _concept(_AUTHOR if coding.action in "CUD" else _RECIPIENT)}
    if row.role is not None:
        user["role"] = [{"text": row.role}]
    user |= {"who": who, "requestor": True}
    if row.token_id is not None:
        user["policy"] = [f"urn:ehr:token:{row.token_id}"]
    if row.purpose is not None:
        user["purposeOfUse"] = [_concept((PURPOSES, row.purpose, ""))]
    return user


def _entities(row: AuditRow, names: Names, query: str | None) -> list[Resource]:
    found: list[Resource] = []
    data = _data(row, names)
    if data is not None:
        found.append(data)
    if query is not None or row.found is not None or row.items:
        found.append(_query(row, names, query))
    patient = names.patients.get(row.patient_key)
    if patient is not None:
        found.append({"what": {"reference": f"Patient/{patient}"}, **_typed("1", "1")})
    if row.request_id is not None:
        found.append(
            {
                "what": {"identifier": {"value": row.request_id}},
                "type": {"system": _BALP_ENTITY, "code": "XrequestId"},
            }
        )
    return found


def _data(row: AuditRow, names: Names) -> Resource | None:
    """Return the resource concerned, or in words what was named where there is none."""
    name = names.resources.get((row.patient_key, row.rid)) if row.rid is not None else None
    if name is not None:
        what: Resource = {"reference": _versioned(name, row.version)}
    elif row.named is not None:
        what = {"identifier": {"value": row.named}}
    elif row.type is not None and row.rid is not None:
        what = {"display": f"{type_name(row.type)} that is no longer there"}
    else:
        return None
    return {"what": what, **_typed("2", "4")}


def _query(row: AuditRow, names: Names, query: str | None) -> Resource:
    entity: Resource = _typed("2", "24")
    if query is not None:
        entity["description"] = query
        entity["query"] = base64.b64encode(query.encode()).decode()
    detail: list[Resource] = []
    if row.found is not None:
        detail.append({"type": "found", "valueString": str(row.found)})
    for key, rid, version in unpack(row.items or b"", row.patient_key):
        name = names.resources.get((key, rid))
        if name is not None:
            detail.append({"type": "returned", "valueString": _versioned(name, version)})
    return entity | {"detail": detail} if detail else entity


def _versioned(name: tuple[str, str], version: int | None) -> str:
    reference = f"{name[0]}/{name[1]}"
    return reference if not version else f"{reference}/_history/{version}"


def _typed(type: str, role: str) -> Resource:
    types = {"1": "Person", "2": "System Object"}
    roles = {"1": "Patient", "4": "Domain Resource", "24": "Query"}
    return {
        "type": _coding((_ENTITY_TYPE, type, types[type])),
        "role": _coding((_ENTITY_ROLE, role, roles[role])),
    }


def _reference(text: str) -> Resource:
    """Return a reference to one of ours, or an identifier: not every author is a resource."""
    type, slash, id = text.partition("/")
    if slash and id and is_resource_type(type):
        return {"reference": text}
    return {"identifier": {"value": text}}


def _concept(code: Code) -> Resource:
    return {"coding": [_coding(code)]}


def _coding(code: Code) -> dict[str, Any]:
    system, value, display = code
    return {"system": system, "code": value} | ({"display": display} if display else {})
