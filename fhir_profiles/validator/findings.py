"""What a walk notes: issues in the order found, local references and element ids with places."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fhir_profiles.issues import Issue


@dataclass(slots=True)
class Findings:
    """The notebook of one walk through one resource, contained resources included."""

    issues: list[Issue] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    ids: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0
    tolerant: bool = False

    def add(self, code: str, diagnostics: str, expression: str) -> None:
        """Note one error."""
        self.issues.append(Issue(code, diagnostics, expression))

    def add_tolerable(self, code: str, diagnostics: str, expression: str) -> None:
        """Note what HL7's own examples get wrong: an error, a warning in a tolerant walk."""
        self.issues.append(Issue(code, diagnostics, expression, self.tolerable))

    @property
    def tolerable(self) -> str:
        """Return the severity of a tolerable fault."""
        return "warning" if self.tolerant else "error"


def json_kind(value: Any) -> str:
    """Name the JSON kind of a value, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, dict):
        return "an object"
    return "a number" if isinstance(value, int | float | Decimal) else "something else"
