"""Stored versions, one after another: can each be read, and do its columns say what it says?"""

from typing import Any

from ehr.bulk.checking.findings import Report
from ehr.bulk.checking.reextraction import Extracted, extracted
from ehr.interactions.content import MARK_END
from ehr.record import Record
from ehr.store.dates import first_millisecond
from ehr.store.drafts import Method, Written
from ehr.store.labels import labels, release_at
from fhir_profiles.care_dates import care_date
from fhir_profiles.definitions import type_name

Row = tuple[Any, ...]
_LABELS = "Restore from a backup: until then who may see it is not what its labels say."


class Bodies:
    """The rules of bodies, asked version by version in the order of key, row and number."""

    def __init__(self, record: Record, report: Report) -> None:
        self._record = record
        self._readable = report.rule("every version can be read, tombstones are empty")
        self._labels = report.rule("labels are those of the body", _LABELS)
        self._dates = report.rule("care dates are those of the body")
        self._blobs = report.rule("content beside the record is named where the body says so")
        # (key, rid) and labels of the version before this one
        self._before: Row = ()

    def check(self, row: Row) -> Extracted | None:
        """Ask about one version; return what a current one that is not deleted says."""
        key, rid, number, type, id, *_, conf, sens, blob_id, dict_id, body = row[:12]
        label = f"{type_name(type)}/{id} version {number}"
        release = row[16]
        before, self._before = self._before, (key, rid, conf, sens, release)
        if row[6] == Method.DELETE:
            self._check_tombstone(label, row, before)
            return None
        try:
            one = self._extracted(row, bytes(body), dict_id)
        except Exception as error:  # whatever a broken body does to a parser
            self._readable.add(f"{label}: {error}")
            return None
        found = labels(one.resource)
        if found != (conf, sens):
            self._labels.add(f"{label}: columns say {conf} and {sens}, the body {found}")
        due = release_at(one.resource)
        if due != release:
            said = f"the column says {release} for its release, the body {due}"
            self._labels.add(f"{label}: {said}")
        if (blob_id is not None) != one.current.stored.endswith(MARK_END):
            self._blobs.add(f"{label}: column says {blob_id}, the body otherwise")
        return self._current(label, row, one)

    def _extracted(self, row: Row, body: bytes, dict_id: int) -> Extracted:
        key, rid, number, type, id, updated = row[:6]
        stored = self._record.database.compressor.decompress(body, dict_id)
        done = Written(200, type_name(type), id, number, updated, key, rid, stored)
        is_current = number == row[12]
        return extracted(self._record, done, is_current=is_current, stamp=row[15])

    def _check_tombstone(self, label: str, row: Row, before: Row) -> None:
        key, rid, *_ = row
        conf, sens, blob_id, _, body, _, _, cared, _, release = row[7:]
        if len(body) or blob_id is not None:
            self._readable.add(f"{label}: it is a tombstone and has a body")
        if before[:2] == (key, rid) and before[2:] != (conf, sens, release):
            self._labels.add(f"{label}: it has not the labels of the version before it")
        if row[2] == row[12] and cared is not None:
            self._dates.add(f"{label}: it is a tombstone and has one")

    def _current(self, label: str, row: Row, one: Extracted) -> Extracted | None:
        newest, deleted, cared, *_ = row[12:]
        if row[2] != newest or deleted:
            return None
        text = care_date(one.resource)
        expected = first_millisecond(text) if text else None
        if cared != expected:
            self._dates.add(f"{label}: the column says {cared}, the body {expected}")
        return one
