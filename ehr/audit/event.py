"""The message that callers make of what happened, its place, and the bytes that are hashed.

The bytes are the same in a journal and under a seal: a version, then MessagePack of the rows as the
table has them, where each value is behind its type and length and each number has one form. So no
two lists of events have the same.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from types import GenericAlias
from typing import Any

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder
from msgspec.structs import force_setattr, replace

from ehr.messages import Instant

Values = tuple[Any, ...]  # a row of `audit_event`

_VERSION = b"\x01"  # with one more column seals of before would need the columns that they had
_PLACE = 3  # columns that say where an event lies
_MOST = 256  # characters of a text
_MOST_QUERY = 2_000
_ENCODER = Encoder()

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

    at: Instant
    kind: int
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


# In the order of the table's columns, behind its place.
COLUMNS = AuditRow.__struct_fields__
_GET = attrgetter(*COLUMNS)
_KINDS: dict[str, Any] = dict.fromkeys(COLUMNS, int)
_KINDS |= dict.fromkeys(("type", "rid", "version", "found"), int | None)
_KINDS |= dict.fromkeys(TEXTS, str | None)
_KINDS |= dict.fromkeys(("items", "body"), bytes | None)
_ROW = GenericAlias(tuple, (int, int, int, *_KINDS.values()))
_DECODER: Decoder[list[Values]] = Decoder(GenericAlias(list, (_ROW,)))


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


def numbered(added: Iterable[AuditRow], first: Place) -> list[Values]:
    """Return events as rows of the table, numbered from a place on."""
    head = (first.writer, first.epoch)
    return [(*head, n, *_GET(row)) for n, row in enumerate(added, first.n)]


def event_of(values: Sequence[Any]) -> Event:
    """Return the event that a row of the table is, its columns in their order."""
    row = dict(zip(COLUMNS, values[_PLACE:], strict=True))
    return Event(Place(*values[:_PLACE]), AuditRow(**row))


def canonical(events: Sequence[Values]) -> bytes:
    """Return the bytes of events. Raises TypeError, OverflowError where one can't be stored."""
    return _VERSION + _ENCODER.encode(events)


def parse(data: bytes) -> list[Values]:
    """Return the events of such bytes. Raises ValueError where they are not whole."""
    if data[:1] != _VERSION:
        raise ValueError("no events of a version that this release knows")
    try:
        return _DECODER.decode(data[1:])
    except DecodeError as error:
        raise ValueError("events are cut off or damaged") from error
