"""Who made a version, as a Provenance (R4 Provenance): one version is its target. Pure."""

from auth.purposes import SYSTEM as ACT_REASON
from auth.roles.known import ROLES
from ehr.access.made import Made
from ehr.messages import Resource
from ehr.store.bodies import instant
from ehr.store.drafts import Method
from fhir_profiles import json_format
from fhir_profiles.own_names import code_system

_ACTIVITY = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ROLE, _CALLER, _CLIENT = code_system("role"), code_system("caller"), code_system("client")
_LABELS = {role.word: role.label for role in ROLES}


def shown(made: Made, id: str) -> bytes:
    """Return the Provenance of a version under an id."""
    code = _code(made)
    resource: Resource = {
        "resourceType": "Provenance",
        "id": id,
        "meta": {"versionId": "1", "lastUpdated": instant(made.at)},
        "target": [{"reference": f"{made.type}/{made.id}/_history/{made.version}"}],
        "recorded": instant(made.at),
        "activity": {"coding": [{"system": _ACTIVITY, "code": code}]},
        "agent": [_enterer(made), *([_app(made)] if made.facts.client else [])],
    }
    if made.facts.purpose:
        resource["reason"] = [{"coding": [{"system": ACT_REASON, "code": made.facts.purpose}]}]
    return json_format.serialise(resource)


def _code(made: Made) -> str:
    if made.method is Method.DELETE:
        return "DELETE"
    return "CREATE" if made.is_first else "UPDATE"


def _enterer(made: Made) -> Resource:
    facts = made.facts
    caller = {"identifier": {"system": _CALLER, "value": made.author or "unknown"}}
    agent: Resource = {
        "type": {"coding": [{"system": _PARTICIPANT, "code": "enterer"}]},
        "who": {"reference": facts.person} if facts.person else caller,
    }
    if facts.role:
        coding = {"system": _ROLE, "code": facts.role, "display": _LABELS.get(facts.role, "")}
        agent["role"] = [{"coding": [{name: one for name, one in coding.items() if one}]}]
    here = f"Organization/{made.organisation}" if made.organisation else ""
    behalf = facts.patient or here
    return {**agent, "onBehalfOf": {"reference": behalf}} if behalf else agent


def _app(made: Made) -> Resource:
    """Return the application or system by which it came."""
    return {
        "type": {"coding": [{"system": _PARTICIPANT, "code": "assembler"}]},
        "who": {"identifier": {"system": _CLIENT, "value": made.facts.client}},
    }
