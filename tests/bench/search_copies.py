"""Copies of one patient's resources: fresh ids and identifiers, shifted dates, index rows to match.

Index rows of a copy are those of its template with new keys, where a trial showed that extracting
the copy gives the same; every other resource, and every Patient, is extracted again. So the result
is what loading the copies would have made (`ehr check --deep` says so), in a tenth of the time.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as day
from datetime import timedelta
from typing import Any

from sqlalchemy import Table

from ehr.bulk.checking.reextraction import Extracted, expected_rows, extracted
from ehr.record import Record
from ehr.search.values.intervals import MAX, MIN
from ehr.store import contained, tables
from ehr.store.bodies import compose, strip
from ehr.store.dates import first_millisecond
from ehr.store.drafts import Written
from ehr.store.locator import Located, Name
from ehr.store.resolve import Keys
from fhir_profiles import json_format
from fhir_profiles.care_dates import care_date
from fhir_profiles.definitions import type_name, type_number

Row = tuple[Any, ...]
Rows = dict[Table, list[Row]]
_Places = dict[Name, tuple[int, int]]

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUIDS = re.compile(_UUID)
_SITES = re.compile(rf'((?<=")[12]\d\d\d-\d\d-\d\d(?=["T])|{_UUID})'.encode())
_DAY = 24 * 60 * 60 * 1_000_000
_ENDINGS = ("", "son", "s", "ton", "well", "field", "worth", "ley", "more", "wood", "man", "er")


@dataclass(slots=True)
class Template:
    """A resource to copy: `parts` is its body, every odd one an id or a date to change."""

    done: Written
    resource_row: Row
    version_row: Row
    parts: list[bytes]
    rows: Rows
    moving: dict[Row, tuple[bool, bool]] = field(default_factory=dict)
    care_moves: bool = False
    is_exact: bool = False  # new keys are all that its index rows need


@dataclass(frozen=True, slots=True)
class Place:
    """What a copy is: its number, key, first rid, days to shift, and its transaction."""

    number: int
    patient_key: int
    first_rid: int
    days: int
    txn_id: int
    at: int


class Copier:
    """Makes copies of one patient. `shared`: the uuids that belong to everybody."""

    def __init__(
        self,
        record: Record,
        found: Sequence[tuple[Row, Row]],
        shared: frozenset[str],
        known: Mapping[Name, Located],
    ) -> None:
        self._record, self._shared, self._known = record, shared, known
        self.key: int = found[0][0][0]
        self.templates = [self._template(*one) for one in found]
        self._rids = {one.done.rid: n for n, one in enumerate(self.templates)}
        trial = Place(1, self.key, min(self._rids), 7, 0, 0)
        words = _Words(record, trial, shared)
        own = self._names(trial, words)
        for one in self.templates:
            self._try(one, trial, words, own)

    def __len__(self) -> int:
        return len(self.templates)

    def copy(self, place: Place) -> Rows:
        """Return all rows of one copy."""
        words = _Words(self._record, place, self._shared)
        made: Rows = {tables.txn: [(place.txn_id, place.at, None, None)]}
        own = self._names(place, words)
        for one in self.templates:
            done, stored = self._body(one, place, words)
            for table, rows in self._rows_of(one, done, stored, place, words, own):
                made.setdefault(table, []).extend(rows)
        return made

    def _template(self, resource: Row, version: Row) -> Template:
        r = dict(zip(tables.resource.columns.keys(), resource, strict=True))
        v = dict(zip(tables.version.columns.keys(), version, strict=True))
        stored = self._record.database.compressor.decompress(bytes(v["body"]), v["dict_id"])
        done = Written(
            200, type_name(r["type"]), r["id"], r["version"], r["last_updated"], r["patient_key"],
            r["rid"], stored,
        )  # fmt: skip
        one = extracted(self._record, done)
        keys = Keys(self._record.database.hasher, iter(()), iter(()), known=self._known)
        return Template(done, resource, version, _SITES.split(stored), expected_rows(one, keys))

    def _try(self, one: Template, place: Place, words: "_Words", own: _Places) -> None:
        """Find which dates move with the days, and whether new keys are all that is needed."""
        done, stored = self._body(one, place, words)
        real = self._extract(_with_body(done, stored), own)
        delta = place.days * _DAY
        there = set(real.get(tables.date, ()))
        for row in one.rows.get(tables.date, ()):
            new = _at(row, self._rid(contained.container(row[1]), place))
            for low, high in ((True, True), (True, False), (False, True), (False, False)):
                if _moved(row, row[0], new, delta, low, high) in there:
                    one.moving[row] = low, high
                    break
        before, after = (care_date(_resource(d)) for d in (one.done, _with_body(done, stored)))
        one.care_moves = before != after
        if one.done.type != "Patient":
            made = self._moved_rows(one, place, words)
            one.is_exact = all(
                set(made.get(table, ())) == set(real.get(table, ())) for table in {*made, *real}
            )

    def _rid(self, rid: int, place: Place) -> int:
        return place.first_rid + self._rids[rid]

    def _names(self, place: Place, words: "_Words") -> _Places:
        return {
            (one.done.type, words.text(one.done.id)): (
                place.patient_key,
                self._rid(one.done.rid, place),
            )
            for one in self.templates
        }

    def _body(self, one: Template, place: Place, words: "_Words") -> tuple[Written, bytes]:
        parts = one.parts.copy()
        parts[1::2] = [words.site(part) for part in parts[1::2]]
        stored = b"".join(parts)
        done = Written(
            200, one.done.type, words.text(one.done.id), 1, place.at, place.patient_key,
            self._rid(one.done.rid, place), stored,
        )  # fmt: skip
        return done, (_renamed(done, place.number) if one.done.type == "Patient" else stored)

    def _rows_of(
        self,
        one: Template,
        done: Written,
        stored: bytes,
        place: Place,
        words: "_Words",
        own: _Places,
    ) -> Iterator[tuple[Table, list[Row]]]:
        care = one.resource_row[_CARE]
        if one.care_moves and care is not None:
            care = first_millisecond(care_date(_resource(_with_body(done, stored))) or "")
        head = {"patient_key": place.patient_key, "rid": done.rid, "id": done.id, "version": 1,
                "last_updated": place.at, "txn_id": place.txn_id, "care_date": care,
                "body": self._record.database.compressor.compress(stored)}  # fmt: skip
        yield tables.locator, [(type_number(done.type), done.id, done.patient_key, done.rid, False)]
        yield tables.resource, [_changed(tables.resource, one.resource_row, head)]
        yield tables.version, [_changed(tables.version, one.version_row, head)]
        made = (
            self._moved_rows(one, place, words)
            if one.is_exact
            else self._extract(_with_body(done, stored), own)
        )
        yield from made.items()

    def _extract(self, done: Written, own: _Places) -> Rows:
        one: Extracted = extracted(self._record, done)
        hasher = self._record.database.hasher
        keys = Keys(hasher, iter(()), iter(()), own=own, known=self._known)
        return expected_rows(one, keys)

    def _moved_rows(self, one: Template, place: Place, words: "_Words") -> Rows:
        made: Rows = {}
        rid, key, delta = self._rid(one.done.rid, place), place.patient_key, place.days * _DAY
        for table, rows in one.rows.items():
            if table is tables.date:
                made[table] = [
                    _moved(row, key, _at(row, rid), delta, *one.moving.get(row, (False, False)))
                    for row in rows
                ]
            elif table is tables.reference:
                made[table] = [self._reference(row, key, _at(row, rid), place) for row in rows]
            elif table is tables.identifier_locator:
                made[table] = [words.identifier(row, key, rid) for row in rows]
            elif table is tables.token:
                made[table] = [words.token(row, key, _at(row, rid)) for row in rows]
            else:
                made[table] = [(key, _at(row, rid), *row[2:]) for row in rows]
        return made

    def _reference(self, row: Row, key: int, rid: int, place: Place) -> Row:
        values = [key, rid, *row[2:]]
        if values[_TARGET_KEY] == self.key:
            values[_TARGET_KEY] = key
            target = values[_TARGET_RID]
            values[_TARGET_RID] = contained.moved(
                target, self._rid(contained.container(target), place)
            )
        return tuple(values)


class _Words:
    """Ids, identifiers and dates of one copy, each worked out once."""

    def __init__(self, record: Record, place: Place, shared: frozenset[str]) -> None:
        self._hasher, self._place, self._shared = record.database.hasher, place, shared
        self._sites: dict[bytes, bytes] = {}

    def site(self, part: bytes) -> bytes:
        known = self._sites.get(part)
        if known is None:
            text = part.decode()
            new = self.text(text) if len(text) == 36 else self._date(text)
            known = self._sites[part] = new.encode()
        return known

    def text(self, text: str) -> str:
        return _UUIDS.sub(self._uuid, text)

    def _uuid(self, found: re.Match[str]) -> str:
        text = found[0]
        if text in self._shared:
            return text
        return f"{text[:24]}{int(text[24:], 16) ^ self._place.number:012x}"

    def _date(self, text: str) -> str:
        try:
            return (day.fromisoformat(text) + timedelta(self._place.days)).isoformat()
        except ValueError:
            return text

    def identifier(self, row: Row, key: int, rid: int) -> Row:
        hash, type, _, _, value = row
        new = self.text(value)
        if new != value:
            hash = self._hasher.once(new.rpartition("|")[2])
        return hash, type, key, rid, new

    def token(self, row: Row, key: int, rid: int) -> Row:
        values = [key, rid, *row[2:]]
        text = values[_TEXT]
        if text is not None and len(text) >= 36:
            new = self.text(text)
            if new != text:
                values[_TEXT], values[_CODE] = new, self._hasher.once(new)
        return tuple(values)


def _with_body(done: Written, stored: bytes) -> Written:
    return Written(
        200, done.type, done.id, done.version, done.last_updated, done.patient_key, done.rid, stored
    )


def _at(row: Row, rid: int) -> int:
    """Return the number of an index row's resource in a copy, or of what that contains."""
    return contained.moved(row[1], rid)


def _moved(row: Row, key: int, rid: int, delta: int, low: bool, high: bool) -> Row:
    _, _, param, start, end, *more = row
    start = start + delta if low and start > MIN else start
    end = end + delta if high and end < MAX else end
    return key, rid, param, start, end, *more


def _resource(done: Written) -> dict[str, Any]:
    raw = compose(done.type, done.id, done.version, done.last_updated, done.stored)
    return dict(json_format.reparse(raw))


def _renamed(done: Written, number: int) -> bytes:
    """Return a Patient's body with another name, and identifiers that nobody else has."""
    patient = _resource(done)
    chance = random.Random(number)
    for name in patient.get("name", ()):
        name["family"] = re.sub(r"\d+", "", name.get("family", "")) + chance.choice(_ENDINGS)
        name["given"] = [re.sub(r"\d+", "", one) for one in name.get("given", ())]
    for identifier in patient.get("identifier", ()):
        if not _UUIDS.search(identifier.get("value", "")):
            identifier["value"] = f"{identifier.get('value', '')}-{number}"
    return strip(json_format.serialise(patient))


def _changed(table: Table, row: Row, values: dict[str, Any]) -> Row:
    return tuple(values.get(name, old) for name, old in zip(table.columns.keys(), row, strict=True))


_CARE = tables.resource.columns.keys().index("care_date")
_TARGET_KEY = tables.reference.columns.keys().index("target_key")
_TARGET_RID = tables.reference.columns.keys().index("target_rid")
_CODE = tables.token.columns.keys().index("code")
_TEXT = tables.token.columns.keys().index("text")
