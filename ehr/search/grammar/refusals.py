"""What a search says when it does not understand: the name, the nearest valid one, the valid list.

FHIR R4 §3.1.1.5 and §3.1.1.1 (handling of errors): strict by default. Under
`Prefer: handling=lenient` the same findings are collected and what they concern is ignored.
"""

import difflib
from collections.abc import Collection

from ehr.errors import FhirError, Invalid
from fhir_profiles.issues import Issue

_SHOWN = 400  # a name is echoed up to here: refusals must stay readable
_CLOSE = 0.5


class Findings:
    """The faults of one request. Strict: all of them are raised at the end; lenient: kept."""

    def __init__(self, *, lenient: bool) -> None:
        self.lenient = lenient
        self._issues: list[Issue] = []
        self._notes: list[str] = []

    def add(self, error: FhirError) -> None:
        """Take the issues of a refusal."""
        self._issues.extend(error.issues)

    def note(self, diagnostics: str) -> None:
        """Take what is no fault, but passed over."""
        self._notes.append(diagnostics)

    def settle(self) -> tuple[Issue, ...]:
        """Raise Invalid when strict and anything is wrong; return the issues as warnings."""
        if self._issues and not self.lenient:
            raise Invalid(self._issues[0].diagnostics, issues=self._issues)
        faults = [(issue.code, issue.diagnostics) for issue in self._issues]
        notes = [("informational", text) for text in self._notes]
        return tuple(
            Issue(code, f"Ignored: {text}", severity="warning") for code, text in faults + notes
        )


def unknown(what: str, name: str, where: str, valid: Collection[str]) -> Invalid:
    """Return the refusal of a name that does not exist, with the nearest one and the list."""
    names = sorted(valid)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=_CLOSE)
    hint = f" Did you mean `{nearest[0]}`?" if nearest else ""
    choices = f" Supported: {', '.join(names)}." if names else ""
    return Invalid(f"Unknown {what} `{shown(name)}`{where}.{hint}{choices}", code="not-supported")


def shown(text: str) -> str:
    """Return a caller's text as it may stand in a message: bounded, without control characters."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean if len(clean) <= _SHOWN else f"{clean[:_SHOWN]}…"
