"""The frozen data that travels through one request: Interaction in, Result out.

Interaction names are the codes of R4 `restful-interaction`; `operation` carries its own name.
Structs, because a frozen dataclass takes five times as long to make; `replace` copies with changes.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace as replace

Resource = dict[str, Any]
Instant = int  # milliseconds since 1970-01-01T00:00:00Z
Params = tuple[tuple[str, str], ...]
Item = tuple[int, int, int]  # of a row of the record: patient_key, rid, version


class Document(Struct, frozen=True):
    """What a caller sent: JSON bytes (an XML body is converted first) and the same, parsed.

    `resource` holds decimals as `decimal.Decimal`. A raw Binary or a patch that is no FHIR
    resource has `resource` None and its own `media_type`.
    """

    raw: bytes
    resource: Any = None
    media_type: str = "application/fhir+json"


class Preconditions(Struct, frozen=True):
    """Conditional headers of RFC 9110 and R4 §3.1.0.5: entity tags are bare version ids or `*`."""

    if_match: tuple[str, ...] = ()
    if_none_match: tuple[str, ...] = ()
    if_modified_since: Instant | None = None
    if_unmodified_since: Instant | None = None
    if_none_exist: str | None = None


class Preferences(Struct, frozen=True):
    """`Prefer`: return = minimal, representation, OperationOutcome or not said; handling = lenient;
    respond-async where a caller does not want to wait.

    Where it is not said, one resource comes back whole, and the entries of a Bundle without theirs.
    """

    returning: str = ""
    lenient: bool = False
    is_async: bool = False


class Interaction(Struct, frozen=True, kw_only=True):
    """One thing asked of the record. `params` are decoded name-value pairs in the order sent."""

    name: str
    type: str | None = None
    id: str | None = None
    version: str | None = None
    operation: str | None = None
    compartment: str | None = None
    params: Params = ()
    document: Document | None = None
    preconditions: Preconditions = Preconditions()
    preferences: Preferences = Preferences()
    method: str = "GET"
    base: str = ""
    request_id: str = ""
    security_context: str | None = None
    provenance: bytes | None = None  # X-Provenance, as it was sent
    accept: tuple[str, ...] = ()


class Result(Struct, frozen=True, kw_only=True):
    """What came of it. `body` is one resource as JSON bytes; `chunks` is a raw Binary's content.

    `shown` are the rows that the answer tells of, `found` how many they are where it only counts
    them: that is what is audited. `is_whole`: nothing in it is hidden from who asks.
    """

    status: int
    body: bytes | None = None
    chunks: Iterable[bytes] | None = None
    content_type: str | None = None
    content_length: int | None = None
    version: int | None = None
    last_modified: Instant | None = None
    location: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    shown: tuple[Item, ...] = ()
    found: int | None = None
    is_whole: bool = False
