"""Who asks for events of the trail, which of them there are for that caller, and what of each.

A patient is told who dealt with the record, and not what was refused, how it was asked, rows that
are hidden from the patient, what safeguarding holds back (`audit/finding.py`), what was done in an
emergency of which the patient is told later, and not the name of
staff whom safety lets be unnamed. A carer whom the patient lets read the access log is told the
same, less rows that are hidden from carers. Staff are told what they did, and not what they were
refused: that something is there that they may not see would be told with it. Systems are told
again what they added.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.principal import Principal
from auth.reach import Reach, reach
from ehr.access.scope import scope_of
from ehr.access.visible import visible_within
from ehr.audit import finding
from ehr.audit.event import Event
from ehr.audit.ids import Ids
from ehr.audit.items import pack, unpack
from ehr.audit.rendering import names_for, render
from ehr.interactions.audit_events.whose import patients_of, untold
from ehr.messages import Resource, replace
from ehr.record import Record
from ehr.settings import own_base
from ehr.store.tables import resource

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.audit.finding import Condition, Edge

_ROUNDS = 20  # pages of events looked through for one of which a patient is told


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks for events, and what hides some of them from that caller."""

    record: Record
    principal: Principal
    reach: Reach
    keys: tuple[int, ...] | None
    holds: tuple[finding.Hold, ...] = ()
    untold: tuple[int, ...] = ()  # patients who are told later of an emergency

    def conditions(self) -> "list[Condition]":
        """Return the conditions of all events that the caller may know of."""
        found: list[Condition] = []
        if self.keys is not None:
            found.append(finding.of_patients(self.keys))
        if self.reach.author is not None:
            found.append(finding.by_author(self.reach.author))
        if self.reach.added_by is not None:
            found.append(finding.added_by(self.reach.added_by))
        if self.reach.is_feed or self.reach.author is not None:
            found.append(finding.with_outcomes((0,)))
        if self.reach.is_feed:
            found += [finding.of_kinds(finding.OF_FEED), finding.but_for(self.holds)]
            found.append(finding.but_for_emergencies(self.untold))
        return found


def reader_of(
    record: Record, principal: Principal, connection: "Connection", letter: str
) -> Reader | None:
    """Return who asks, by a letter of SMART scopes; None where that caller may read no event."""
    found = reach(principal, letter)
    if found is None:
        return None
    keys = patients_of(record, principal, connection, found)
    if not found.is_feed:
        return Reader(record, principal, found, keys)
    held = tuple(finding.holds(connection, keys or ()))
    later = untold(record, connection, keys or ())
    return Reader(record, principal, found, keys, held, later)


def one(reader: Reader, connection: "Connection", id: str) -> Event | None:
    """Return the event of an id, None where there is none for this caller."""
    place = Ids(reader.record.database).place(id)
    if place is None:
        return None
    conditions = [finding.at_places([place]), *reader.conditions()]
    found = finding.page(connection, conditions, 1)
    return found[0] if _told_of(reader, connection, found) else None


def page(
    reader: Reader,
    connection: "Connection",
    conditions: "Sequence[Condition]",
    size: int,
    after: "Edge | None",
    *,
    is_oldest_first: bool,
) -> "tuple[list[Event], Edge | None]":
    """Return the next events that the caller is told of, and where to go on."""
    found: list[Event] = []
    for _ in range(_ROUNDS):
        some = finding.page(
            connection, conditions, size + 1, after=after, is_oldest_first=is_oldest_first
        )
        is_last = len(some) <= size
        told = _told_of(reader, connection, some[:size])
        for event in told:
            if len(found) == size:
                return found, finding.edge_of(found[-1])
            found.append(event)
        if is_last:
            return found, None
        after = finding.edge_of(some[size - 1])
        if len(found) == size:
            return found, after
    return found, after


def total(
    reader: Reader, connection: "Connection", conditions: "Sequence[Condition]"
) -> int | None:
    """Return how many events there are; None where each would have to be looked at."""
    return None if reader.reach.is_feed else finding.count(connection, conditions)


def _told_of(reader: Reader, connection: "Connection", events: Sequence[Event]) -> list[Event]:
    """Leave out events about a row that the patient who asks may not see."""
    if not reader.reach.is_feed:
        return list(events)
    places = [(e.row.patient_key, e.row.rid) for e in events if e.row.rid is not None]
    visible = finding.seen(connection, places, _visible(reader))
    return [
        event
        for event in events
        if event.row.rid is None or (event.row.patient_key, event.row.rid) in visible
    ]


def _visible(reader: Reader) -> "Condition":
    scope = scope_of(reader.record.database, reader.principal, "r")
    return visible_within(resource, scope, reader.record.database.hasher)


def rendered(reader: Reader, connection: "Connection", events: Sequence[Event]) -> list[Resource]:
    """Return events as FHIR, less what is not for this caller."""
    unnamed = frozenset[str]()
    if reader.reach.is_feed:
        events = [_for_patient(event) for event in events]
        unnamed = finding.not_named(connection, [event.row.agent for event in events])
    firsts = {} if reader.reach.is_feed else finding.firsts(connection, events)
    names = names_for(connection, events)
    if reader.reach.is_feed or reader.reach.author is not None:
        seen = finding.seen(connection, list(names.resources), _visible(reader))
        kept = {place: name for place, name in names.resources.items() if place in seen}
        names = type(names)(names.patients, kept)
        if reader.reach.is_feed:
            events = [_counting(event, kept) for event in events]
    ids, base = Ids(reader.record.database), own_base(reader.record.settings)
    told = []
    for event in events:
        first = firsts.get(finding.first_place(event))
        query = first.row.query if first is not None else None
        told.append(render(event, ids, names, base=base, query=query, unnamed=unnamed))
    return told


def _for_patient(event: Event) -> Event:
    """Leave out how the server was asked, which may name others, and rows of others."""
    row = event.row
    own = [item for item in unpack(row.items or b"", row.patient_key) if item[0] == row.patient_key]
    row = replace(
        row,
        query=None,
        named=None,
        token_id=None,
        request_id=None,
        found=None if row.found is None else len(own),
        items=pack(own, row.patient_key) or None,
    )
    return Event(event.place, row)


def _counting(event: Event, shown: Container[tuple[int, int]]) -> Event:
    """Count only what is shown: the number would tell that something is hidden."""
    row = event.row
    items = unpack(row.items or b"", row.patient_key)
    own = [item for item in items if item[:2] in shown]
    if row.found is None or len(own) == len(items):
        return event
    kept = pack(own, row.patient_key) or None
    return Event(event.place, replace(row, found=len(own) or None, items=kept))
