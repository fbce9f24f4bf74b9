"""handle(): authorise → run → audit → result. The only door to the record, for every edge.

Bundles are unfolded here, so that each entry has its own decision; no interaction calls back up.
"""

from collections.abc import Callable, Mapping
from functools import partial

from auth.policy import decide
from auth.principal import Principal
from ehr.audit.event import AuditRow
from ehr.audit.failing import AuditFailed
from ehr.audit.telling.requests import of_result
from ehr.errors import FhirError, NotFound, Unsupported, lacking, located
from ehr.interactions import entries as bundles
from ehr.interactions import refusals, views
from ehr.interactions.access.parts import shown_parts
from ehr.interactions.access.recognising import recognised
from ehr.interactions.access.ways_in import told_ways_in
from ehr.interactions.audit_events import adding, reading
from ehr.interactions.capabilities import capabilities
from ehr.interactions.create import create
from ehr.interactions.delete import delete
from ehr.interactions.drafting import is_tolerant
from ehr.interactions.history import history
from ehr.interactions.own_definitions import refuse_change
from ehr.interactions.patch import patch
from ehr.interactions.provenance.sent import beside
from ehr.interactions.read import read
from ehr.interactions.search import is_explained, search
from ehr.interactions.transaction import WRITING, read_in, transaction
from ehr.interactions.update import update
from ehr.interactions.vread import vread
from ehr.messages import Document, Interaction, Resource, Result, replace
from ehr.operations import OPERATIONS
from ehr.outcome import operation_outcome
from ehr.record import Record
from ehr.urls.unheeded import refuse_unheeded
from fhir_profiles.definitions import is_resource_type

Events = list[AuditRow]
Handler = Callable[[Record, Principal, Interaction], Result]

_HANDLERS: Mapping[str, Handler] = {
    "capabilities": capabilities,
    "read": read,
    "vread": vread,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "history-instance": history,
    "history-type": history,
    "history-system": history,
    "search-type": search,
    "search-system": search,
}

# What is asked of AuditEvents, unless the caller or the event is none of the trail's.
_OF_TRAIL: Mapping[str, Callable[[Record, Principal, Interaction], Result | None]] = {
    "read": reading.read,
    "vread": reading.read,
    "history-instance": reading.history,
    "search-type": reading.search,
    "create": adding.create,
}

# Kept in the transaction of what they tell of.
_TOLD_BY_THEMSELVES = frozenset({*WRITING, "transaction"})


# Answered with what the caller sent; a look-up tells no more than who somebody is.
_CHANGING = frozenset({"create", "update"})


def handle(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Do one interaction for a caller, and have it audited before it is answered.

    Raises FhirError where it is refused or fails, AuditFailed where that can't be recorded.
    """
    events: Events = []
    try:
        result = _noted(record, principal, interaction, events)
    except AuditFailed:
        raise
    except Exception:
        record.trail.record(events)
        raise
    record.trail.record(events)
    return result


def unaudited(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Do one interaction that the server asks for by itself, of which nobody is told.

    What its answer leads to is told by whoever asks.
    """
    return _run(record, _admitted(record, principal, interaction), interaction, [])


def _noted(
    record: Record, principal: Principal, interaction: Interaction, events: Events
) -> Result:
    """Do one interaction and add the events that tell of it; those of a write are kept with it."""
    try:
        principal = _admitted(record, principal, interaction)
        result = _run(record, principal, interaction, events)
    except AuditFailed:
        raise
    except NotFound as error:
        events += refusals.of(record, principal, interaction, error)
        raise told_ways_in(principal, interaction, error) from error
    except Exception as error:
        events += refusals.of(record, principal, interaction, error)
        raise
    if interaction.name not in _TOLD_BY_THEMSELVES:
        events += of_result(principal, record.clock(), interaction, result)
    return result


def _admitted(record: Record, principal: Principal, interaction: Interaction) -> Principal:
    """Return who asks, as resources may mean them, if the policy permits what is asked."""
    adding.refuse_change(interaction)
    authorise(principal, interaction)
    return recognised(record, principal)


def _run(record: Record, principal: Principal, interaction: Interaction, events: Events) -> Result:
    if interaction.name == "batch":
        return _batch(record, principal, interaction, events)
    if interaction.name == "transaction":
        return _transaction(record, principal, interaction, events)
    result = _answer(record, principal, interaction)
    is_whole = interaction.name in _CHANGING or interaction.operation == "match"
    return result if is_whole else shown_parts(record, principal, result)


def _answer(record: Record, principal: Principal, interaction: Interaction) -> Result:
    if interaction.name == "operation":
        run = OPERATIONS.get(interaction.operation or "")
        if run is None:
            raise Unsupported(f"This server does not run `${interaction.operation}` yet.")
        return run(record, principal, interaction)
    of_trail = _OF_TRAIL.get(interaction.name) if reading.is_event(interaction) else None
    if of_trail is not None and (found := of_trail(record, principal, interaction)) is not None:
        return found
    handler = _HANDLERS.get(interaction.name)
    if handler is None:
        raise Unsupported(f"This server does not do `{interaction.name}`.")
    return handler(record, principal, interaction)


def authorise(principal: Principal, interaction: Interaction) -> None:
    """Raise Forbidden where the policy does not permit the interaction, NotAllowed where it is
    about what nobody may change, Invalid where it says what nobody would heed."""
    asked = [interaction.name, *(["explain"] if is_explained(interaction) else [])]
    for name in asked:
        decision = decide(
            principal,
            name,
            interaction.type,
            interaction.operation,
            id=interaction.id,
            conditional=_is_conditional(interaction),
            types=_types(interaction),
        )
        if not decision.permit:
            raise lacking(decision.reason, decision.scope)
    refuse_change(interaction)
    refuse_unheeded(interaction)


def _is_conditional(interaction: Interaction) -> bool:
    """Tell whether a write finds what it is about by a search."""
    if interaction.name == "create":
        return interaction.preconditions.if_none_exist is not None
    return interaction.name in ("update", "patch", "delete") and interaction.id is None


def _types(interaction: Interaction) -> tuple[str, ...]:
    """Return the types that a search of several names."""
    if interaction.name != "search-system":
        return ()
    listed = ",".join(value for name, value in interaction.params if name == "_type")
    return tuple(one.strip() for one in listed.split(",") if is_resource_type(one.strip()))


def _batch(
    record: Record, principal: Principal, interaction: Interaction, events: Events
) -> Result:
    """Each entry by itself; one that is refused says so in its own place.

    What was read is recorded for all of them together: no answer leaves before the last one.
    """
    document, resources = _entries(record, principal, interaction)
    answers = []
    for number, (entry, raw) in enumerate(
        zip(resources, bundles.raw_resources(document), strict=True)
    ):
        try:
            one = bundles.unfold(interaction, number, entry, raw).interaction
            result = _in_bundle(record, principal, one, events)
            answers.append(bundles.respond(interaction, one, result))
        except AuditFailed:
            raise
        except FhirError as error:
            answers.append(bundles.respond_error(operation_outcome(error.issues), error.status))
    body = bundles.fold("batch-response", record.new_id(), answers)
    return Result(status=200, body=body, found=len(answers))


def _entries(
    record: Record, principal: Principal, interaction: Interaction
) -> tuple[Document, list[Resource]]:
    """Return a Bundle and its entries, of which a caller may send only so many."""
    document = interaction.document or Document(b"{}", {})
    bundles.refuse_more_than(record.settings.bundle_limit.of(principal.kind), document)
    return document, bundles.check_bundle(document, tolerant=is_tolerant(record))


def _in_bundle(
    record: Record, principal: Principal, asked: Interaction, events: Events | None
) -> Result:
    """Do what an entry asks for, and leave of its answer what the entry wants to see."""
    view = views.wanted_view(asked)
    if events is None:
        result = unaudited(record, principal, asked)
    else:
        result = _noted(record, principal, asked, events)
    if view == views.WHOLE or result.body is None or not 200 <= result.status < 300:
        return result
    return replace(result, body=views.view_of(result.body, view, asked), location=None, headers=())


def _transaction(
    record: Record, principal: Principal, interaction: Interaction, events: Events
) -> Result:
    document, resources = _entries(record, principal, interaction)
    unfolded = [
        bundles.unfold(interaction, number, entry, raw)
        for number, (entry, raw) in enumerate(
            zip(resources, bundles.raw_resources(document), strict=True)
        )
    ]
    # Those that read are told in the transaction, if there is one.
    run = partial(_in_bundle, record, principal, events=None)
    also = partial(beside, record, principal, interaction)
    try:
        for entry in unfolded:
            _authorise_entry(principal, entry)
        results = transaction(record, principal, interaction, unfolded, run, beside=also)
    except AuditFailed:
        raise
    except FhirError as error:
        asked = [entry.interaction for entry in unfolded]
        events += refusals.of_all(record, principal, asked, error)
        raise
    if all(entry.interaction.name not in WRITING for entry in unfolded):
        found = Result(status=200, found=len(unfolded))
        events += of_result(principal, record.clock(), interaction, found)
        events += read_in(record, principal, unfolded, results)
    answers = [
        bundles.respond(interaction, entry.interaction, result)
        for entry, result in zip(unfolded, results, strict=True)
    ]
    body = bundles.fold("transaction-response", record.new_id(), answers)
    return Result(status=200, body=body)


def _authorise_entry(principal: Principal, entry: bundles.Entry) -> None:
    try:
        adding.refuse_change(entry.interaction)
        authorise(principal, entry.interaction)
        adding.refuse_in_transaction(entry.interaction)
    except FhirError as error:
        raise located(error, entry.at) from error
