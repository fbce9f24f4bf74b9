"""Who calls one of the operations, when, and how often they have: what is true before any patient.

Whoever opens records names ids, and learns that there is such a patient: that is what it is for. So
each person has only so many tries in an hour, found or not.
"""

from dataclasses import dataclass

from auth.principal import Principal
from ehr.access.terms import Terms
from ehr.errors import Forbidden, Throttled, Unauthenticated
from ehr.interactions.access.concerned import caller_in_words
from ehr.interactions.access.terms import terms_of
from ehr.messages import Interaction
from ehr.record import Record
from ehr.store import patient_lookups
from ehr.store.patient_lookups import HOUR

# Sign-ins are fresh for so long (RFC 9470), and openings of one person in an hour so many.
FRESH = 300  # seconds
MOST_IN_AN_HOUR = 10


@dataclass(frozen=True, slots=True)
class Call:
    """One call by a person (`Practitioner/1`) at a moment in ms."""

    record: Record
    principal: Principal
    interaction: Interaction
    person: str
    at: int
    terms: Terms


def call(record: Record, principal: Principal, interaction: Interaction) -> Call:
    """Return a call. Raises Forbidden where nobody knows which person it is."""
    if not principal.person:
        raise Forbidden(
            "The token does not say which person is calling. Sign in as a person whose account "
            "names a Practitioner."
        )
    at = record.clock()
    return Call(record, principal, interaction, principal.person, at, terms_of(record))


def in_words(call: Call) -> str:
    """Return who calls, by role and place."""
    with call.record.database.read() as connection:
        return caller_in_words(connection, call.principal)


def refuse_stale(call: Call) -> None:
    """Raise Unauthenticated unless the person showed who they are within the last minutes."""
    signed_in = call.principal.signed_in
    if signed_in is not None and call.at - signed_in <= FRESH * 1000:
        return
    challenge = (
        'Bearer realm="fhir", error="insufficient_user_authentication", '
        f'error_description="A fresh sign-in is needed", max_age={FRESH}'
    )
    raise Unauthenticated(
        f"Show who you are again: this is for who signed in within {FRESH // 60} minutes. Send an "
        f"authorization request with max_age={FRESH}, and use the new token.",
        headers=(("WWW-Authenticate", challenge),),
    )


def count(call: Call) -> None:
    """Count a try of a person. Raises Throttled beyond what they have in an hour."""
    name = f"{call.person} opens"
    counted = call.record.database.write(
        lambda connection: patient_lookups.count(connection, name, call.at)
    )
    if counted > MOST_IN_AN_HOUR:
        wait = -(-(HOUR - call.at % HOUR) // 1000)
        raise Throttled(
            f"You have tried to open {MOST_IN_AN_HOUR} records in this hour, which is as many as "
            f"you may. Wait {-(-wait // 60)} min, or ask a colleague.",
            headers=(("Retry-After", str(wait)),),
        )
