"""OperationOutcome from issues (R4 §2.29): the one shape of every error and every advice.

Texts may quote what the caller sent, so they are made safe here: a FHIR string and XML allow no
control character, and a long quotation helps nobody.
"""

import re
from collections.abc import Iterable

from ehr.messages import Resource
from fhir_profiles.issues import Issue

_UNSAFE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST = 2_000
_MOST = 200


def operation_outcome(issues: Iterable[Issue]) -> Resource:
    """Return an OperationOutcome; beyond 200 issues the last one says how many were left out."""
    found = list(issues)
    shown = [_issue(issue) for issue in found[:_MOST]]
    if len(found) > _MOST:
        left = Issue("informational", f"{len(found) - _MOST} more issues.", severity="information")
        shown.append(_issue(left))
    return {"resourceType": "OperationOutcome", "issue": shown}


def _issue(issue: Issue) -> Resource:
    shown: Resource = {"severity": issue.severity, "code": issue.code}
    diagnostics = _safe(issue.diagnostics)
    if diagnostics:
        shown["diagnostics"] = diagnostics
    if issue.expression:
        shown["expression"] = [_safe(issue.expression)]
    return shown


def _safe(text: str) -> str:
    clean = _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text).strip()
    return clean if len(clean) <= _LONGEST else f"{clean[:_LONGEST]}…"
