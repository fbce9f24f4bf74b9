"""What the door tells the trail of a request: who asked for what, and which rows that met.

One event for each patient whose rows were shown or changed; rows of nobody's record stand in the
first. What was asked is kept as an address, never what was sent.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from msgspec.structs import replace

from auth.purposes import EMERGENCY
from ehr.audit.event import AuditRow, of_request
from ehr.audit.items import pack
from ehr.audit.kinds import Kind
from ehr.errors import FhirError
from ehr.messages import Instant, Interaction, Item, Result
from ehr.store.drafts import Method, Written
from fhir_profiles.resource_types import is_resource_type, type_number

if TYPE_CHECKING:
    from auth.principal import Principal

_KINDS = {
    "read": Kind.READ,
    "vread": Kind.VREAD,
    "search-type": Kind.SEARCH,
    "search-system": Kind.SEARCH,
    "history-instance": Kind.HISTORY,
    "history-type": Kind.HISTORY,
    "history-system": Kind.HISTORY,
    "create": Kind.CREATE,
    "update": Kind.UPDATE,
    "patch": Kind.PATCH,
    "delete": Kind.DELETE,
    "operation": Kind.OPERATION,
    "batch": Kind.BATCH,
    "transaction": Kind.TRANSACTION,
    "capabilities": Kind.CAPABILITIES,
}
_OF_METHOD = {
    Method.POST: Kind.CREATE,
    Method.PUT: Kind.UPDATE,
    Method.PATCH: Kind.PATCH,
    Method.DELETE: Kind.DELETE,
}
_OF_OPERATION = {"break-glass": Kind.BREAK_GLASS, "review": Kind.BREAK_GLASS_REVIEWED}
_OF_LABELS = ("meta-add", "meta-delete")
_OF_ONE = frozenset({"read", "vread"})
# Of whose events the trail tells in a kind of its own.
TRAIL = "AuditEvent"
_READS = frozenset({Kind.READ, Kind.VREAD, Kind.SEARCH, Kind.HISTORY})
# Loading puts thousands in at once: one event a patient says which.
LOAD = "load"
_PROXY = b'"proxy"'


class Change(Protocol):
    """A write that was asked for, as far as an event tells of it."""

    @property
    def method(self) -> Method:
        """Return what it does."""

    @property
    def type(self) -> str:
        """Return the type of what it is about."""

    @property
    def id(self) -> str | None:
        """Return the id of what it is about, where it was named."""


def by(principal: "Principal", at: Instant, asked: Interaction, kind: Kind, **met: Any) -> AuditRow:
    """Return the event of a request with who made it; `met` says what it met."""
    is_carer = principal.kind == "carer" and principal.patient is not None
    return AuditRow(
        at=at,
        kind=Kind.AUDIT_READ if asked.type == TRAIL and kind in _READS else kind,
        type=type_number(asked.type) if asked.type and is_resource_type(asked.type) else None,
        agent=principal.id,
        role=principal.role or principal.kind,
        organisation=principal.organisation,
        client_id=principal.client,
        token_id=principal.token or None,
        purpose=principal.purpose,
        on_behalf_of=f"Patient/{principal.patient}" if is_carer else None,
        request_id=asked.request_id or None,
        query=_query(asked),
        **met,
    )


def of_result(
    principal: "Principal", at: Instant, asked: Interaction, result: Result
) -> tuple[AuditRow, ...]:
    """Return the events of a request that was answered."""
    kind = _OF_OPERATION.get(asked.operation or "", _KINDS[asked.name])
    met: dict[str, Any] = {}
    if asked.name in _OF_ONE and len(result.shown) == 1:
        key, rid, version = result.shown[0]
        met = {"patient_key": key}
        if rid:  # else it is an event, which is no row of the record
            met |= {"rid": rid, "version": version}
    if "rid" not in met and asked.id and asked.type:
        met["named"] = f"{asked.type}/{asked.id}"
    row = by(principal, at, asked, kind, **met)
    if row.kind == Kind.BREAK_GLASS:
        row = replace(row, purpose=EMERGENCY)
    told = (row,) if asked.name in _OF_ONE else _of_list(row, result.shown, result.found)
    return _for_what(principal, told)


def of_changes(
    principal: "Principal",
    at: Instant,
    asked: Interaction,
    changes: Sequence[Change],
    outcome: Sequence[Sequence[Written]],
) -> tuple[AuditRow, ...]:
    """Return the events of changes that were carried out, of a Bundle or one alone."""
    row = by(principal, at, asked, _KINDS[asked.name])
    if asked.operation == LOAD:
        loaded = [(one.patient_key, one.rid, one.version) for some in outcome for one in some]
        return _of_list(row, loaded, None)
    events = [replace(row, found=len(changes))] if asked.name == "transaction" else []
    for change, some in zip(changes, outcome, strict=True):
        of_labels = asked.operation in _OF_LABELS
        kind = Kind.LABEL_CHANGED if of_labels else _OF_METHOD[change.method]
        told = replace(row, kind=kind, type=type_number(change.type))
        events += (_of_written(told, one) for one in some)
        if not some:  # nothing was there to be deleted
            named = f"{change.type}/{change.id}" if change.id else None
            events.append(replace(told, named=named, found=0))
        if change.type == "Consent":
            events += (_of_consent(row, one) for one in some)
    return _for_what(principal, events)


def _for_what(principal: "Principal", told: Sequence[AuditRow]) -> tuple[AuditRow, ...]:
    """Return events with the purpose that is in force in records open in an emergency."""
    if principal.called is None or not principal.called.emergencies:
        return tuple(told)
    return tuple(
        replace(row, purpose=EMERGENCY) if row.patient_key in principal.called.emergencies else row
        for row in told
    )


def of_more(told: Sequence[AuditRow], written: Sequence[Written]) -> tuple[AuditRow, ...]:
    """Return events with those of what the server has created beside what they tell of."""
    if not told or not written:
        return tuple(told)
    first = replace(told[0], kind=Kind.CREATE, query=None, found=None, items=None)
    return (*told, *(_of_written(first, one) for one in written))


def _of_written(row: AuditRow, written: Written) -> AuditRow:
    is_found = row.kind == Kind.CREATE and written.status == 200  # a condition found it
    return replace(
        row,
        kind=Kind.READ if is_found else row.kind,
        type=type_number(written.type),
        patient_key=written.patient_key,
        rid=written.rid,
        version=written.version,
    )


def _of_consent(row: AuditRow, written: Written) -> AuditRow:
    """Return the event that tells what a Consent's being written means."""
    kind = Kind.PROXY_CHANGED if _PROXY in written.stored else Kind.CONSENT_CHANGED
    return replace(_of_written(replace(row, kind=kind), written), query=None)


def of_refusal(
    principal: "Principal",
    at: Instant,
    asked: Interaction,
    error: Exception,
    place: tuple[int, int] | None,
) -> AuditRow:
    """Return the event of a request that was refused, or that failed.

    `place` (patient_key, rid) is where the resource is that it names, whether or not the caller
    may know that it is there.
    """
    row = by(principal, at, asked, _KINDS[asked.name])
    key, rid = place or (0, None)
    named = f"{asked.type}/{asked.id}" if asked.id and asked.type else None
    told = replace(row, outcome=outcome_of(error), patient_key=key, rid=rid, named=named)
    return _for_what(principal, (told,))[0]


def of_stranger(principal: "Principal", at: Instant, named: str) -> AuditRow:
    """Return the event of a request by a token that stood for somebody, and is refused."""
    row = by(principal, at, Interaction(name="capabilities"), Kind.REFUSED)
    return replace(row, outcome=4, named=named, query=None)


def outcome_of(error: Exception) -> int:
    """Return what FHIR calls an error: 4 refused, 8 failed, 12 the record's own fault."""
    status = error.status if isinstance(error, FhirError) else 500
    if status == 500:
        return 12
    return 8 if status in (408, 503) else 4


def _of_list(row: AuditRow, shown: Sequence[Item], found: int | None) -> tuple[AuditRow, ...]:
    """Return an event for each patient among rows that were shown or changed."""
    of_patients: dict[int, list[Item]] = {}
    for item in shown:
        of_patients.setdefault(max(item[0], 0), []).append(item)
    others = of_patients.pop(0, [])
    if not of_patients:
        count = len(others) if found is None else found
        packed = None if row.kind == Kind.AUDIT_READ else pack(others) or None
        return (replace(row, found=count, items=packed),)
    concerned: list[dict[str, Any]] = []
    for number, (key, items) in enumerate(of_patients.items()):
        listed = items if number else items + others
        if row.kind == Kind.AUDIT_READ:
            concerned.append({"patient_key": key, "found": len(listed)})
            continue
        concerned.append(
            {"patient_key": key, "found": len(listed), "items": pack(listed, key) or None}
        )
    return of_request(row, concerned)


def _query(asked: Interaction) -> str | None:
    """Return what was asked as an address below the base, None where it only names a resource."""
    if not asked.params and asked.name in ("read", "vread", "create", "update", "delete", "patch"):
        return None
    if asked.name in ("batch", "transaction"):
        return None
    parts: Iterable[str | None] = (asked.compartment or asked.type, asked.id)
    if asked.compartment:
        parts = (*parts, asked.type or "*")
    if asked.operation:
        parts = (*parts, f"${asked.operation}")
    if asked.name.startswith("history"):
        parts = (*parts, "_history")
    path = "/".join(part for part in parts if part)
    text = urlencode(asked.params, safe=":/,$@!'()*;|", quote_via=quote)
    return f"{path}?{text}" if text else path
