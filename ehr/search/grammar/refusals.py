"""What a search says when it does not understand: the name, the nearest valid one, the valid list.

FHIR R4 §3.1.1.5 and §3.1.1.1 (handling of errors): strict by default. Under
`Prefer: handling=lenient` the same findings are collected and what they concern is ignored.
"""

import difflib
import re
from collections.abc import Collection
from dataclasses import replace

from ehr.errors import PASSED_OVER, FhirError, Invalid
from fhir_profiles.issues import Issue

_SHOWN = 400  # a name is echoed up to here: refusals must stay readable
_CLOSE = 0.7  # `nam` is close to `name`, `foo` not to `focus`
_LONGER = 2  # letters: `_totalMethod` is no misspelt `method`
_LISTED = 60
# How other servers and clients ask for a page.
_PAGING = re.compile(r"_?(page|offset|skip|start|limit|pagesize|getpages|getpagesoffset)")
# R4 §3.1.1.4.4: what means something else is no misspelling of what there is.
_MODIFIERS = frozenset(
    {"missing", "exact", "contains", "text", "not", "in", "not-in", "of-type", "above", "below"}
    | {"identifier", "iterate", "type"}
)


class Findings:
    """The faults of one request. Strict: all of them are raised at the end; lenient: kept.

    `may_be_lenient` tells whether the caller could have asked for that: a search could.
    """

    def __init__(self, *, lenient: bool, may_be_lenient: bool = False) -> None:
        self.lenient = lenient
        self._may_be_lenient = may_be_lenient
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
            raise Invalid(
                self._issues[0].diagnostics, issues=[self._advised(one) for one in self._issues]
            )
        faults = [(issue.code, issue.diagnostics) for issue in self._issues]
        notes = [("informational", text) for text in self._notes]
        return tuple(
            Issue(code, f"Ignored: {text}", severity="warning") for code, text in faults + notes
        )

    def _advised(self, issue: Issue) -> Issue:
        if not self._may_be_lenient or issue.code != "not-supported":
            return issue
        return replace(issue, diagnostics=f"{issue.diagnostics} {PASSED_OVER}")


def unknown(what: str, name: str, where: str, valid: Collection[str]) -> Invalid:
    """Return the refusal of a name that does not exist, with the nearest one or the list."""
    near = () if what == "modifier" and name in _MODIFIERS else valid
    advice = _nearest(name, near) or _list(sorted(valid))
    if _PAGING.fullmatch(name.lower()) and what == "search parameter":
        advice = " Pages are followed by the `next` link of each; `_count` is their size."
    return Invalid(f"Unknown {what} `{shown(name)}`{where}.{advice}", code="not-supported")


def _nearest(name: str, valid: Collection[str]) -> str:
    """Return the name that was meant, if it is near by its spelling as a whole."""
    folded = {each.casefold(): each for each in valid if abs(len(each) - len(name)) <= _LONGER}
    nearest = difflib.get_close_matches(name[:_SHOWN].casefold(), folded, n=1, cutoff=_CLOSE)
    return f" Did you mean `{folded[nearest[0]]}`?" if nearest else ""


def _list(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f" Supported: {', '.join(names[:_LISTED])}{more}."


def shown(text: str) -> str:
    """Return a caller's text as it may stand in a message: bounded, without control characters."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clean if len(clean) <= _SHOWN else f"{clean[:_SHOWN]}…"
