"""The message that callers make of what happened, its place, and the bytes that are hashed.

The bytes are the same in a journal and under a seal: a version, all numbers, then each text and
each run of bytes behind its length, so that no two events have the same.
"""

import struct
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from ehr.messages import Instant

_VERSION = 1
_NUMBERS = struct.Struct(">BqqqqhhqihqiiH")
_NONE = -1  # of numbers that are never negative
_LENGTH = struct.Struct(">I")
_MOST = 256  # characters of a text
_MOST_QUERY = 2_000

TEXTS = (
    "agent",
    "role",
    "organisation",
    "client_id",
    "token_id",
    "purpose",
    "on_behalf_of",
    "named",
    "request_id",
    "query",
    "source",
)
_BYTES = ("items", "body")


class Place(Struct, frozen=True, order=True):
    """Whose number an event has; see `ehr/store/tables/audit.py`."""

    writer: int
    epoch: int
    n: int


class AuditRow(Struct, frozen=True, kw_only=True):
    """One event about one patient at most. Texts are cut to what a row holds when it is made.

    `outcome` is 0 (success), 4 (refused), 8 (failed) or 12 (the record is at fault). `behind` is
    how far back the first row of the same request is, 0 for that one.
    """

    kind: int
    at: Instant
    outcome: int = 0
    patient_key: int = 0
    behind: int = 0
    type: int | None = None
    rid: int | None = None
    version: int | None = None
    agent: str | None = None
    role: str | None = None
    organisation: str | None = None
    client_id: str | None = None
    token_id: str | None = None
    purpose: str | None = None
    on_behalf_of: str | None = None
    named: str | None = None
    request_id: str | None = None
    query: str | None = None
    found: int | None = None
    items: bytes | None = None
    source: str | None = None
    body: bytes | None = None

    def __post_init__(self) -> None:
        """Let every text be one that both databases take."""
        for name in TEXTS:
            text = getattr(self, name)
            if text is None:
                continue
            most = _MOST_QUERY if name == "query" else _MOST
            if len(text) > most or not text.isascii() or "\0" in text:
                force_setattr(self, name, _storable(text, most))


class Event(Struct, frozen=True):
    """An event where it lies."""

    place: Place
    row: AuditRow


def _storable(text: str, most: int) -> str:
    text = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= most else text[: most - 1] + "…"


def of_request(row: AuditRow, concerned: Sequence[dict[str, Any]]) -> tuple[AuditRow, ...]:
    """Return a row for each patient that a request concerned; one where it concerned none.

    `concerned` says what differs: patient_key, found, items. The query stands in the first.
    """
    if not concerned:
        return (row,)
    first = replace(row, **concerned[0])
    rest = [
        replace(row, query=None, behind=number, **each)
        for number, each in enumerate(concerned[1:], 1)
    ]
    return (first, *rest)


def canonical(event: Event) -> bytes:
    """Return the bytes of an event. Raises struct.error where a number is out of its range."""
    place, row = event.place, event.row
    parts: list[bytes] = [b""]
    pack = _LENGTH.pack
    present = 0
    for number, name in enumerate(TEXTS):
        text = getattr(row, name)
        if text is not None:
            present |= 1 << number
            data = text.encode()
            parts += (pack(len(data)), data)
    for number, name in enumerate(_BYTES, len(TEXTS)):
        value = getattr(row, name)
        if value is not None:
            present |= 1 << number
            parts += (pack(len(value)), value)
    parts[0] = _NUMBERS.pack(
        _VERSION,
        place.writer,
        place.epoch,
        place.n,
        row.at,
        row.kind,
        row.outcome,
        row.patient_key,
        row.behind,
        _NONE if row.type is None else row.type,
        _NONE if row.rid is None else row.rid,
        _NONE if row.version is None else row.version,
        _NONE if row.found is None else row.found,
        present,
    )
    return b"".join(parts)


def parse(data: bytes) -> Event:
    """Return the event of such bytes. Raises ValueError where they are not whole."""
    if len(data) < _NUMBERS.size or data[0] != _VERSION:
        raise ValueError("no event of a version that this release knows")
    numbers = _NUMBERS.unpack_from(data)
    _, writer, epoch, n, at, kind, outcome, patient_key, behind, *known, present = numbers
    type, rid, version, found = [None if value == _NONE else value for value in known]
    position = _NUMBERS.size
    values: dict[str, Any] = {}
    for number, name in enumerate((*TEXTS, *_BYTES)):
        if present >> number & 1:
            value, position = _sized(data, position)
            values[name] = value.decode() if number < len(TEXTS) else value
    if position != len(data):
        raise ValueError("more than an event")
    row = AuditRow(
        kind=kind,
        at=at,
        outcome=outcome,
        patient_key=patient_key,
        behind=behind,
        type=type,
        rid=rid,
        version=version,
        found=found,
        **values,
    )
    return Event(Place(writer, epoch, n), row)


def _sized(data: bytes, position: int) -> tuple[bytes, int]:
    start = position + _LENGTH.size
    if start > len(data):
        raise ValueError("an event is cut off")
    end = start + _LENGTH.unpack_from(data, position)[0]
    if end > len(data):
        raise ValueError("an event is cut off")
    return data[start:end], end
