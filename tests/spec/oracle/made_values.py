"""Values as careful and as careless senders write them, drawn from small pools so that they meet.

Every draw comes from the generator that is handed in: a seed gives the same values again, and
Hypothesis can hand in its own.
"""

# ruff: noqa: RUF001 - letters that look alike are what these texts are about

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from tests.spec.oracle.dates import span

T = TypeVar("T")

SYSTEMS = (
    "http://loinc.org",
    "http://snomed.info/sct",
    "https://example.org/codes",
    "urn:oid:1.2.36.1",
)
CODES = ("a", "b", "A", "a1", "ab", "8867-4", "85354-9", "x|y", "p,q", "m$n", "é", "back\\slash")
# One of the systems has its codes in an order of above and below, and value sets choose from all.
HIERARCHY = SYSTEMS[2]
HIERARCHY_CODES = ("a", "ab", "a1", "b", "A")
VALUE_SETS = tuple(f"https://example.org/fhir/ValueSet/made-{n}" for n in range(4))
# Each line holds texts that some rule makes alike, or just not.
ALIKE = (
    ("Zoë", "ZOE", "zoe", "Zoé"),
    ("Mòrag", "Morag", "MORAG ANN"),
    ("Ann-Marie", "Annmarie", "Ann Marie", "ann - marie", "Ann"),
    ("O'Brien", "OBrien", "O’Brien", "O Brien"),
    ("van  der Berg", "Van der Berg", "vander Berg", "van\tder Berg"),
    (" Lead", "Lead", "trail ", "trail"),
    ("Straße", "STRASSE", "ß", "SS", "s"),
    ("ﬁnn", "Finn", "FINN", "ｆｉｎｎ"),
    ("Øst", "Ost", "Ærø", "AEro", "Łukasz", "Lukasz"),
    ("İpek", "ipek", "IPEK", "ıpek", "\u0130", "i"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος", "σισυφοσ", "ΣΙΣΥ"),
    ("李小龍", "李", "नमस्ते", "한글", "\u1112\u1161\u11ab\u1100\u1173\u11af", "ﷺ"),
    ("🙂 Smile", "Smile", "👩‍👩‍👧 family", "family", "🙂"),
    ("e\u0301clair", "éclair", "Eclair", "ECLAIR"),
    ("a,b", "a", "x|y", "p$q", "back\\slash", "backslash"),
    ("100%", "100", "50_50", "5050", "50%50"),
    ("St. Mary's", "St Marys", "St  Mary", "q?", "q"),
    ("Mc", "Mac", "Macleod", "MACDONALD", "Mackenzie"),
    ("a" * 199 + "é", "a" * 200, "a" * 205 + "tail", "a" * 205 + "TAIL!", "a" * 205),
    ("no\u00a0break", "no break", "\u200bzero", "zero", "K", "\u212a", "k"),
)
WORDS = tuple(word for line in ALIKE for word in line)
NUMBERS = (
    "5.4", "5.40", "5.35", "5.45", "5.449", "5.39", "100", "99.5", "100.5", "100.00", "0", "0.0",
    "-3", "-3.5", "0.2", "0.15", "0.25", "0.001", "120", "70", "70.0", "1e2", "2.5E1", "150", "50",
    "95", "105", "1000000", "0.000001", "98.6", "37", "36.95",
)  # fmt: skip
UNITS = (
    ("http://unitsofmeasure.org", "mg", "mg"),
    ("http://unitsofmeasure.org", "kg", "kg"),
    ("http://unitsofmeasure.org", "mm[Hg]", "mmHg"),
    ("http://snomed.info/sct", "258682000", "gram"),
)
URLS = (
    "https://example.org/fhir/ValueSet/frailty",
    "https://example.org/fhir/ValueSet/frailty/1",
    "https://example.org/fhir/ValueSet/frail",
    "https://example.org/fhir/ValueSet",
    "https://example.org/FHIR/ValueSet/frailty",
    "http://example.org/a_b/100%25",
    "http://example.org/aXb/100",
    "urn:oid:1.2.3.4",
    "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7",
    "https://example.org/é",
)
# Further apart, or nearer, than any two ideas of the size of the earth.
POSITIONS = (
    ("57.4778", "-4.2247"), ("57.5", "-4.2"), ("55.9533", "-3.1883"), ("-17.7", "179.9"),
    ("-17.7", "-179.9"), ("90", "0"), ("89.9", "180"), ("0", "0"),
)  # fmt: skip
_DAYS = ("01-01", "02-28", "02-29", "03-31", "05-11", "06-15", "10-31", "12-31")
_YEARS = ("1979", "1980", "1984", "2020", "2024")
_CLOCKS = ("00:00:00", "00:00:01", "09:30:00", "16:32:15", "23:59:59")
_FRACTIONS = ("", "", "", ".5", ".500", ".499", ".123456", ".000001", ".999999")
_ZONES = ("Z", "Z", "+01:00", "-05:30", "+14:00", "+00:00")


class Maker:
    """Draws values; `rng` is a `random.Random` or acts like one."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.words: Sequence[str] = WORDS

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[self.rng.randrange(len(choices))]

    def maybe(self, make: Callable[[], T], chance: float = 0.6) -> T | None:
        """Return something, or nothing."""
        return make() if self.rng.random() < chance else None

    def several(self, make: Callable[[], T], most: int = 2) -> list[T]:
        """Return one or more."""
        return [make() for _ in range(self.rng.randint(1, most))]

    def word(self) -> str:
        """Return a text."""
        return self.pick(self.words)

    def number(self) -> Decimal:
        """Return a decimal with its digits."""
        return Decimal(self.pick(NUMBERS))

    def day(self) -> str:
        """Return a date of any precision that `date` may have."""
        text = f"{self.pick(_YEARS)}-{self.pick(_DAYS)}"
        if text.endswith("02-29") and text[:4] in ("1979",):
            text = text[:8] + "28"
        return text[: self.pick((4, 7, 10, 10))]

    def instant(self) -> str:
        """Return a moment with its offset."""
        day = self.day()
        while len(day) < 10:
            day = self.day()
        clock = self.pick(_CLOCKS) + self.pick(_FRACTIONS)
        return f"{day}T{clock}{self.pick(_ZONES)}"

    def moment(self) -> str:
        """Return a dateTime of any precision."""
        return self.day() if self.rng.random() < 0.5 else self.instant()

    def period(self) -> dict[str, Any]:
        """Return a Period, open at either end or at none."""
        start, end = sorted((self.moment(), self.moment()), key=lambda each: span(each).low)
        if not _is_told(start, end) or self.rng.random() < 0.25:
            return {"start": start}
        return {"end": end} if self.rng.random() < 0.25 else {"start": start, "end": end}

    def timing(self) -> dict[str, Any]:
        """Return a Timing with events, with bounds, or with both."""
        made: dict[str, Any] = {}
        if self.rng.random() < 0.6:
            made["event"] = self.several(self.moment, 3)
        if not made or self.rng.random() < 0.5:
            made["repeat"] = {
                "boundsPeriod": self.period(),
                "frequency": 1,
                "period": 1,
                "periodUnit": "d",
            }
        return made

    def quantity(self, *, compared: bool = True) -> dict[str, Any]:
        """Return a Quantity, with unit or without."""
        made: dict[str, Any] = {"value": self.number()}
        system, code, unit = self.pick(UNITS)
        kind = self.rng.randrange(4)
        if kind > 0:
            made["unit"] = unit
        if kind > 1:
            made |= {"system": system, "code": code}
        if compared and self.rng.random() < 0.15:
            made["comparator"] = self.pick(("<", "<=", ">=", ">"))
        return made

    def range(self) -> dict[str, Any]:
        """Return a Range, open at either end or at none."""
        low, high = sorted((self.number(), self.number()))
        units = self.quantity(compared=False)
        ends = {"low": units | {"value": low}, "high": units | {"value": high}}
        for name in ("low", "high"):
            if len(ends) == 2 and self.rng.random() < 0.25:
                del ends[name]
        return ends

    def position(self) -> dict[str, Any]:
        """Return a place: in Scotland, on either side of the date line, or at a pole."""
        latitude, longitude = self.pick(POSITIONS)
        return {"latitude": Decimal(latitude), "longitude": Decimal(longitude)}

    def coding(self) -> dict[str, Any]:
        """Return a Coding: system and code, or one of them, or but a display."""
        kind = self.rng.randrange(8)
        made: dict[str, Any] = {}
        if kind not in (0, 1):
            made["system"] = self.pick(SYSTEMS)
        if kind not in (0, 2):
            made["code"] = self.pick(CODES)
        if kind in (0, 3, 4):
            made["display"] = self.word()
        return made

    def concept(self) -> dict[str, Any]:
        """Return a CodeableConcept: codings, a text, or both."""
        made: dict[str, Any] = {}
        if self.rng.random() < 0.85:
            made["coding"] = self.several(self.coding)
        if not made or self.rng.random() < 0.3:
            made["text"] = self.word()
        return made

    def identifier(self, *, whole: bool = False) -> dict[str, Any]:
        """Return an Identifier; a `whole` one has a value."""
        made: dict[str, Any] = {}
        if self.rng.random() < 0.7:
            made["system"] = self.pick(SYSTEMS)
        if whole or not made or self.rng.random() < 0.95:
            made["value"] = self.pick(CODES)
        if self.rng.random() < 0.4:
            made["type"] = self.concept()
        return made


def _is_told(start: str, end: str) -> bool:
    """Say whether FHIRPath can tell the order (per-1): not that of a year and a day within it."""
    if "T" in start and "T" in end:
        return True
    shared = min(len(start), len(end), len("2020-02-29"))
    return start[:shared] < end[:shared] or (start == end and "T" not in start)
