"""transaction (R4 §3.1.0.11.2): all entries or none, whatever their order in the Bundle.

Deletes, creates, updates and patches are one set of changes judged on its end state; reads and
searches run last, on what the changes made and in the same database transaction, so that one
which fails undoes the changes as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auth.principal import Principal
from ehr.audit.event import AuditRow
from ehr.audit.telling.requests import of_result
from ehr.errors import FhirError, Invalid, located
from ehr.interactions import create, delete, patch, update
from ehr.interactions.access.permission import may_show
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.interactions.entries import Entry
from ehr.interactions.results import of_written
from ehr.messages import Interaction, Result
from ehr.record import Record
from ehr.store.drafts import Written
from ehr.urls import operations
from fhir_profiles.issues import Issue

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.interactions.applying import Then

WRITING = ("create", "update", "patch", "delete")


def transaction(
    record: Record,
    principal: Principal,
    asked: Interaction,
    entries: Sequence[Entry],
    run: Callable[[Interaction], Result],
    also: "Then | None" = None,
    beside: "Callable[[Sequence[Change]], list[Change]]" = list,
) -> list[Result]:
    """Carry out all entries of what was `asked` and return a result each; `run` does those that
    only read.

    `also` runs in the same database transaction, if there is one. Then what was read is audited in
    it as well; else that is left to the caller. `beside` adds changes that are no entry's, behind
    the others.
    """
    writing = [entry for entry in entries if entry.interaction.name in WRITING]
    reading = [entry for entry in entries if entry.interaction.name not in WRITING]
    for entry in reading:
        _refuse_change(entry)
    found: list[Result] = []

    def then(connection: "Connection | None") -> None:
        found[:] = [_read(entry, run) for entry in reading]
        if connection is not None:
            record.trail.within(connection, read_in(record, principal, reading, found))
        if also is not None and connection is not None:
            also(connection)

    if writing:
        last = then if reading or also else None
        changes = beside(_changes(record, writing))
        written = apply(record, principal, changes, last, asked=asked)
    else:
        written = []
        then(None)
    done = (
        _done(record, principal, entry, some) for entry, some in zip(writing, written, strict=False)
    )
    others = iter(found)
    return [next(done if entry.interaction.name in WRITING else others) for entry in entries]


def read_in(
    record: Record, principal: Principal, entries: Sequence[Entry], results: Sequence[Result]
) -> list[AuditRow]:
    """Return the events of entries that read something."""
    now = record.clock()
    return [
        row
        for entry, result in zip(entries, results, strict=True)
        for row in of_result(principal, now, entry.interaction, result)
    ]


def _refuse_change(entry: Entry) -> None:
    """Refuse operations that write for themselves: nothing could take that back."""
    operation = entry.interaction.operation
    if operation is not None and operations.changes(operation):
        raise Invalid(
            f"${operation} can't be part of a transaction. Send it by itself or in a batch.",
            code="not-supported",
            expression=f"{entry.at}.request",
        )


def _done(record: Record, principal: Principal, entry: Entry, written: list[Written]) -> Result:
    asked = entry.interaction
    whole = asked.name == "patch" or asked.preferences.returning == "representation"
    if asked.name == "patch" and written:
        whole = may_show(record, principal, written[-1])
    return of_written(written[-1], whole=whole) if written else Result(status=204)


def _read(entry: Entry, run: Callable[[Interaction], Result]) -> Result:
    try:
        return run(entry.interaction)
    except FhirError as error:
        raise located(error, entry.at) from error


def _changes(record: Record, entries: Sequence[Entry]) -> list[Change]:
    """Return the changes; every fault of every entry is told at once."""
    changes: list[Change] = []
    issues: list[Issue] = []
    refused: FhirError | None = None
    for entry in entries:
        try:
            changes.append(_change(record, entry))
        except FhirError as error:
            refused = refused or error
            issues.extend(
                issue if issue.expression else replace(issue, expression=entry.at)
                for issue in error.issues
            )
    if refused is not None:
        raise type(refused)(str(refused), issues=issues)
    return changes


def _change(record: Record, entry: Entry) -> Change:
    asked = entry.interaction
    if asked.name != "delete" and asked.document is None:
        raise Invalid(
            f"{asked.method} {asked.type} needs a resource.",
            code="required",
            expression=entry.resource_at,
        )
    if asked.name == "create":
        return create.change(record, asked, full_url=entry.full_url, at=entry.resource_at)
    if asked.name == "update":
        return update.change(record, asked, full_url=entry.full_url, at=entry.resource_at)
    if asked.name == "patch":
        return patch.change(asked, full_url=entry.full_url, at=entry.resource_at)
    return delete.change(record, asked, full_url=entry.full_url, at=entry.at)
