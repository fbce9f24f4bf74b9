"""Events that are asked for: conditions on the narrow rows, a page of them, and what hides them.

A page goes by time, then by place, so that two events of one millisecond have an order. No
statement joins events with rows of the record: what a patient must not be told of is looked up
beside them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, not_, or_, select, true, tuple_

from auth.purposes import EMERGENCY
from ehr.audit.event import Event, Place, event_of
from ehr.audit.kinds import Kind
from ehr.store.tables import audit_event, locator, resource
from ehr.store.templates import rows_of
from fhir_profiles.facets import LOCKED, NORMAL
from fhir_profiles.resource_types import type_number

Edge = tuple[int, int, int, int]  # at, writer, epoch, n of the event that a page ended with
Condition = ColumnElement[bool]

# What a patient is told of: that somebody dealt with the record, not how the server did it.
OF_FEED = frozenset(Kind) - {
    Kind.BATCH, Kind.TRANSACTION, Kind.CAPABILITIES, Kind.ENTRY_REFUSED, Kind.REFUSED,
    Kind.CLIENT_CHANGED, Kind.USER_CHANGED, Kind.LABEL_CHANGED, Kind.POLICY_CHANGED,
    Kind.CONSENT_DECISION, Kind.BREAK_GLASS_REVIEWED, Kind.FOREIGN,
}  # fmt: skip
_PRACTITIONER, _FLAG = type_number("Practitioner"), type_number("Flag")
_C = audit_event.c


@dataclass(frozen=True, slots=True)
class Hold:
    """Events of one patient by one organisation, which that patient is not told of now."""

    patient_key: int
    organisation: str


def of_patients(keys: Sequence[int]) -> Condition:
    """Return the condition of events about these patients."""
    return _C.patient_key.in_(keys) if keys else false()


def by(texts: Sequence[str]) -> Condition:
    """Return the condition of events of these people, systems or organisations, or for them."""
    if not texts:
        return false()
    return or_(_C.agent.in_(texts), _C.organisation.in_(texts), _C.on_behalf_of.in_(texts))


def by_author(text: str) -> Condition:
    """Return the condition of events of one author."""
    return _C.agent == text


def added_by(text: str) -> Condition:
    """Return the condition of events of others that this system added."""
    return and_(_C.kind == Kind.FOREIGN, _C.client_id == text)


def of_kinds(kinds: Iterable[int]) -> Condition:
    """Return the condition of events of these kinds."""
    listed = sorted(kinds)
    return _C.kind.in_(listed) if listed else false()


def with_outcomes(outcomes: Sequence[int]) -> Condition:
    """Return the condition of events that came out so."""
    return _C.outcome.in_(outcomes) if outcomes else false()


def within(low: int | None, high: int | None) -> Condition:
    """Return the condition of events from `low` on and before `high`, in milliseconds."""
    parts = [_C.at >= low] if low is not None else []
    parts += [_C.at < high] if high is not None else []
    return and_(*parts)


def outside(low: int, high: int) -> Condition:
    """Return the condition of events that are not within a span."""
    return not_(within(low, high))


def about(places: Sequence[tuple[int, int]], named: Sequence[str]) -> Condition:
    """Return the condition of events about these rows, or about what was named so."""
    parts: list[Condition] = []
    if places:
        parts.append(tuple_(_C.patient_key, _C.rid).in_(places))
    if named:
        parts.append(_C.named.in_(named))
    return or_(*parts) if parts else false()


def observed_by(sources: Sequence[str]) -> Condition:
    """Return the condition of events that others observed."""
    return _C.source.in_(sources) if sources else false()


def at_places(places: Sequence[Place]) -> Condition:
    """Return the condition of the events at these places."""
    if not places:
        return false()
    listed = [(one.writer, one.epoch, one.n) for one in places]
    return tuple_(_C.writer, _C.epoch, _C.n).in_(listed)


def but_for(holds: Sequence[Hold]) -> Condition:
    """Return the condition of events that none of these holds back."""
    held = [
        and_(_C.patient_key == one.patient_key, _C.organisation == one.organisation)
        for one in holds
    ]
    return or_(_C.organisation.is_(None), not_(or_(*held))) if held else true()


def but_for_emergencies(keys: Sequence[int]) -> Condition:
    """Return the condition of events that are none of an emergency in these patients' records."""
    if not keys:
        return true()
    urgent = and_(_C.patient_key.in_(keys), func.coalesce(_C.purpose, "") == EMERGENCY)
    return not_(urgent)


def page(
    connection: Connection,
    conditions: Sequence[Condition],
    limit: int,
    *,
    after: Edge | None = None,
    is_oldest_first: bool = False,
) -> list[Event]:
    """Return events in their order, the newest first unless told otherwise."""
    order = (_C.at, _C.writer, _C.epoch, _C.n)
    asked = select(audit_event).where(*conditions)
    if after is not None:
        edge = tuple_(*order)
        asked = asked.where(edge > after if is_oldest_first else edge < after)
    sorted_by = order if is_oldest_first else [column.desc() for column in order]
    found = rows_of(connection, asked.order_by(*sorted_by).limit(limit))
    return [event_of(row) for row in found]


def edge_of(event: Event) -> Edge:
    """Return where a page that ends with an event goes on."""
    place = event.place
    return event.row.at, place.writer, place.epoch, place.n


def count(connection: Connection, conditions: Sequence[Condition]) -> int:
    """Return how many events meet all conditions."""
    asked = select(func.count()).select_from(audit_event).where(*conditions)
    return int(connection.execute(asked).scalar_one())


def firsts(connection: Connection, events: Sequence[Event]) -> dict[Place, Event]:
    """Return by place the events that others of the same request are behind."""
    wanted = {first_place(event) for event in events} - {event.place for event in events}
    known = {event.place: event for event in events}
    if wanted:
        found = page(connection, [at_places(sorted(wanted))], len(wanted))
        known |= {event.place: event for event in found}
    return known


def first_place(event: Event) -> Place:
    """Return where the first event of the same request is."""
    place = event.place
    return Place(place.writer, place.epoch, place.n - event.row.behind)


def holds(connection: Connection, keys: Sequence[int]) -> list[Hold]:
    """Return what safeguarding holds back from these patients.

    While a Flag lies on a record that is labelled V, its patient is not told what the organisation
    that entered it does there.
    """
    if not keys:
        return []
    c = resource.c
    asked = select(c.patient_key, c.author_organisation).where(
        c.patient_key.in_(keys), c.type == _FLAG, c.deleted.is_(False), c.conf >= LOCKED
    )
    return [Hold(key, name) for key, name in rows_of(connection, asked) if name is not None]


def not_named(connection: Connection, agents: Iterable[str | None]) -> frozenset[str]:
    """Return those of these agents whom staff safety lets patients not know by name.

    These are Practitioners whose resource is labelled beyond N.
    """
    ids = {text.partition("/")[2] for text in agents if text and text.startswith("Practitioner/")}
    if not ids:
        return frozenset()
    at, c = locator.c, resource.c
    asked = (
        select(at.id)
        .join(resource, and_(c.patient_key == at.patient_key, c.rid == at.rid))
        .where(at.type == _PRACTITIONER, at.id.in_(sorted(ids)), c.conf > NORMAL)
    )
    return frozenset(f"Practitioner/{row[0]}" for row in rows_of(connection, asked))


def seen(
    connection: Connection, places: Sequence[tuple[int, int]], visible: Condition
) -> set[tuple[int, int]]:
    """Return those of these rows that a caller sees; `visible` judges the row `resource`."""
    if not places:
        return set()
    c = resource.c
    listed = tuple_(c.patient_key, c.rid).in_(sorted(set(places)))
    asked: Any = select(c.patient_key, c.rid).where(listed, visible)
    return {(int(key), int(rid)) for key, rid in connection.execute(asked)}
