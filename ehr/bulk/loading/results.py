"""What became of the pieces that were loaded, in words for the rejects file and the summary."""

from dataclasses import dataclass, field
from typing import Any

from ehr.bulk.loading.units import Piece
from ehr.errors import FhirError


@dataclass(frozen=True, slots=True)
class Reject:
    """One resource or Bundle that was not loaded, with the first reason."""

    piece: Piece
    resource: str
    status: int
    code: str
    expression: str
    reason: str
    part: str = ""  # where in its unit

    def line(self) -> dict[str, Any]:
        """Return the line of the rejects file."""
        return {
            "file": self.piece.source,
            "line": self.piece.line or None,
            "resource": self.resource or None,
            "status": self.status,
            "code": self.code,
            "expression": self.expression or None,
            "reason": self.reason,
        }

    @property
    def may_pass_later(self) -> bool:
        """Tell whether it only lacks something that may yet be loaded."""
        return self.code == "not-found"


@dataclass(slots=True)
class Outcome:
    """What became of one unit. Counts are of resources."""

    created: int = 0
    updated: int = 0  # or the same as before, which makes no new version
    rejects: list[Reject] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)  # of the unit, that are in

    @property
    def settled(self) -> set[str]:
        """Return the parts that need no second try: they are in, or refused for good."""
        return self.parts | {one.part for one in self.rejects if not one.may_pass_later}

    @property
    def loaded(self) -> int:
        """Return how many resources are in."""
        return self.created + self.updated

    def count(self, status: int) -> None:
        """Count one write by its HTTP status."""
        if status == 201:
            self.created += 1
        else:
            self.updated += 1


def refused(piece: Piece, part: str, resource: Any, error: FhirError) -> Reject:
    """Return the reject that a refusal makes."""
    first = error.issues[0]
    where, reason = first.expression, first.diagnostics
    return Reject(piece, name_of(resource), error.status, first.code, where, reason, part)


def broken(piece: Piece, part: str, error: Exception) -> Reject:
    """Return the reject for a fault of this program: the rest is loaded all the same."""
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return Reject(piece, "", 500, "exception", "", reason, part)


def name_of(resource: Any) -> str:
    """Return `Type/id`, or what of it the resource has."""
    if not isinstance(resource, dict):
        return ""
    if resource.get("resourceType") == "Bundle":
        return "Bundle"
    parts = (resource.get("resourceType"), resource.get("id"))
    return "/".join(part for part in parts if isinstance(part, str))
