"""POST Patient/[id]/$break-glass: open a record in an emergency, for four hours, for all to see.

For professionals who treat or protect people themselves, who have just
shown who they are. It is reviewed, and the patient is told: a day later unless another time is
given, for somebody in danger may share a home with who reads along.

What it opens is no more than that relationship does (`kinds.MOST_CONF`), and no consent is lifted
that the patient does not let it lift.
"""

from auth.principal import Principal
from ehr.access.terms import DAY
from ehr.messages import Interaction, Result
from ehr.operations.opening import calling, gate, values
from ehr.operations.opening.documents.emergency import Stated, documents
from ehr.operations.opening.values import Values
from ehr.operations.opening.writing import store
from ehr.people_shown import name_of
from ehr.record import Record
from fhir_profiles.own_names import EMERGENCY_REASON

DELAY, MOST_DELAY = 24, 720  # hours
_WARNS_WITHIN = 30 * DAY
_NAMES = ("reason", "text", "delayNotice", "delayReason")


def break_glass(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Open the record of the patient in the address; answer with the Task and what to show.

    Raises Unauthenticated for an old sign-in, Unprocessable, Throttled, NotFound.
    """
    call = calling.call(record, principal, interaction)
    calling.refuse_stale(call)
    stated = _stated(values.read(interaction, _NAMES))
    calling.count(call)
    opened = gate.find(call)
    until = call.at + call.terms.break_glass
    some = documents(call, opened, stated, calling.in_words(call), until)
    written = store(call, some, is_urgent=True)
    again = opened.emergencies(call.person, call.at - _WARNS_WITHIN)
    banner = (
        ("patient", "String", name_of(opened.patient) or "Name not recorded"),
        ("until", "Instant", until),
        ("reason", "Coding", stated.reason),
    )
    body = values.answer(
        ("task", "Reference", {"reference": written[0]}),
        ("review", "Reference", {"reference": written[1]}),
        ("until", "Instant", until),
        ("warning", "String", _warning(again)),
        ("banner", "", banner),
    )
    return Result(status=201, body=body, shown=(opened.item,))


def _stated(asked: Values) -> Stated:
    reason, text = asked.coding("reason", EMERGENCY_REASON), asked.text("text")
    hours = asked.whole("delayNotice", DELAY, MOST_DELAY)
    return Stated(reason, text, hours, asked.text("delayReason", needed=hours > DELAY))


def _warning(again: int) -> str:
    if not again:
        return ""
    return (
        f"In the last 30 days you opened this record in an emergency before, {again} "
        f"time{'s' if again > 1 else ''}. If you care for this person, have it recorded."
    )
