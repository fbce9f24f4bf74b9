"""FHIR partial dates as instants, for columns of the row itself (care date, order of the page).

The search index has its own, exact intervals (`ehr/search/values/intervals.py`); here one number
is enough.
"""

from datetime import UTC, datetime

_PADDING = "0001-01-01T00:00:00"


def first_millisecond(text: str) -> int | None:
    """Return the first millisecond of a date or dateTime in UTC, or None where it is no date."""
    filled = text + _PADDING[len(text) :] if len(text) < len("0000-00-00T00") else text
    try:
        moment = datetime.fromisoformat(filled.replace(":60", ":59", 1))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
