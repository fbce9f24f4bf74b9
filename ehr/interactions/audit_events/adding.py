"""Events that other systems observed: kept in the same chain, marked with their source.

Nobody speaks for this server: an event whose observer is this record is refused. What is kept is
the event as it was sent, less id and meta; when it came is when it is found by.
"""

from auth.principal import Principal
from ehr.audit.event import Event
from ehr.audit.ids import Ids
from ehr.audit.kinds import Kind
from ehr.audit.rendering import NAME, Names, render
from ehr.audit.telling.requests import by
from ehr.errors import Invalid, NotAllowed, TooLarge, Unprocessable
from ehr.interactions.drafting import checked
from ehr.messages import Document, Interaction, Resource, Result, replace
from ehr.record import Record
from ehr.settings import own_base
from ehr.store.locator import locate
from fhir_profiles import json_format
from fhir_profiles.owners import owner_reference

TYPE = "AuditEvent"
_MOST = 1 << 16  # bytes
_CHANGES = frozenset({"update", "patch", "delete", "meta-add", "meta-delete"})
_OURS = ("id", "meta")  # members that the server sets
_OBSERVER = "AuditEvent.source.observer"


def refuse_change(interaction: Interaction) -> None:
    """Raise NotAllowed where somebody means to change what was recorded, whoever that is."""
    if interaction.type == TYPE and (interaction.operation or interaction.name) in _CHANGES:
        raise NotAllowed(
            "AuditEvents are never changed or deleted. What corrects one is another.",
            headers=(("Allow", "GET, HEAD, POST, OPTIONS"),),
        )


def refuse_in_transaction(interaction: Interaction) -> None:
    """Raise Invalid for an event among the entries of a transaction: it is evidence by itself."""
    if interaction.type == TYPE and interaction.name == "create":
        raise Invalid(
            "An AuditEvent can't be part of a transaction. Send it by itself or in a batch.",
            code="not-supported",
        )


def create(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Keep an event of another system. Raises Invalid, Unprocessable, TooLarge."""
    if interaction.preconditions.if_none_exist is not None:
        raise Invalid(
            "AuditEvents are added without a condition. Leave If-None-Exist out.",
            expression="If-None-Exist",
        )
    document = checked(record, interaction.document or Document(b""), TYPE)
    if len(document.raw) > _MOST:
        raise TooLarge(f"An AuditEvent may have {_MOST // 1024} KiB.")
    sent: Resource = {k: v for k, v in document.resource.items() if k not in _OURS}
    _refuse_forged(record, interaction, sent)
    row = replace(
        by(principal, record.clock(), interaction, Kind.FOREIGN),
        outcome=int(sent.get("outcome", "0")),
        patient_key=_patient(record, interaction, sent),
        agent=_requestor(sent) or principal.id,
        client_id=principal.client or principal.id,
        source=_named(sent["source"]["observer"]) or principal.id,
        body=json_format.serialise(sent),
    )
    record.trail.ready()
    place = record.database.write(lambda connection: record.trail.add_one(connection, row))
    ids = Ids(record.database)
    told = render(Event(place, row), ids, Names({}, {}), base=own_base(record.settings))
    return Result(
        status=201,
        body=json_format.serialise(told),
        version=1,
        last_modified=row.at,
        location=f"{TYPE}/{told['id']}/_history/1",
    )


def _refuse_forged(record: Record, interaction: Interaction, sent: Resource) -> None:
    observer = sent["source"]["observer"]
    named = (
        observer.get("identifier", {}).get("value", ""),
        observer.get("reference", ""),
    )
    own = {*record.database.own_bases(), own_base(record.settings), interaction.base}
    is_ours = any(
        text.rstrip("/") == base or text.startswith(f"{base}/")
        for base in (url.rstrip("/") for url in own if url)
        for text in named
    )
    if is_ours or observer.get("display", "").strip().casefold() == NAME.casefold():
        raise Unprocessable(
            "The observer is this server, for which nobody else speaks. Name the system that "
            "observed the event.",
            expression=_OBSERVER,
        )


def _patient(record: Record, interaction: Interaction, sent: Resource) -> int:
    """Return the key of the one patient whom an event is about, 0 where it is of none here."""
    owner = (owner_reference(sent) or "").removeprefix(f"{interaction.base}/")
    name = ("Patient", owner.removeprefix("Patient/").partition("/")[0])
    if not owner.startswith("Patient/"):
        return 0
    with record.database.read() as connection:
        found = locate(connection, [name]).get(name)
    return found.patient_key if found is not None else 0


def _requestor(sent: Resource) -> str | None:
    """Return who the event says did it."""
    who = [agent.get("who", {}) for agent in sent["agent"] if agent.get("requestor") is True]
    return _named(who[0]) if who else None


def _named(reference: Resource) -> str | None:
    value = reference.get("identifier", {}).get("value")
    return reference.get("reference") or value or reference.get("display")
