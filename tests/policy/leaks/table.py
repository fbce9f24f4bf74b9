"""What the record offers, and which path of the leak suite, or which test, asks about it.

Held against the registries by `test_leaks_registry.py`: what is offered and is not here fails.
A value is a name of `paths.PATHS`, a test below `tests/`, or `NOTHING` with the reason.
"""

from collections.abc import Mapping

NOTHING = "nothing of the record: "

# Interactions of the CapabilityStatement.
INTERACTIONS: Mapping[str, str] = {
    "read": "read",
    "vread": "vread",
    "search-type": "search",
    "search-system": "search",
    "history-instance": "history of one",
    "history-type": "history",
    "history-system": "history",
    "batch": "batch",
    "transaction": "transaction",
    "create": "writes judged",
    "update": "writes judged",
    "patch": "writes by id",
    "delete": "writes judged",
}
# Elements of the CapabilityStatement that say how else one may ask.
MANNERS: Mapping[str, str] = {
    "conditionalCreate": "conditional writes",
    "conditionalRead": "read",
    "conditionalUpdate": "conditional writes",
    "conditionalDelete": "conditional writes",
    "conditionalPatch": "conditional writes",
    "readHistory": "history of one",
    "updateCreate": "writes by id",
    "versioning": "vread",
    "referencePolicy": "policy/test_writing.py",
    "searchInclude": "search of a type",
    "searchRevInclude": "search of a type",
    "searchParam": "search",
    "interaction": "read",
    "operation": "$everything",
    "type": NOTHING + "a name",
    "profile": NOTHING + "a name",
    "documentation": NOTHING + "words",
}
PATCHES: Mapping[str, str] = {
    "application/json-patch+json": "writes by id",
    "application/merge-patch+json": "writes by id",
    "application/xml-patch+xml": "writes by id",
    "application/fhir+json": "writes by id",
    "application/fhir+xml": "writes by id",
}
OPERATIONS: Mapping[str, str] = {
    "access-at": "policy/test_access_at.py",
    "break-glass": "policy/test_break_glass.py",
    "claim-relationship": "policy/test_opening_access.py",
    "delegate": "policy/test_opening_access.py",
    "review": "policy/test_opening_access.py",
    "everything": "$everything",
    "match": "policy/test_match_callers.py",
    "meta": "$meta",
    "meta-add": "policy/test_writing.py",
    "meta-delete": "policy/test_writing.py",
    "reindex": NOTHING + "counts of its own work, for operators",
    "reindex-status": NOTHING + "counts of its own work, for operators",
    "validate": "$validate",
}
# Parameters of searches that are no elements' (R4 §3.1.1).
PARAMETERS: Mapping[str, str] = {
    "_content": "text",
    "_text": "text",
    "_filter": "search",
    "_has": "search",
    "_include": "search of a type",
    "_revinclude": "search of a type",
    "_list": "search",
    "_type": "search",
    "_sort": "search",
    "_count": "page link",
    "_cursor": "page link",
    "_total": "count",
    "_summary": "count",
    "_elements": "parts",
    "_contained": "contained",
    "_containedType": "contained",
    "_explain": "api/test_explain.py",
    "_query": NOTHING + "it is refused",
    "_format": NOTHING + "the form of an answer",
    "_pretty": NOTHING + "the form of an answer",
}
# Rooms of the product: what delivers, streams or exports would be another.
ROOMS: Mapping[str, str] = {
    "access": "read",
    "audit": "audit",
    "bulk": NOTHING + "for who may start programs beside the record",
    "cli": NOTHING + "for who may start programs beside the record",
    "demo": NOTHING + "made up people",
    "interactions": "read",
    "operations": "$everything",
    "patches": "writes by id",
    "rest": "Binary",
    "search": "search",
    "settings": NOTHING + "what the server is told",
    "store": "read",
    "terminology": NOTHING + "codes, which are shared",
    "urls": "search",
}
# Addresses below the FHIR base; everything else is behind the first.
ADDRESSES: Mapping[str, str] = {
    "/fhir/<path:path>": "read",
    "/fhir/": "batch",
    "/fhir": "batch",
    "/fhir/.well-known/smart-configuration": NOTHING + "how to sign in",
    "/fhir/.well-known/openid-configuration": NOTHING + "how to sign in",
}
