"""People, dates and numbers as pages show them."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auth.surroundings import Patient

_SEX = {"male": "Male", "female": "Female", "other": "Other", "unknown": ""}


def particulars(patient: "Patient") -> str:
    """Say what tells a patient from others of the name: birth date, sex, number in groups."""
    parts = [
        f"Born {written(patient.birth_date)}" if patient.birth_date else "Birth date not recorded",
        _SEX.get(patient.gender, ""),
        f"Number {_grouped(patient.identifier)}" if patient.identifier else "",
    ]
    return " · ".join(part for part in parts if part)


def written(text: str) -> str:
    """Return a FHIR date, however precise, as people write it: 18 June 2026."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        parts = text.split("-")
        return _month(parts) if len(parts) == 2 else text
    return f"{day.day} {day:%B %Y}"


def day_of(time: int) -> str:
    """Return the day of a time in milliseconds, as people write it."""
    day = datetime.fromtimestamp(time / 1000, UTC)
    return f"{day.day} {day:%B %Y}"


def _month(parts: list[str]) -> str:
    try:
        return f"{date(int(parts[0]), int(parts[1]), 1):%B %Y}"
    except ValueError:
        return "-".join(parts)


def _grouped(number: str) -> str:
    """Return a number of ten digits in groups of 3, 3 and 4."""
    is_ten = len(number) == 10 and number.isdigit()
    return f"{number[:3]} {number[3:6]} {number[6:]}" if is_ten else number
