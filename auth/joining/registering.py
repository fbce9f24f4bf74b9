"""Registering a patient of whom the record knows nothing yet: what is asked, and what is refused.

The record is written by who registers, through the one door, as any app would write it for them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from auth.joining import national_numbers
from auth.principal import Principal
from auth.sign_in import standing
from auth.surroundings import NewPatient, NotWritten, Patient, Surroundings

_OLDEST = 130  # years
_LONGEST = 100
# Two records of one person are worse than knowing that there is one.
_IS_ELSEWHERE = (
    "The record has a patient of this number, who is not registered with your organisation. Check "
    "the number. If it is right, ask the people who run this server to register them with you."
)


class CannotRegister(Exception):
    """Why nobody was registered: each part of the form that something is wrong with, and what."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__("; ".join(text for _, text in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Registered:
    """A patient of the record; whether they were there before."""

    patient: Patient
    was_known: bool


def register(
    surroundings: Surroundings,
    caller: Principal,
    *,
    given: str,
    family: str,
    born: tuple[str, str, str],  # day, month, year
    kind: str,
    number: str,
) -> Registered:
    """Write a patient into the record, but never twice. Raises CannotRegister."""
    given, family = " ".join(given.split()), " ".join(family.split())
    birth, plain = _day(born), national_numbers.plain(number)
    asked = (
        ("given", _fault_of_name(given, "first")),
        ("family", _fault_of_name(family, "last")),
        ("day", _fault_of_birth(birth, surroundings.clock())),
        ("kind", None if kind in national_numbers.NAMES else "Choose what kind of number it is."),
        ("number", _fault_of_number(kind, plain, birth)),
    )
    faults = [(where, text) for where, text in asked if text is not None]
    if faults or birth is None:
        raise CannotRegister(*faults)
    # Both systems are asked: the same ten digits are never two people.
    known = surroundings.people.find_patients(caller, plain, 2)
    if known:
        return Registered(known[0], was_known=True)
    if surroundings.people.find_patients(standing.OURSELVES, plain, 1):
        raise CannotRegister(("number", _IS_ELSEWHERE))
    new = NewPatient(given, family, birth.isoformat(), national_numbers.SYSTEMS[kind], plain)
    try:
        return Registered(*surroundings.people.register(caller, new))
    except NotWritten as why:
        raise CannotRegister(("given", f"The record did not take it: {why}")) from None


def _fault_of_name(name: str, what: str) -> str | None:
    if not name or len(name) > _LONGEST or not name.isprintable():
        return f"Enter the {what} name, with at most {_LONGEST} letters."
    return None


def _day(born: tuple[str, str, str]) -> date | None:
    parts = [part.strip() for part in born]
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        return None
    day, month, year = map(int, parts)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _fault_of_birth(birth: date | None, now: int) -> str | None:
    if birth is None:
        return "Enter a real date of birth, such as 15 3 1984."
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    if birth > today or birth.year < today.year - _OLDEST:
        return "Enter a date of birth that is past, and not too long ago."
    return None


def _fault_of_number(kind: str, number: str, birth: date | None) -> str | None:
    if not number:
        return "Enter the number, which has 10 digits."
    if kind not in national_numbers.NAMES:
        return None  # which kind it is comes first
    return national_numbers.fault(kind, number, birth.isoformat() if birth else "")
