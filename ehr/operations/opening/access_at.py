"""POST Patient/[id]/$access-at: who somebody was to a patient at a past moment (complaints).

Answers what relationships there were between them and what the patient had denied, as the
resources stood then; for privacy officers and operators. What is not said is not so: without a
relationship nothing of the patient was open.
"""

from collections.abc import Iterator
from typing import Any

from auth.principal import Principal
from ehr.access.past import Past, names_at_moment, past
from ehr.access.relationships.moments import held_at
from ehr.errors import NotFound
from ehr.interactions.access.terms import terms_of
from ehr.interactions.read import not_found
from ehr.messages import Interaction, Result
from ehr.operations.opening import values
from ehr.operations.opening.documents.past_shown import relationship_parts, rule_parts
from ehr.operations.opening.values import Told, Values
from ehr.record import Record
from ehr.store.locator import locate

_WHO = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Organization"})


def access_at(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Return the relationships and rules between a person and the patient in the address.

    Raises NotFound for a patient who was never there, Unprocessable for what can't be asked.
    """
    terms = terms_of(record)
    asked = values.read(interaction, ("who", "at"))
    who, now = _who(record, asked), record.clock()
    at = asked.moment("at", terms)[0] if "at" in asked.found else now
    if at > now:
        raise asked.wrong("at", "`at` lies ahead: nobody knows yet.")
    id = interaction.id or ""
    with record.database.read() as connection:
        person = (who.partition("/")[0], who.partition("/")[2])
        places = locate(connection, {("Patient", id), person})
        place = places.get(("Patient", id))
        if place is None or place.reserved:
            raise NotFound(not_found(interaction))
        if person not in places or places[person].reserved:
            raise asked.wrong("who", f"There never was a {who} in this record.", "not-found")
        names = names_at_moment(connection, who, terms, at)
        found = past(connection, place.patient_key, terms, at)
    body = values.answer(
        ("patient", "Reference", {"reference": f"Patient/{id}"}),
        ("who", "Reference", {"reference": who}),
        ("at", "Instant", at),
        *(("name", "String", name) for name in names),
        *_told(found, names, at),
    )
    return Result(status=200, body=body)


def _who(record: Record, asked: Values) -> str:
    sent: Any = asked.needed("who", "Reference")
    name = terms_of(record).name(sent, _WHO)
    if name is None or "?" in name or "://" in name:
        raise asked.wrong("who", "`who` refers to a person or organisation of this record.")
    return name


def _told(found: Past, names: tuple[str, ...], at: int) -> Iterator[Told]:
    every = [one for _, one in found.relationships]
    held = set(held_at(every, names, at))
    for source, one in found.relationships:
        if one in held:
            yield "relationship", "", relationship_parts(source, one)
    for source, rule in found.rules:
        if rule.from_ <= at < rule.to and (not rule.actor or rule.actor in names):
            yield "consent", "", rule_parts(source, rule)
