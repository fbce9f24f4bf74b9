"""Whether somebody may still have an account: not who died, left, was merged or deleted.

And whether professionals still work where a role of theirs is: where the record has
PractitionerRoles of theirs at that organisation, one of them must be in force; where it has none,
the account alone says so.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from auth.principal import Principal
from auth.surroundings import Surroundings

# What every sign-in asks of the record: whether the person is there still.
OURSELVES = Principal("sign-in", "operator", "sign-in")
NEVER = 1 << 62
_LAST_YEAR = "9999"


def fault(
    surroundings: Surroundings, fhir_user: str, places: Sequence[str | None] = ()
) -> str | None:
    """Say why a person can't sign in or be invited; None where they can.

    `places` are the organisations of their roles; one of them is enough.
    """
    person = surroundings.people.resource(OURSELVES, fhir_user)
    if person is None or person_end(person) <= surroundings.clock():
        return _reason(person)
    if places and not any(_works(surroundings, fhir_user, place) for place in places):
        return "The record says that this person does not work there now."
    return None


def fault_of_all(
    surroundings: Surroundings, persons: Sequence[str], places: Sequence[str | None] = ()
) -> str | None:
    """Say why nobody of these persons, who are one, can sign in; None where one can."""
    faults = [fault(surroundings, person, places) for person in persons]
    return None if None in faults else faults[0]


def last_end(
    surroundings: Surroundings, persons: Sequence[str], organisation: str | None = None
) -> int:
    """Return the last of the ends of these persons, who are one."""
    return max(end(surroundings, person, organisation) for person in persons)


def end(surroundings: Surroundings, fhir_user: str, organisation: str | None = None) -> int:
    """Return when a person is one no longer who may have an account, or works there no longer.

    0 for who died, left, was merged or deleted; NEVER where the record never said anything.
    """
    person = surroundings.people.resource(OURSELVES, fhir_user)
    if person is None:
        return 0 if surroundings.people.is_deleted(fhir_user) else NEVER
    until = person_end(person)
    if organisation is None or not fhir_user.startswith("Practitioner/"):
        return until
    works = works_until(surroundings, fhir_user, organisation)
    return until if works is None else min(until, works)


def works_until(surroundings: Surroundings, practitioner: str, organisation: str) -> int | None:
    """Return until when the record says that somebody works at an organisation: 0 for who does
    not now, None where it has no PractitionerRole of theirs there."""
    roles = surroundings.people.roles_at(practitioner, f"Organization/{organisation}")
    now = surroundings.clock()
    return max((role_end(one, now) for one in roles), default=None)


def role_end(role: Mapping[str, Any], now: int) -> int:
    """Return when a PractitionerRole ends, 0 for one that is not in force."""
    period = role.get("period")
    period = period if isinstance(period, Mapping) else {}
    last, first = period.get("end"), period.get("start")
    end = NEVER if last is None else _over(str(last))
    begun = first is None or _begins(str(first)) <= now
    return end if role.get("active") is not False and begun and end > now else 0


def person_end(person: Mapping[str, Any]) -> int:
    """Return when a person is one no longer who may have an account, 0 for who is none now."""
    if _is_dead(person) or _is_merged(person) or person.get("active") is False:
        return 0
    period = person.get("period") if person.get("resourceType") == "RelatedPerson" else None
    last = period.get("end") if isinstance(period, Mapping) else None
    return NEVER if last is None else _over(str(last))


def _reason(person: Mapping[str, Any] | None) -> str:
    if person is None:
        return "Your record is not here any more. Ask your practice, or who invited you."
    if _is_dead(person):
        return "The record says that this person has died. Nobody can sign in as them."
    if _is_merged(person):
        return "This record was merged into another one, which has an account of its own."
    if person.get("active") is False:
        return "The record says that this person is no longer active."
    return "The record says that this person no longer acts for the patient."


def _over(text: str) -> int:
    """Return when a FHIR dateTime is over: days, months and years are whole ones, by UTC."""
    if text.startswith(_LAST_YEAR):
        return NEVER
    try:
        if "T" in text:
            return int(datetime.fromisoformat(text.replace(":60", ":59")).timestamp() * 1000)
        year, month, day = [int(part) for part in text.split("-")] + [0] * (2 - text.count("-"))
        if day:
            after = date(year, month, day) + timedelta(1)
        else:
            after = date(year + month // 12, month % 12 + 1, 1) if month else date(year + 1, 1, 1)
    except ValueError:
        return 0  # whoever can't say until when has no more time
    return int(datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp() * 1000)


def _works(surroundings: Surroundings, practitioner: str, place: str | None) -> bool:
    return place is None or works_until(surroundings, practitioner, place) != 0


def _begins(text: str) -> int:
    """Return when a FHIR dateTime begins."""
    try:
        if "T" in text:
            return int(datetime.fromisoformat(text.replace(":60", ":59")).timestamp() * 1000)
        year, month, day = ([int(part) for part in text.split("-")] + [1, 1])[:3]
        return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return NEVER  # whoever can't say since when has not begun


def _is_dead(person: Mapping[str, Any]) -> bool:
    return bool(person.get("deceasedDateTime")) or person.get("deceasedBoolean") is True


def _is_merged(person: Mapping[str, Any]) -> bool:
    links = person.get("link") or ()
    return any(isinstance(one, Mapping) and one.get("type") == "replaced-by" for one in links)
