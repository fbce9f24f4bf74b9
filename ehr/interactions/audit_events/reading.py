"""Events of the audit trail over FHIR: read, vread, history of one, search.

Who may: `auth/reach.py`. They are no rows of the record: no search, include, chain, history or
operation of other types finds one. AuditEvents that were kept as resources, by earlier releases or
`ehr load`, are read as such. To read events is an event.
"""

from auth.principal import Principal
from ehr.audit import finding
from ehr.errors import NotFound
from ehr.interactions.audit_events import asked as searches
from ehr.interactions.audit_events import bundle, reader
from ehr.interactions.preconditions import check_read, is_fresh
from ehr.messages import Interaction, Preconditions, Result, replace
from ehr.record import Record
from ehr.store.bodies import instant
from fhir_profiles import json_format

TYPE = "AuditEvent"


def is_event(interaction: Interaction) -> bool:
    """Tell whether an interaction asks for events, which may be those of the trail."""
    return interaction.type == TYPE and interaction.compartment in (None, "Patient")


def read(record: Record, principal: Principal, interaction: Interaction) -> Result | None:
    """Return one event; None where the caller may read none, or it is none of the trail."""
    with record.database.read() as connection:
        who = reader.reader_of(record, principal, connection, "r")
        event = None if who is None else reader.one(who, connection, interaction.id or "")
        if who is None or event is None:
            return None
        if interaction.name == "vread" and interaction.version != "1":
            raise NotFound(f"There is one version of {TYPE}/{interaction.id}, which is 1.")
        check_read(interaction, 1, event.row.at)
        shown = ((event.row.patient_key, 0, 0),)
        if is_fresh(interaction.preconditions, 1, event.row.at):
            return Result(status=304, version=1, last_modified=event.row.at, shown=shown)
        [told] = reader.rendered(who, connection, [event])
    body = json_format.serialise(told)
    return Result(status=200, body=body, version=1, last_modified=event.row.at, shown=shown)


def history(record: Record, principal: Principal, interaction: Interaction) -> Result | None:
    """Return the history of one event: its one version."""
    asked = replace(interaction, name="read", preconditions=Preconditions())
    found = read(record, principal, asked)
    if found is None or found.body is None:
        return None
    base, id = interaction.base, interaction.id
    head = {
        "resourceType": "Bundle",
        "id": record.new_id(),
        "meta": {"lastUpdated": instant(record.clock())},
        "type": "history",
        "total": 1,
        "link": [{"relation": "self", "url": f"{base}/{TYPE}/{id}/_history"}],
        "entry": [
            {
                "fullUrl": f"{base}/{TYPE}/{id}",
                "resource": json_format.reparse(found.body),
                "request": {"method": "POST", "url": TYPE},
                "response": {
                    "status": "201",
                    "etag": 'W/"1"',
                    "lastModified": instant(found.last_modified or 0),
                },
            }
        ],
    }
    return Result(status=200, body=json_format.serialise(head), shown=found.shown)


def search(record: Record, principal: Principal, interaction: Interaction) -> Result | None:
    """Return a searchset of events; None where the caller may search none."""
    with record.database.read() as connection:
        who = reader.reader_of(record, principal, connection, "s")
        if who is None:
            return None
        asked = searches.read(record, connection, interaction)
        if who.reach.is_feed and finding.not_named(connection, asked.agents):
            asked.conditions.append(finding.of_kinds(()))  # who is not named is not found by name
        conditions = [*who.conditions(), *asked.conditions]
        after = bundle.edge_in(record, principal, interaction, asked.cursor)
        total = None
        if asked.counts_only or asked.is_counted:
            total = reader.total(who, connection, conditions)
        if asked.counts_only:
            body = bundle.searchset(record, interaction, [], total=total)
            return Result(status=200, body=body, found=total)
        limit = record.settings.page_limit.of(principal.kind)
        size = min(asked.count or record.settings.page_size, limit)
        events, more = reader.page(
            who, connection, conditions, size, after, is_oldest_first=asked.is_oldest_first
        )
        told = reader.rendered(who, connection, events)
    cursor = None
    if more is not None:
        cursor = bundle.sealed(record, principal, interaction, more)
    body = bundle.searchset(record, interaction, told, cursor, total)
    return Result(status=200, body=body, shown=tuple((one.row.patient_key, 0, 0) for one in events))
