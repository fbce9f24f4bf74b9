"""One unit into the record, by the same changes and the same decisions as REST.

A transaction is one transaction. The entries of a batch and resources by themselves (with an id
they are put, else created) are written together, and where that is refused halved until what is
wrong stands alone. Other Bundles with entries (collection, searchset, history) are their entries,
unless an export wrote them: see `documents.py`.
"""

from functools import partial
from typing import TYPE_CHECKING

from ehr.bulk.loading.answers import count_answer, entries_of_answer
from ehr.bulk.loading.documents import (
    ACTED_ON,
    bundle_type,
    document_of,
    entries_of,
    interaction_of,
)
from ehr.bulk.loading.results import Outcome, broken, refused
from ehr.bulk.loading.units import Piece, Unit
from ehr.bulk.loading.writing import LOADER, LOADING, Ready, write
from ehr.errors import FhirError
from ehr.interactions import create, entries, update
from ehr.interactions.drafting import is_tolerant
from ehr.interactions.entries import Entry
from ehr.interactions.transaction import WRITING, transaction
from ehr.messages import Document, Interaction, Preferences
from ehr.pipeline import authorise, handle
from ehr.record import Record
from ehr.store.load_marks import WHOLE, mark

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MINIMAL = Preferences(returning="minimal")
_PUT_IN = ("create", "update")


def load_unit(record: Record, unit: Unit) -> Outcome:
    """Load a unit and tell what became of it; refusals are rejects, never raised."""
    outcome = Outcome()
    ready: list[Ready] = []
    for number, piece in enumerate(unit.pieces):
        if str(number) in unit.done:
            continue
        try:
            document = document_of(piece)
            kind = bundle_type(piece, document)
            if kind not in ACTED_ON:
                _line_up(record, unit, piece, number, document, ready, outcome)
            else:
                _bundle(record, unit, piece, number, document, ready, outcome)
        except FhirError as error:
            outcome.rejects.append(refused(piece, str(number), None, error))
    is_whole = not outcome.rejects and not unit.done and not outcome.loaded
    write(record, unit, ready, outcome, whole=is_whole)
    return outcome


def _line_up(
    record: Record,
    unit: Unit,
    piece: Piece,
    number: int,
    document: Document,
    ready: list[Ready],
    outcome: Outcome,
) -> None:
    """Check resources and put them in line."""
    some = entries_of(piece, document)
    for place, one in enumerate(some):
        part = f"{number}" if len(some) == 1 else f"{number}/{place}"
        if part in unit.done:
            continue
        try:
            _put_in_line(record, piece, part, interaction_of(one), ready, outcome)
        except FhirError as error:
            outcome.rejects.append(refused(piece, part, one.resource, error))


def _put_in_line(
    record: Record,
    piece: Piece,
    part: str,
    asked: Interaction,
    ready: list[Ready],
    outcome: Outcome,
    at: str = "",
) -> None:
    if asked.type == "Binary":  # its content may go elsewhere than its body
        outcome.count(handle(record, LOADER, asked).status)
        outcome.parts.add(part)
        return
    authorise(LOADER, asked)
    make = update.change if asked.name == "update" else create.change
    ready.append(Ready(piece, part, make(record, asked, at=at)))


def _bundle(
    record: Record,
    unit: Unit,
    piece: Piece,
    number: int,
    document: Document,
    ready: list[Ready],
    outcome: Outcome,
) -> None:
    asked = Interaction(
        name=document.resource["type"],
        method="POST",
        document=document,
        preferences=_MINIMAL,
        base=record.settings.base_url,
    )
    try:
        found = _unfolded(record, asked, document)
        if found is None or any(one.interaction.name not in WRITING for one in found):
            _act_on(record, piece, number, asked, document, outcome)
        elif asked.name == "transaction":
            _transact(record, unit, number, found, outcome)
        elif all(one.interaction.name in _PUT_IN for one in found):
            _line_up_entries(record, unit, piece, number, found, ready, outcome)
        else:
            _act_on(record, piece, number, asked, document, outcome)
    except FhirError as error:
        outcome.rejects.append(refused(piece, str(number), document.resource, error))
    except Exception as error:
        outcome.rejects.append(broken(piece, str(number), error))


def _unfolded(record: Record, asked: Interaction, document: Document) -> list[Entry] | None:
    """Return what the entries ask for; None where a batch holds one that asks for nothing."""
    resources = entries.check_bundle(document, tolerant=is_tolerant(record))
    raws = entries.raw_resources(document)
    try:
        return [
            entries.unfold(asked, place, entry, raw)
            for place, (entry, raw) in enumerate(zip(resources, raws, strict=True))
        ]
    except FhirError:
        if asked.name == "batch":
            return None
        raise


def _transact(
    record: Record, unit: Unit, number: int, found: list[Entry], outcome: Outcome
) -> None:
    parts = [WHOLE] if len(unit.pieces) == 1 else [str(number)]

    def note(connection: "Connection") -> None:
        mark(connection, unit.key, parts)

    authorise(LOADER, Interaction(name="transaction"))
    for one in found:
        authorise(LOADER, one.interaction)
    run = partial(handle, record, LOADER)  # asked for by none of these entries
    for result in transaction(record, LOADER, LOADING, found, run, note):
        outcome.count(result.status)
    outcome.parts.add(str(number))


def _line_up_entries(
    record: Record,
    unit: Unit,
    piece: Piece,
    number: int,
    found: list[Entry],
    ready: list[Ready],
    outcome: Outcome,
) -> None:
    """Put the entries of a batch in line: each is taken or refused by itself."""
    authorise(LOADER, Interaction(name="batch"))
    for place, one in enumerate(found):
        part = f"{number}/{place}"
        if part in unit.done:
            continue
        asked = one.interaction
        try:
            _put_in_line(record, piece, part, asked, ready, outcome, one.resource_at)
        except FhirError as error:
            resource = asked.document.resource if asked.document else None
            outcome.rejects.append(refused(piece, part, resource, error))


def _act_on(
    record: Record,
    piece: Piece,
    number: int,
    asked: Interaction,
    document: Document,
    outcome: Outcome,
) -> None:
    """Hand a Bundle that does more than put resources in to the one door."""
    answer = handle(record, LOADER, asked)
    sent = document.resource.get("entry") or ()
    answered = entries_of_answer(answer.body or b"{}")
    for place, (entry, one) in enumerate(zip(sent, answered, strict=True)):
        count_answer(piece, f"{number}/{place}", entry.get("resource"), one, outcome)
