"""What can be wrong with a document: issues as data, and the error that carries them.

An Issue becomes one `OperationOutcome.issue` (FHIR R4 §2.29). Expressions are FHIRPath.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: `code` is from issue-type, `expression` a FHIRPath location or empty."""

    code: str
    diagnostics: str
    expression: str = ""
    severity: str = "error"


class InvalidDocument(Exception):
    """A document that cannot be taken: malformed (it does not parse) or invalid (it breaks R4)."""

    def __init__(self, issues: Sequence[Issue], *, malformed: bool = False) -> None:
        super().__init__(issues[0].diagnostics if issues else "invalid document")
        self.issues = tuple(issues)
        self.malformed = malformed
