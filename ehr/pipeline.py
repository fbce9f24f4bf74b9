"""handle(): authorise → run → result. The only door to the record, for every edge.

Bundles are unfolded here, so that each entry has its own decision; no interaction calls back up.
"""

from collections.abc import Callable, Mapping
from functools import partial

from auth.policy import decide
from auth.principal import Principal
from ehr.errors import FhirError, Unsupported, lacking, located
from ehr.interactions import entries as bundles
from ehr.interactions import views
from ehr.interactions.capabilities import capabilities
from ehr.interactions.create import create
from ehr.interactions.delete import delete
from ehr.interactions.drafting import is_tolerant
from ehr.interactions.history import history
from ehr.interactions.own_definitions import refuse_change
from ehr.interactions.patch import patch
from ehr.interactions.read import read
from ehr.interactions.search import is_explained, search
from ehr.interactions.transaction import transaction
from ehr.interactions.update import update
from ehr.interactions.vread import vread
from ehr.messages import Document, Interaction, Resource, Result
from ehr.operations import OPERATIONS
from ehr.outcome import operation_outcome
from ehr.record import Record
from ehr.urls.unheeded import refuse_unheeded
from fhir_profiles.definitions import is_resource_type

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


def handle(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Do one interaction for a caller. Raises FhirError where it is refused or fails."""
    authorise(principal, interaction)
    if interaction.name == "batch":
        return _batch(record, principal, interaction)
    if interaction.name == "transaction":
        return _transaction(record, principal, interaction)
    if interaction.name == "operation":
        run = OPERATIONS.get(interaction.operation or "")
        if run is None:
            raise Unsupported(f"This server does not run `${interaction.operation}` yet.")
        return run(record, principal, interaction)
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


def _batch(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Each entry by itself; one that is refused says so in its own place."""
    document, resources = _entries(record, principal, interaction)
    answers = []
    for number, (entry, raw) in enumerate(
        zip(resources, bundles.raw_resources(document), strict=True)
    ):
        try:
            one = bundles.unfold(interaction, number, entry, raw).interaction
            answers.append(bundles.respond(interaction, one, _in_bundle(record, principal, one)))
        except FhirError as error:
            answers.append(bundles.respond_error(operation_outcome(error.issues), error.status))
    body = bundles.fold("batch-response", record.new_id(), answers)
    return Result(status=200, body=body)


def _entries(
    record: Record, principal: Principal, interaction: Interaction
) -> tuple[Document, list[Resource]]:
    """Return a Bundle and its entries, of which a caller may send only so many."""
    document = interaction.document or Document(b"{}", {})
    bundles.refuse_more_than(record.settings.bundle_limit.of(principal.kind), document)
    return document, bundles.check_bundle(document, tolerant=is_tolerant(record))


def _in_bundle(record: Record, principal: Principal, asked: Interaction) -> Result:
    """Do what an entry asks for, and leave of its answer what the entry wants to see."""
    view = views.wanted_view(asked)
    result = handle(record, principal, asked)
    if view == views.WHOLE or result.body is None or not 200 <= result.status < 300:
        return result
    part = views.view_of(result.body, view, asked)
    return Result(
        status=result.status, body=part, version=result.version, last_modified=result.last_modified
    )


def _transaction(record: Record, principal: Principal, interaction: Interaction) -> Result:
    document, resources = _entries(record, principal, interaction)
    unfolded = [
        bundles.unfold(interaction, number, entry, raw)
        for number, (entry, raw) in enumerate(
            zip(resources, bundles.raw_resources(document), strict=True)
        )
    ]
    for entry in unfolded:
        _authorise_entry(principal, entry)
    results = transaction(record, principal, unfolded, partial(_in_bundle, record, principal))
    answers = [
        bundles.respond(interaction, entry.interaction, result)
        for entry, result in zip(unfolded, results, strict=True)
    ]
    body = bundles.fold("transaction-response", record.new_id(), answers)
    return Result(status=200, body=body)


def _authorise_entry(principal: Principal, entry: bundles.Entry) -> None:
    try:
        authorise(principal, entry.interaction)
    except FhirError as error:
        raise located(error, entry.at) from error
