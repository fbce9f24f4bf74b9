"""Resources that passed their checks, written together; halved where that is refused.

What goes in is noted in the same transaction, so that a load which is killed and goes on does
nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auth.principal import Principal
from ehr import messages
from ehr.audit.telling.requests import LOAD
from ehr.bulk.loading.results import Outcome, broken, refused
from ehr.bulk.loading.units import Piece, Unit
from ehr.errors import FhirError
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.messages import Document, Interaction
from ehr.record import Record
from ehr.store.drafts import Method
from ehr.store.load_marks import WHOLE, mark
from fhir_profiles import json_format

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOADER = Principal("command-line", "system", "command line")
# As the trail tells of it: one event for each patient, since thousands of resources go together.
LOADING = Interaction(name="transaction", operation=LOAD)


@dataclass(frozen=True, slots=True)
class Ready:
    """A change that passed its checks, of a piece; `part` is its place in the unit."""

    piece: Piece
    part: str
    change: Change


def write(
    record: Record, unit: Unit, ready: Sequence[Ready], outcome: Outcome, *, whole: bool
) -> None:
    """Write changes together, `whole` if they are all of the unit; halve what is refused."""
    if not ready:
        return
    now, later = _once_each(ready)
    parts = [WHOLE] if whole and not later else [one.part for one in now]

    def note(connection: "Connection") -> None:
        mark(connection, unit.key, parts)

    try:
        written = apply(record, LOADER, [one.change for one in now], note, asked=LOADING)
    except FhirError as error:
        if len(now) == 1:
            sent = now[0].change.document
            resource = sent.resource if sent else None
            outcome.rejects.append(refused(now[0].piece, now[0].part, resource, error))
        else:
            middle = len(now) // 2
            write(record, unit, _afresh(now[:middle]), outcome, whole=False)
            write(record, unit, _afresh(now[middle:]), outcome, whole=False)
    except Exception as error:
        outcome.rejects += [broken(one.piece, one.part, error) for one in now]
    else:
        outcome.parts.update(one.part for one in now)
        for some in written:
            outcome.count(some[0].status)
    write(record, unit, later, outcome, whole=False)


def _once_each(ready: Sequence[Ready]) -> tuple[list[Ready], list[Ready]]:
    """Part the changes that come again to the same resource: they have to wait for the first."""
    seen: set[tuple[str, str]] = set()
    now: list[Ready] = []
    later: list[Ready] = []
    for one in ready:
        name = (one.change.type, one.change.id or "")
        if one.change.method is Method.PUT and name in seen:
            later.append(one)
        else:
            seen.add(name)
            now.append(one)
    return now, later


def _afresh(ready: Sequence[Ready]) -> list[Ready]:
    """Return the same with documents parsed again: links may have been put into these."""
    again = []
    for one in ready:
        sent = one.change.document
        assert sent is not None
        fresh = Document(sent.raw, json_format.reparse(sent.raw))
        again.append(replace(one, change=messages.replace(one.change, document=fresh)))
    return again
