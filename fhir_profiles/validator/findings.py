"""What a walk notes: issues in the order found, local references and element ids with places."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from fhir_profiles.issues import Issue
from fhir_profiles.json_format import DEEPEST

# A hostile document must not be answered at a thousand times its cost.
MAX_ISSUES = 1000
MAX_HINTS = 50
# How deep a document may be is the parser's to say; this only keeps recursion within bounds.
MAX_DEPTH = DEEPEST


@dataclass(slots=True)
class Findings:
    """The notebook of one walk through one resource, contained resources included.

    Ends at MAX_ISSUES; entries of a Bundle write into the issues of the Bundle.
    """

    issues: list[Issue] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    ids: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0
    tolerant: bool = False

    def add(self, code: str, diagnostics: str, expression: str) -> None:
        """Note one error."""
        self.extend([Issue(code, diagnostics, expression)])

    def add_tolerable(self, code: str, diagnostics: str, expression: str) -> None:
        """Note what HL7's own examples get wrong: an error, a warning in a tolerant walk."""
        self.extend([Issue(code, diagnostics, expression, self.tolerable)])

    def extend(self, issues: Iterable[Issue]) -> None:
        """Note issues found elsewhere, as long as there is room."""
        room = MAX_ISSUES - len(self.issues)
        if room > 0:
            self.issues.extend(islice(issues, room))
            if len(self.issues) == MAX_ISSUES:
                text = (
                    f"Only the first {MAX_ISSUES} issues are listed. Correct them, then ask again."
                )
                self.issues.append(Issue("incomplete", text, "", "warning"))

    @property
    def may_hint(self) -> bool:
        """Say whether the next issue may still look for the nearest name."""
        return len(self.issues) < MAX_HINTS

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
