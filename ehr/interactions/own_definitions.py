"""The OperationDefinitions of this server's own operations (R4 §5.4.4), and its own codes.

Read like any resource: OperationDefinition, CodeSystem and ValueSet.

They come with the program, not with the record: nobody writes them, and no search finds them. The
CapabilityStatement names their addresses.
"""

from collections.abc import Callable
from datetime import datetime

from ehr.errors import NotAllowed
from ehr.interactions.own_operations import DEFINITIONS
from ehr.interactions.provenance.ids import is_told
from ehr.messages import Instant, Interaction, Resource
from ehr.urls.operations import CARE_TYPES
from fhir_profiles import json_format, own_codes

# They change with a release only, and then this day does.
_DAY = "2026-11-23"
OWN_VERSION = 1
OWN_SINCE: Instant = int(datetime.fromisoformat(f"{_DAY}T00:00:00+00:00").timestamp()) * 1000
_WRITES = frozenset({"create", "update", "patch", "delete"})


def own_definition(interaction: Interaction) -> bytes | None:
    """Return the definition that an address names, None for any other address."""
    found = _defined(interaction.type or "", interaction.id or "", interaction.base)
    if found is None:
        return None
    meta = {"versionId": str(OWN_VERSION), "lastUpdated": f"{_DAY}T00:00:00Z"}
    named = {"resourceType": found["resourceType"], "id": found["id"], "meta": meta}
    return json_format.serialise({**named, **found})


def _defined(type: str, id: str, base: str) -> Resource | None:
    if type != "OperationDefinition":
        return own_codes.definition(type, id)
    define = _OWN.get(id)
    return None if define is None else define(base)


def refuse_change(interaction: Interaction) -> None:
    """Raise NotAllowed where somebody means to write what the server itself defines."""
    if interaction.name in _WRITES and is_told(interaction):
        raise NotAllowed(
            f"Provenance/{interaction.id} is what the record tells by itself of a version, and can "
            "only be read. Write your own under another id.",
            headers=(("Allow", "GET, HEAD, OPTIONS"),),
        )
    if interaction.name in _WRITES and own_definition(interaction) is not None:
        raise NotAllowed(
            f"{interaction.type}/{interaction.id} is defined by this server and can only be read. "
            "Define your own under another id.",
            headers=(("Allow", "GET, HEAD, OPTIONS"),),
        )


def _care_everything(base: str) -> Resource:
    return {
        "resourceType": "OperationDefinition",
        "id": "care-everything",
        "url": f"{base}/OperationDefinition/care-everything",
        "name": "CareEverything",
        "title": "Everything that concerns a plan, a team or an episode of care",
        "status": "active",
        "kind": "operation",
        "date": _DAY,
        "description": "Returns the resource, what it consists of, what refers to it and what "
        "these refer to, within the record of its patient.",
        "affectsState": False,
        "code": "everything",
        "resource": sorted(CARE_TYPES),
        "system": False,
        "type": False,
        "instance": True,
        "parameter": [
            _given("start", "date", "Leaves out what has a care date before this one."),
            _given("end", "date", "Leaves out what has a care date after this one."),
            _given("_since", "instant", "Leaves out what has not changed since then."),
            _given("_type", "code", "Only resources of these types.", many=True),
            _given("_count", "integer", "Asks for pages of at most so many resources."),
            {
                "name": "return",
                "use": "out",
                "min": 1,
                "max": "1",
                "documentation": "A Bundle of type searchset. Its meta.lastUpdated is the moment "
                "to go on from with _since.",
                "type": "Bundle",
            },
        ],
    }


def _given(name: str, type: str, documentation: str, *, many: bool = False) -> Resource:
    return {
        "name": name,
        "use": "in",
        "min": 0,
        "max": "*" if many else "1",
        "documentation": documentation,
        "type": type,
    }


def _reindex(base: str) -> Resource:
    return {
        **_of_system(base, "reindex", "Reindex", changes=True),
        "title": "Make index rows again by the search parameters in force",
        "description": "Lets SearchParameters that were added, changed or retired take effect, and "
        "repairs the index. Reads and writes go on meanwhile. At the end the rows are counted, by "
        "the resources and in the tables, and search parameters are ready where the counts agree. "
        "Answers 202 where it takes longer; $reindex-status then tells how far it is.",
        "parameter": [
            _given("type", "code", "Only resources of these types.", many=True),
            _given(
                "parameter",
                "string",
                "Only what the SearchParameters with these urls or codes need. Without it every "
                "row is compared with what it should be.",
                many=True,
            ),
            _told("What was done and counted, in which state each definition is."),
        ],
    }


def _reindex_status(base: str) -> Resource:
    return {
        **_of_system(base, "reindex-status", "ReindexStatus", changes=False),
        "title": "How far the last $reindex is, or what came of it",
        "description": "Tells of the last $reindex, in whatever process it runs, and in which "
        "state each SearchParameter of the record is: stored, indexing, ready or withdrawn.",
        "parameter": [_told("What is done so far, or what was counted at the end.")],
    }


def _of_system(base: str, code: str, name: str, *, changes: bool) -> Resource:
    return {
        "resourceType": "OperationDefinition",
        "id": code,
        "url": f"{base}/OperationDefinition/{code}",
        "name": name,
        "status": "active",
        "kind": "operation",
        "date": _DAY,
        "affectsState": changes,
        "code": code,
        "system": True,
        "type": False,
        "instance": False,
    }


def _told(documentation: str) -> Resource:
    return {
        "name": "return",
        "use": "out",
        "min": 1,
        "max": "1",
        "documentation": documentation,
        "type": "Parameters",
    }


_OWN: dict[str, Callable[[str], Resource]] = {
    **DEFINITIONS,
    "care-everything": _care_everything,
    "reindex": _reindex,
    "reindex-status": _reindex_status,
}
