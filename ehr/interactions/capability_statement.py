"""What a CapabilityStatement and a TerminologyCapabilities say, from the registries that do it.

R4 §5.3 (CapabilityStatement) and §4.9 (TerminologyCapabilities). The same for every caller.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import metadata
from typing import NamedTuple

from auth.metadata import OAUTH_URIS
from ehr.interactions.audit_events import parameters as evidence
from ehr.messages import Resource
from ehr.patches import MEDIA_TYPES
from ehr.search.grammar.query import BESIDE_TYPES
from ehr.search.parameters.custom import NO_CUSTOM, Custom
from ehr.search.parameters.modifiers import modifiers
from ehr.search.parameters.supported import searchable, supported_names
from ehr.urls import operations as offered
from fhir_profiles import definitions, search_parameters
from fhir_profiles.compartments import COMPARTMENTS
from fhir_profiles.search_parameters import SearchParameter

# Moves with a release, so that equal servers give equal statements.
_DATE = "2026-11-22"
# The resource types that R4 declares normative.
_NORMATIVE = frozenset(
    {
        "Binary",
        "Bundle",
        "CapabilityStatement",
        "CodeSystem",
        "Observation",
        "OperationDefinition",
        "OperationOutcome",
        "Parameters",
        "Patient",
        "StructureDefinition",
        "ValueSet",
    }
)
_CHANGING = ("update", "patch", "delete")
_TYPE_INTERACTIONS = (
    "create",
    "delete",
    "history-instance",
    "history-type",
    "patch",
    "read",
    "search-type",
    "update",
    "vread",
)
_SYSTEM_INTERACTIONS = ("batch", "history-system", "search-system", "transaction")
_SECURITY = (
    "Every request but this one needs a token: Authorization: Bearer, or DPoP for one bound to a "
    "key. Apps and systems get tokens by SMART App Launch and SMART Backend Services, see "
    ".well-known/smart-configuration. "
    "A caller sees a resource it may not read as one that does not exist."
)
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


class Facts(NamedTuple):
    """The settings that a statement depends on."""

    update_create: bool
    conditional_delete: str
    references: str
    root: str = ""  # where sign-in and tokens are; no address is taken from a request
    # Compared by identity: there is a new one when what can be searched by changes.
    custom: Custom = NO_CUSTOM


def statement(facts: Facts, mode: str) -> Resource:
    """Return the statement of a mode, with a base that stands for the real one."""
    if mode == "terminology":
        heading = _heading("TerminologyCapabilities", "SharedCareRecordTerminology")
        return {**heading, "codeSearch": "explicit"}
    types = definitions.resource_types()
    listed = [type for type in types if mode == "full" or type in _NORMATIVE]
    return {
        **_heading("CapabilityStatement", "SharedCareRecord"),
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": list(MEDIA_TYPES),
        "rest": [_rest(facts, listed)],
    }


def _heading(type: str, name: str) -> Resource:
    return {
        "resourceType": type,
        "url": f"{offered.OWN_BASE}/metadata",
        "version": _version(),
        "name": name,
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "Shared Care Record", "version": _version()},
        "implementation": {"description": "Shared Care Record", "url": offered.OWN_BASE},
    }


@cache
def _version() -> str:
    try:
        return metadata.version("shared-care-record")
    except metadata.PackageNotFoundError:
        return "0.1.0"


def _rest(facts: Facts, types: list[str]) -> Resource:
    return {
        "mode": "server",
        "security": _security(facts),
        "resource": [_resource(facts, type) for type in types],
        "interaction": [{"code": code} for code in _SYSTEM_INTERACTIONS],
        "searchParam": _system_parameters(facts.custom),
        "operation": _operations([each for each in offered.OFFERED if "system" in each.levels]),
        "compartment": [
            f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in COMPARTMENTS
        ],
    }


def _security(facts: Facts) -> Resource:
    """Return how callers get in; older SMART clients know no other place that says it."""
    addresses = [
        {"url": name, "valueUri": f"{facts.root}{path}"} for name, path in OAUTH_URIS.items()
    ]
    return {
        "extension": [{"url": _OAUTH_URIS, "extension": addresses}],
        "cors": True,
        "service": [
            {"coding": [{"system": _SECURITY_SERVICE, "code": "SMART-on-FHIR"}]},
        ],
        "description": _SECURITY,
    }


def _resource(facts: Facts, type: str) -> Resource:
    parameters = searchable(type, facts.custom)
    entry: Resource = {
        "type": type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type}",
        "interaction": [{"code": code} for code in _TYPE_INTERACTIONS],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": facts.update_create,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": facts.conditional_delete,
        "referencePolicy": _reference_policy(facts),
        "searchInclude": [f"{type}:{p.code}" for p in parameters if p.kind == "reference"],
        "searchRevInclude": list(_reverse_includes(facts.custom).get(type, ())),
        "searchParam": [*map(_parameter, parameters), *_of_any_type()],
        "operation": _operations(offered.for_type(type)),
    }
    if type == evidence.TYPE:
        entry |= _of_evidence(parameters)
    return {name: value for name, value in entry.items() if value not in ([], None)}


def _of_evidence(parameters: Sequence[SearchParameter]) -> Resource:
    """Return what is otherwise for AuditEvents, which are only ever added and have no index: what
    stands in the trail's rows can be asked for, as it is written."""
    return {
        "interaction": [{"code": code} for code in _TYPE_INTERACTIONS if code not in _CHANGING],
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchInclude": [],
        "searchRevInclude": [],
        "searchParam": [
            *(_named(one) for one in parameters if one.code in evidence.PARAMETERS),
            *(one for one in _of_any_type() if one["name"] in evidence.PARAMETERS),
        ],
    }


def _reference_policy(facts: Facts) -> list[str]:
    return ["literal", "logical", *(["enforced"] if facts.references == "all" else [])]


@lru_cache(maxsize=4)
def _reverse_includes(custom: Custom) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for source in definitions.resource_types():
        for parameter in searchable(source, custom):
            # A parameter that may point anywhere would make each list a copy of all.
            for target in parameter.targets if parameter.kind == "reference" else ():
                found.setdefault(target, []).append(f"{source}:{parameter.code}")
    return {target: tuple(codes) for target, codes in found.items()}


def _system_parameters(custom: Custom) -> list[Resource]:
    """Return the parameters that every type has, which are those a system search may use."""
    names = supported_names((), custom)
    defined = (p for p in searchable("Basic", custom) if p.code in names)
    return [*map(_parameter, defined), *_of_any_type(), {"name": "_type", "type": "token"}]


def _of_any_type() -> list[Resource]:
    """Return the parameters that no definition gives an element to."""
    defined = search_parameters.for_type("Basic")
    entries: list[Resource] = []
    for name, kind in BESIDE_TYPES.items():
        known = {"definition": defined[name].url} if name in defined else {}
        if name != "_type":
            entries.append({"name": name, **known, "type": kind})
    return entries


def _parameter(parameter: SearchParameter) -> Resource:
    """Return the entry of a parameter. R4 has no element for its modifiers, so it says them."""
    named = [f":{name}" for name in modifiers(parameter)]
    if parameter.kind == "reference":
        named.append(":[Type]")
    told = {"documentation": f"Modifiers: {', '.join(named)}"} if named else {}
    return _named(parameter) | told


def _named(parameter: SearchParameter) -> Resource:
    return {"name": parameter.code, "definition": parameter.url, "type": parameter.kind}


def _operations(operations: list[offered.OfferedOperation]) -> list[Resource]:
    return [{"name": each.name, "definition": each.definition} for each in operations]
