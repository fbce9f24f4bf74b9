"""X-Provenance: a Provenance that comes with a write, and is stored with it or not at all.

R4 Provenance, *Using a header*: JSON without `target`, which becomes what is written.
Who signed in speaks for nobody else.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from auth.policy import decide
from ehr.access import directory
from ehr.access.terms import Terms, parts
from ehr.errors import Forbidden, Invalid, lacking
from ehr.interactions.access.terms import terms_of
from ehr.interactions.changes import Change
from ehr.interactions.drafting import checked
from ehr.messages import Document, Interaction, Resource, replace
from ehr.record import Record
from ehr.store.drafts import Method
from fhir_profiles import json_format
from fhir_profiles.issues import InvalidDocument

if TYPE_CHECKING:
    from auth.principal import Principal

HEADER = "X-Provenance"
_TYPE = "Provenance"
_OF_PEOPLE = ("professional", "patient", "carer")
_WHO = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Organization"})
_SOFTWARE = frozenset({"Device"})


def beside(
    record: Record, principal: "Principal", interaction: Interaction, changes: Sequence[Change]
) -> list[Change]:
    """Return changes with the Provenance of their request behind them, if it brings one.

    Raises Invalid for one that breaks R4 or can't tell what it is about, Forbidden for one that
    the caller may not write.
    """
    if interaction.provenance is None or not changes:
        return list(changes)
    resource = _read(interaction.provenance, record.settings.depth_limit)
    decision = decide(principal, "create", _TYPE)
    if not decision.permit:
        raise lacking(decision.reason, decision.scope, HEADER)
    _refuse_conditions(changes)
    named = [_named(change) for change in changes]
    resource["target"] = [{"reference": _reference(one)} for one in named]
    raw = json_format.serialise(resource)
    document = checked(record, Document(raw, resource), _TYPE, _TYPE)
    if principal.kind in _OF_PEOPLE:
        _refuse_others(record, principal, resource)
    told = Change(Method.POST, _TYPE, document=document, expression=_TYPE, is_beside=True)
    return [*named, told]


def _read(sent: bytes, depth: int) -> Resource:
    try:
        resource: Any = json_format.parse(sent, max_depth=depth)
    except InvalidDocument as error:
        raise Invalid(
            f"{HEADER} is no JSON: {error}", code="structure", expression=HEADER
        ) from None
    if not isinstance(resource, dict) or resource.get("resourceType") != _TYPE:
        raise Invalid(f"{HEADER} takes a Provenance in JSON.", code="structure", expression=HEADER)
    for name, why in (("target", "it is what is written"), ("id", "it gets one")):
        if name in resource:
            raise Invalid(f"Leave `{name}` out of {HEADER}: {why}.", expression=f"{_TYPE}.{name}")
    return resource


def _refuse_conditions(changes: Sequence[Change]) -> None:
    """Raise Invalid where a condition tells whether, or how many, resources are written."""
    for change in changes:
        if change.criteria is not None and change.method in (Method.POST, Method.DELETE):
            raise Invalid(
                f"{HEADER} does not go with If-None-Exist, or with a delete by a condition: there "
                "may be nothing that it tells of. Write without the condition, or leave it out.",
                code="not-supported",
                expression=change.expression or HEADER,
            )


def _named(change: Change) -> Change:
    """Return a change that has a name to refer to it by."""
    if change.id is not None or change.full_url is not None:
        return change
    return replace(change, full_url=f"urn:uuid:{uuid4()}")


def _reference(change: Change) -> str:
    return f"{change.type}/{change.id}" if change.id is not None else str(change.full_url)


def _refuse_others(record: Record, principal: "Principal", resource: Resource) -> None:
    """Raise Forbidden for whoever is named and is not surely the caller: also for who is told in
    words, contained or found by a condition, which is put in later."""
    person, now, terms = principal.person or "", record.clock(), terms_of(record)
    with record.database.read() as connection:
        named = directory.person_names(connection, person, terms, now) if person else ()
    here = {f"Organization/{principal.organisation}"} if principal.organisation else set()
    mine = here.union(named)
    for place, one in _named_in(resource):
        who, behalf = one.get("who"), one.get("onBehalfOf")
        if terms.name(who, _WHO) not in mine and not _is_software(who, terms):
            raise _foreign(f"{place}.who", "as agent")
        if behalf is not None and terms.name(behalf, _WHO) not in mine:
            raise _foreign(f"{place}.onBehalfOf", "as whom it was done for")


def _named_in(resource: Resource) -> Iterator[tuple[str, Resource]]:
    """Yield each part that says who did something, and where it is: agents and signatures."""
    holders = [(_TYPE, resource)]
    for number, entity in enumerate(parts(resource, "entity")):
        holders.append((f"{_TYPE}.entity[{number}]", entity))
    for place, holder in holders:
        for name in ("agent", "signature"):
            for number, one in enumerate(parts(holder, name)):
                yield f"{place}.{name}[{number}]", one


def _is_software(who: Any, terms: Terms) -> bool:
    name = terms.name(who, _SOFTWARE)
    return name is not None and "?" not in name


def _foreign(place: str, what: str) -> Forbidden:
    return Forbidden(
        f"The Provenance names somebody else {what}. Name yourself, your place or your "
        "organisation by a reference; others tell of what they did themselves.",
        expression=place,
    )
