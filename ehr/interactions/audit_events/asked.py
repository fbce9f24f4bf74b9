"""A search for events of the trail, read (R4 AuditEvent, search parameters).

What stands in the narrow rows can be asked for; everything else is refused by name, or passed over
where handling is lenient. `date` and `_lastUpdated` are when this record recorded an event. What
other systems observed has no `action`, `type` or `subtype` here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ehr.audit import finding
from ehr.audit.ids import Ids
from ehr.audit.kinds import CODINGS, Coding, Kind
from ehr.errors import PASSED_OVER, Invalid
from ehr.messages import Interaction
from ehr.record import Record
from ehr.search.values.intervals import parse_interval, zone_named
from ehr.store.locator import locate
from ehr.urls.counts import read_count
from fhir_profiles.definitions import resource_types
from fhir_profiles.resource_types import is_resource_type

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.audit.finding import Condition

OUTCOMES = ("0", "4", "8", "12")
_PEOPLE = ("Practitioner", "Patient", "RelatedPerson", "Organization", "Device")
_CONTROLS = ("_count", "_sort", "_cursor", "_total", "_summary", "_elements")


@dataclass(slots=True)
class Asked:
    """A search: conditions that must all be met, and how its answer is wanted.

    `agents` are whom it names, of whom a patient may not know all; `count` None is as many as the
    settings say.
    """

    conditions: "list[Condition]" = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    count: int | None = None
    cursor: str | None = None
    is_oldest_first: bool = False
    is_counted: bool = False
    counts_only: bool = False


def read(record: Record, connection: "Connection", interaction: Interaction) -> Asked:
    """Return what is asked for. Raises Invalid."""
    asked = Asked()
    params = interaction.params
    if interaction.compartment is not None:
        params = (*params, ("patient", f"Patient/{interaction.id}"))
    reading = _Reading(record, connection, interaction)
    for name, value in params:
        if name in _CONTROLS:
            _control(asked, name, value)
        elif name in reading.parameters:
            values = [part for part in value.split(",") if part]
            if name == "agent":
                asked.agents |= set(reading.people(values))
            if values:
                asked.conditions.append(reading.parameters[name](values))
        elif not interaction.preferences.lenient:
            known = ", ".join(sorted((*reading.parameters, *_CONTROLS[:4])))
            raise Invalid(
                f"`{name[:80]}` can't be asked of AuditEvents. Possible: {known}. {PASSED_OVER}",
                code="not-supported",
                expression=name[:80],
            )
    return asked


def _control(asked: Asked, name: str, value: str) -> None:
    if name == "_cursor":
        asked.cursor = value
    elif name == "_count":
        asked.count = read_count(value)
        if asked.count is None:
            raise _wrong(name, value, "a whole number from 0")
        asked.counts_only = asked.counts_only or asked.count == 0
    elif name == "_sort":
        if value not in ("date", "-date", "_lastUpdated", "-_lastUpdated"):
            raise _wrong(name, value, "date or -date")
        asked.is_oldest_first = not value.startswith("-")
    elif name == "_total":
        if value not in ("none", "accurate", "estimate"):
            raise _wrong(name, value, "none, accurate or estimate")
        asked.is_counted = value != "none"
    elif name == "_summary" and value == "count":
        asked.counts_only = True


class _Reading:
    """The parameters of one search, with what it takes to look up what they name."""

    def __init__(self, record: Record, connection: "Connection", interaction: Interaction) -> None:
        self._record, self._connection = record, connection
        self._base = interaction.base
        self._zone = zone_named(record.settings.record_timezone)
        self.parameters: dict[str, Callable[[Sequence[str]], Condition]] = {
            "patient": self._patients,
            "agent": lambda values: finding.by(self.people(values)),
            "date": lambda values: self._dates("date", values),
            "_lastUpdated": lambda values: self._dates("_lastUpdated", values),
            "action": lambda values: _of_kinds(values, _acts),
            "type": lambda values: _of_kinds(values, lambda one, v: _is_coded(one.type, v)),
            "subtype": lambda values: _of_kinds(values, lambda one, v: _is_coded(one.subtype, v)),
            "entity": self._entities,
            "outcome": self._outcomes,
            "source": lambda values: finding.observed_by([self._relative(v) for v in values]),
            "_id": self._ids,
        }

    def _relative(self, value: str) -> str:
        return value.removeprefix(f"{self._base}/")

    def _patients(self, values: Sequence[str]) -> "Condition":
        names = [("Patient", self._relative(value).removeprefix("Patient/")) for value in values]
        found = locate(self._connection, names)
        return finding.of_patients([one.patient_key for one in found.values()])

    def people(self, values: Sequence[str]) -> list[str]:
        """Return the agents that values may mean: a system is named by its id alone."""
        found: list[str] = []
        for value in map(self._relative, values):
            found += [value] if "/" in value else [value, *(f"{t}/{value}" for t in _PEOPLE)]
        return found

    def _entities(self, values: Sequence[str]) -> "Condition":
        names, keys = list[str](), list[str]()
        for value in map(self._relative, values):
            if "/" not in value:
                keys.append(value)
                names += [f"{type}/{value}" for type in resource_types() if type != "Patient"]
                continue
            type, _, id = value.partition("/")
            if not is_resource_type(type) or not id:
                raise _wrong("entity", value, "a reference such as Observation/123")
            (keys if type == "Patient" else names).append(value)
        written = [*values, *names, *(f"Patient/{id}" for id in keys if "/" not in id)]
        pairs = [tuple(name.split("/", 1)) for name in names]
        found = locate(self._connection, [(pair[0], pair[1]) for pair in pairs])
        about = finding.about([(one.patient_key, one.rid) for one in found.values()], written)
        return about | self._patients(keys) if keys else about

    def _outcomes(self, values: Sequence[str]) -> "Condition":
        codes = [value.rpartition("|")[2] for value in values]
        for code in codes:
            if code not in OUTCOMES:
                raise _wrong("outcome", code, ", ".join(OUTCOMES))
        return finding.with_outcomes([int(code) for code in codes])

    def _ids(self, values: Sequence[str]) -> "Condition":
        ids = Ids(self._record.database)
        places = [ids.place(value) for value in values]
        return finding.at_places([place for place in places if place is not None])

    def _dates(self, name: str, values: Sequence[str]) -> "Condition":
        found = self._date(name, values[0])
        for value in values[1:]:
            found = found | self._date(name, value)
        return found

    def _date(self, name: str, value: str) -> "Condition":
        prefix, text = (value[:2], value[2:]) if value[:1].isalpha() else ("eq", value)
        try:
            low, high = parse_interval(text, self._zone)
        except ValueError:
            raise _wrong(name, value, "2026-11-22 or ge2026-11-22T09:30:00Z") from None
        first = -(-low // 1000)
        last = max(-(-high // 1000), first + 1)
        spans = {
            "eq": (first, last), "ge": (first, None), "le": (None, last),
            "gt": (last, None), "sa": (last, None), "lt": (None, first), "eb": (None, first),
        }  # fmt: skip
        if prefix == "ne":
            return finding.outside(first, last)
        if prefix not in spans:
            raise _wrong(name, value, "a date after eq, ne, ge, gt, le, lt, sa or eb")
        return finding.within(*spans[prefix])


def _of_kinds(values: Sequence[str], fits: Callable[[Coding, str], bool]) -> "Condition":
    own = [kind for kind in CODINGS if kind is not Kind.FOREIGN]
    return finding.of_kinds(
        kind for kind in own if any(fits(CODINGS[kind], value) for value in values)
    )


def _acts(coding: Coding, value: str) -> bool:
    return coding.action == value.rpartition("|")[2]


def _is_coded(code: tuple[str, str, str], value: str) -> bool:
    system, bar, text = value.rpartition("|")
    return text in (code[1], "") and (not bar or system == code[0])


def _wrong(name: str, value: str, right: str) -> Invalid:
    return Invalid(f"`{name}` is `{value[:80]}`. Write {right}.", code="value", expression=name)
