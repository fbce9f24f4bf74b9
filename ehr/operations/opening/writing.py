"""What an operation writes, in one transaction, in the caller's name and by the server's right.

The caller has no right to the record yet, or not to Tasks of access, so that scopes and
relationships have nothing to say about it: the operation has judged who may.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import uuid4

from auth.principal import Principal
from auth.purposes import EMERGENCY
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.interactions.drafting import checked
from ehr.messages import Document, Resource
from ehr.operations.opening.calling import Call
from ehr.store.drafts import Method, Written
from fhir_profiles import json_format

Edit = Callable[[Document], Document]


def fresh_name() -> str:
    """Return by what the documents of one transaction refer to one that has no id yet."""
    return f"urn:uuid:{uuid4()}"


def store(
    call: Call, documents: Sequence[tuple[str, Resource]], *, is_urgent: bool = False
) -> list[str]:
    """Create documents under the names that they refer to each other by; return `Type/id` each.

    `is_urgent`: for the purpose of an emergency.
    """
    author = _server(call.principal)
    if is_urgent:
        author = replace(author, purpose=EMERGENCY)
    changes = [_change(call, name, document) for name, document in documents]
    outcome = apply(call.record, author, changes, asked=call.interaction)
    return [f"{some[0].type}/{some[0].id}" for some in outcome]


def edit(call: Call, type: str, edits: Sequence[tuple[str, Edit]]) -> list[Written]:
    """Change resources of a type, by id, as they stand when it is their turn."""
    changes = [
        Change(Method.PATCH, type, id=id, expression=type, edit=change) for id, change in edits
    ]
    return [
        some[0]
        for some in apply(call.record, _server(call.principal), changes, asked=call.interaction)
    ]


def _server(caller: Principal) -> Principal:
    """Return the server, as author of what it writes for a caller."""
    return replace(caller, kind="system", scopes=None, token="", called=None)


def _change(call: Call, name: str, resource: Resource) -> Change:
    raw = json_format.serialise(resource)
    type = resource["resourceType"]
    document = checked(call.record, Document(raw, json_format.reparse(raw)), type)
    return Change(Method.POST, type, document=document, full_url=name, expression=type)
