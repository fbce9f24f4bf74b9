"""What relationships and consent rules are made by: how dates and names are read, how long is long.

The record's settings, as data. Times are milliseconds since 1970, intervals [from, to). Nothing
here raises for a valid R4 resource: what says nothing that can be read opens nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ehr.store.rows import identifier_text
from fhir_profiles.references import type_and_id

Resource = dict[str, Any]
# From the text of a date to [low, high) in µs; ValueError for what is none.
Reader = Callable[[str], tuple[int, int]]
Interval = tuple[int, int]

# The first moment of the year 1, and of 10000: open beginnings and ends.
ALWAYS, FOREVER = -62_135_596_800_000, 253_402_300_800_000
HOUR = 3_600_000
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Terms:
    """How dates are read (`ehr/search/values/intervals.py`), own base URLs, and how long is long.

    Ages in years: from `review_age` a parent sees less, from `end_age` nothing.
    """

    read: Reader
    base_urls: tuple[str, ...] = ()
    after_encounter: int = 30 * DAY
    after_referral: int = 14 * DAY
    delegated: int = 30 * DAY
    self_claimed: int = 24 * HOUR
    break_glass: int = 4 * HOUR
    review_age: int = 13
    end_age: int = 16

    def moment(self, text: Any) -> Interval | None:
        """Return what a date, dateTime or instant spans, in whole ms; None where it is none."""
        if not isinstance(text, str):
            return None
        try:
            low, high = self.read(text)
        except (ValueError, OverflowError):
            return None
        first, end = max(low // 1000, ALWAYS), min(-(-high // 1000), FOREVER)
        return (first, end) if first < end else None

    def period(self, period: Any) -> Interval | None:
        """Return the interval of a Period, both ends included; open where it says nothing.

        None where it can't be read or ends before it begins: such a period is never.
        """
        if not isinstance(period, dict):
            return ALWAYS, FOREVER
        first, end = ALWAYS, FOREVER
        if period.get("start") is not None:
            start = self.moment(period["start"])
            if start is None:
                return None
            first = start[0]
        if period.get("end") is not None:
            last = self.moment(period["end"])
            if last is None:
                return None
            end = last[1]
        return (first, end) if first < end else None

    def name(self, reference: Any, types: frozenset[str]) -> str | None:
        """Return how relationships name whom a Reference means, never expanded.

        `Practitioner/x` where it is ours, else the absolute URL, else `Practitioner?identifier=
        system|value`, without the type where the Reference does not tell it. None where it means
        nobody of these types, is contained, a `urn:`, or only words.
        """
        if not isinstance(reference, dict):
            return None
        text, told = reference.get("reference"), str(reference.get("type") or "").rpartition("/")[2]
        if isinstance(text, str):
            return self._named(text, types)
        identifier = reference.get("identifier")
        if (told and told not in types) or not isinstance(identifier, dict):
            return None
        value, system = identifier.get("value"), identifier.get("system")
        if not isinstance(value, str) or not isinstance(system, str):
            return None  # a value alone is anybody's
        return f"{told}?identifier={identifier_text(system, value)}"

    def _named(self, text: str, types: frozenset[str]) -> str | None:
        located, root = type_and_id(text, self.base_urls), ""
        foreign = _FOREIGN.fullmatch(text) if located is None else None
        if foreign is not None:
            located, root = type_and_id(foreign[2]), foreign[1]
        if located is None or located[0] not in types:
            return None
        return f"{root}{located[0]}/{located[1]}"


# Base with its slash, type and id, version.
_FOREIGN = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*://[^?#]+/)([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?"
)


def type_named(name: str) -> str:
    """Return the type in a name that `Terms.name` made, empty where it tells none."""
    before, is_identifier, _ = name.partition("?identifier=")
    return before if is_identifier else name.split("/")[-2]


def joint(*intervals: Interval | None) -> Interval | None:
    """Return what intervals have in common, None where that is nothing."""
    first, end = ALWAYS, FOREVER
    for one in intervals:
        if one is None:
            return None
        first, end = max(first, one[0]), min(end, one[1])
    return (first, end) if first < end else None


def codes(concepts: Any, system: str) -> tuple[str, ...]:
    """Return the codes of a system in a CodeableConcept or a list of these, each once."""
    some = concepts if isinstance(concepts, list) else [concepts]
    found = (
        coding.get("code")
        for one in some
        if isinstance(one, dict)
        for coding in one.get("coding") or ()
        if isinstance(coding, dict) and coding.get("system") == system
    )
    return tuple(dict.fromkeys(code for code in found if isinstance(code, str)))


def parts(resource: Resource, name: str) -> tuple[Resource, ...]:
    """Return the objects in a repeating element."""
    found = resource.get(name)
    return tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def extension(element: Resource, url: str) -> Any:
    """Return the value of the first extension with this URL, None without one."""
    for one in parts(element, "extension"):
        if one.get("url") == url:
            return next((value for key, value in one.items() if key.startswith("value")), None)
    return None
