"""A record as plain data: every version of every resource, who sent it, and facts beside them.

What R4's JSON does not tell stands here: the person and the organisation of whose token a version
came, and what operations noted (`Fact`). Everything else is read from the documents.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.policy.naive.owners import SHARED, patient_of
from tests.policy.naive.reading import Resource, mentioned

SERVER = "Device/shared-care-record"  # names this server in AuditEvent.source.observer


@dataclass(frozen=True, slots=True)
class Version:
    """What was sent at a time, None for a deletion; `person` and `organisation` as `Type/id`."""

    document: Resource | None
    at: datetime
    person: str | None = None
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What an operation noted: `person` is let into the record of `patient` in [start, end).

    `kind` is delegated, claimed or broken glass. `held_by` is of a delegation: the name by which
    the one who delegates has a relationship.
    """

    kind: str
    person: str
    patient: str
    start: datetime
    end: datetime
    held_by: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A resource as it is judged: the document, whose it is, and who sent its first version.

    `patient` is `Patient/id`, None for what is shared or unfiled. Of a deleted resource `document`
    is what it was last.
    """

    document: Resource
    patient: str | None
    person: str | None
    organisation: str | None
    versions: tuple[Version, ...] = ()

    @property
    def type(self) -> str:
        """The resource type."""
        return str(self.document["resourceType"])

    @property
    def name(self) -> str:
        """How references name it: `Type/id`."""
        return f"{self.type}/{self.document.get('id')}"

    @property
    def is_shared(self) -> bool:
        """Whether it is said of nobody."""
        return self.type in SHARED

    @property
    def is_deleted(self) -> bool:
        """Whether the last version is a deletion."""
        return bool(self.versions) and self.versions[-1].document is None


class Record:
    """All resources of a server, read only. `versions` are by `Type/id`, oldest first."""

    def __init__(self, versions: Mapping[str, Sequence[Version]], facts: Iterable[Fact] = ()):
        """Find out whose each resource is, and which resources refer to it."""
        self.facts = tuple(facts)
        self._rows: dict[str, Row] = {}
        self._of: defaultdict[tuple[str | None, str], list[Row]] = defaultdict(list)
        self._referrers: defaultdict[str, list[Row]] = defaultdict(list)
        documents = {
            name: next(one.document for one in reversed(some) if one.document is not None)
            for name, some in versions.items()
        }
        for name, some in versions.items():
            document, first = documents[name], some[0]
            patient = patient_of(document, documents.get)
            row = Row(document, patient, first.person, first.organisation, tuple(some))
            self._rows[name] = row
            if not row.is_deleted:
                self._of[patient, row.type].append(row)
                for target in set(mentioned(document)):
                    self._referrers[target].append(row)

    def rows(self) -> tuple[Row, ...]:
        """Return all rows, those that are deleted too."""
        return tuple(self._rows.values())

    def row(self, name: str) -> Row | None:
        """Return the row of a `Type/id`."""
        return self._rows.get(name)

    def of(self, patient: str | None, *types: str) -> list[Row]:
        """Return the rows of a patient that are not deleted, of some types; None: of no patient."""
        return [row for type in types for row in self._of.get((patient, type), ())]

    def referrers(self, name: str) -> list[Row]:
        """Return the rows that are not deleted and refer to this one."""
        return list(self._referrers.get(name, ()))

    def owner(self, document: Resource) -> str | None:
        """Return whose record a document would be of."""
        rows = self._rows
        return patient_of(document, lambda name: rows[name].document if name in rows else None)
