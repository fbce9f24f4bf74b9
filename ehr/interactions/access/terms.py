"""How this record reads the dates and names that access goes by (`ehr/access/terms.py`)."""

from functools import lru_cache

from ehr.access.terms import Terms
from ehr.interactions.drafting import bases
from ehr.record import Record
from ehr.search.values.intervals import interval_reader


def terms_of(record: Record) -> Terms:
    """Return by what relationships and consent rules are made in this record."""
    return _terms(record.settings.record_timezone, bases(record))


@lru_cache(maxsize=64)
def _terms(timezone: str, own: tuple[str, ...]) -> Terms:
    return Terms(interval_reader(timezone), own)
