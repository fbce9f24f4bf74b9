"""$match (R4 §8.1.13): the one patient who has a national number and was born on a day.

For those who have nothing to do with a patient yet. So nothing but both together finds anybody, and
what is told is who that is and where they are registered (`match_shown.py`). What else was sent is
not looked at: a wrong name hides nobody, and a right one finds nobody.

Whoever asks has only so many look-ups in an hour, found or not: numbers and dates are not to be
tried out. Nobody found is an empty Bundle, whatever the reason.
"""

import logging
from datetime import UTC, datetime
from urllib.parse import quote

from auth.principal import Principal
from ehr.access.consents.shut_out import who_shut_out
from ehr.errors import Throttled
from ehr.interactions.access.terms import terms_of
from ehr.messages import Interaction, Resource, Result
from ehr.operations import match_asked, match_shown
from ehr.record import Record
from ehr.search.values.intervals import parse_interval, zone_named
from ehr.store import patient_lookups
from ehr.store.patient_lookups import HOUR
from ehr.store.read import Stored
from fhir_profiles import json_format

_LOG = logging.getLogger("ehr.match")


def match(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Return a searchset Bundle of who was found. Raises Throttled, Unprocessable, Invalid."""
    asked = match_asked.read(interaction)
    _count(record, principal)
    found = _found(record, principal, asked)
    parts = [part for _, part in found]
    body = match_shown.bundle(
        parts, asked, base=interaction.base, id=record.new_id(), at=record.clock()
    )
    told = {entry["resource"]["id"] for entry in body.get("entry", ())}
    shown = tuple(row.item for row, part in found if part["id"] in told)
    return Result(status=200, body=json_format.serialise(body), shown=shown)


def _count(record: Record, principal: Principal) -> None:
    """Count a look-up, whatever it finds. Raises Throttled beyond what the caller has."""
    most, now = record.settings.matches_per_hour.of(principal.kind), record.clock()
    # A person is one caller, however many apps and tokens they use.
    caller = principal.person or principal.id
    counted = record.database.write(
        lambda connection: patient_lookups.count(connection, caller, now)
    )
    if counted <= most:
        return
    if counted == most + 1:  # told once an hour, in whatever process
        name = quote(caller, safe="/:")
        _LOG.warning("match_budget_spent caller=%s kind=%s limit=%d", name, principal.kind, most)
    wait = -(-(HOUR - now % HOUR) // 1000)
    raise Throttled(
        f"You have looked up {most} patients in this hour, which is as many as you may. "
        f"Wait {-(-wait // 60)} min. Patients whom you care for are found by a search.",
        headers=(("Retry-After", str(wait)),),
    )


def _found(
    record: Record, principal: Principal, asked: match_asked.Asked
) -> list[tuple[Stored, Resource]]:
    """Return the rows that are meant, and what is told of each; none of who keeps the caller out by
    name, whom no claim and no emergency opens either."""
    born = parse_interval(asked.birth_date, zone_named(record.settings.record_timezone))
    with record.database.read() as connection:
        rows = patient_lookups.find(connection, asked.system, asked.number, born)
        who, terms, now = principal.person, terms_of(record), record.clock()
        if who is not None:
            keys = [row.patient_key for row in rows]
            kept = who_shut_out(connection, keys, who, terms, now)
            rows = tuple(row for row in rows if row.patient_key not in kept)
    today = datetime.fromtimestamp(record.clock() / 1000, UTC).date()
    patients = ((row, json_format.reparse(row.json())) for row in rows)
    return [
        (row, match_shown.part(one, asked, today.isoformat()))
        for row, one in patients
        if match_shown.is_meant(one, asked)
    ]
