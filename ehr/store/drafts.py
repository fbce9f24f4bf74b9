"""What a write is made of: drafts made ready before the write queues, and rows as they stand."""

from dataclasses import dataclass
from enum import IntEnum

from msgspec import Struct

from ehr.messages import Instant, Resource
from ehr.store.rows import IndexRows

# Raised by one whenever extraction changes; `ehr check --deep` and $reindex select rows behind.
INDEX_VERSION = 8


class Method(IntEnum):
    """How a version came about, as `Bundle.entry.request.method` tells it in a history."""

    POST = 1
    PUT = 2
    DELETE = 3
    PATCH = 4


class Demand(Struct, frozen=True):
    """A resource, or one version of it, that a document refers to and that must be there.

    `at` is the place of the reference, below the resource that is written.
    """

    type: str
    id: str
    version: str | None
    at: str


@dataclass(slots=True)
class Draft:
    """A document parsed, checked, indexed and compressed; its key and version are still open."""

    type: str
    resource: Resource
    stored: bytes
    body: bytes
    rows: IndexRows
    conf: int
    sens: int
    release_at: Instant | None
    care_date: int | None
    owner: str | None
    blob_id: str | None = None
    demands: tuple[Demand, ...] = ()


class Current(Struct, frozen=True):
    """The newest version of a resource as it stands in the database."""

    patient_key: int
    rid: int
    type: str
    id: str
    version: int
    last_updated: Instant
    deleted: bool
    conf: int
    sens: int
    release_at: Instant | None
    author_organisation: str | None
    author: str | None
    index_version: int
    blob_id: str | None
    stored: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """What else is known of who writes, in the order of the columns; empty: nothing.

    `kind` of caller, `person` and `patient` as `Practitioner/1` and `Patient/1`, `role` as a word
    of ours, `purpose` of v3-ActReason. `patient` is for whom a carer acts.
    """

    kind: str = ""
    person: str = ""
    role: str = ""
    client: str = ""
    purpose: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: kept on every version. `unfiled` is the key of what has no patient.

    `facts` are kept once a transaction: see `tables/provenance.py`. In records that the writer has
    `opened` in an emergency (keys of patients) `urgent` are kept instead.
    """

    id: str
    organisation: str | None
    unfiled: int
    facts: Facts | None = None
    opened: frozenset[int] = frozenset()
    urgent: Facts | None = None


@dataclass(slots=True)
class Write:
    """One version to be written. `previous` holds the index rows of `current`, if it has any."""

    method: Method
    type: str
    id: str
    draft: Draft | None = None
    current: Current | None = None
    previous: IndexRows | None = None
    # Named by the client, so that others may have referred to it before it was there.
    client_id: bool = False
    author: Author | None = None
    # Where the resource stands in a Bundle, for error texts; empty where it stands alone.
    at: str = ""
    # The rows of `current` are those of an earlier release: `previous` says little of them.
    clears: bool = False
    # A Provenance that came with the others, in X-Provenance.
    is_beside: bool = False

    def place(self, element: str) -> str:
        """Return the FHIRPath location of an element of the resource, or its own."""
        own = self.at or self.type
        return f"{own}.{element}" if element else own


class Written(Struct, frozen=True):
    """What became of a write: `status` is 200, 201 or 204; unchanged content keeps its version."""

    status: int
    type: str
    id: str
    version: int
    last_updated: Instant
    patient_key: int
    rid: int
    stored: bytes


class OutdatedIndex(Exception):
    """Index rows were made by definitions that are no longer in force: make them again."""


class LostRace(Exception):
    """Another transaction got there first: run the write again on what it left."""
