"""What a write may say of access: no Task that opens a record, no Consent that can't be obeyed.

Nobody stops all sharing of a child's record (J10); systems pass on what others decided.

Tasks with a code of `own_names.ACCESS` give access, or say that it was asked for: the operations
write them (`ehr/operations/opening/`), and whoever works on the machine of the record itself, by
`ehr load`. Nobody else does, whatever their rights.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ehr.access.consents import problems
from ehr.access.consents.of_children import stops_a_childs
from ehr.access.relationships.asked import states_access
from ehr.access.terms import codes
from ehr.errors import Forbidden, Unprocessable
from ehr.interactions.access.terms import terms_of
from ehr.interactions.changes import Change
from ehr.interactions.drafting import is_tolerant, resource_of
from ehr.messages import Resource
from ehr.record import Record
from ehr.store.drafts import Current, Draft
from fhir_profiles.issues import Issue
from fhir_profiles.own_names import ACCESS, BREAK_GLASS, DELEGATION, REVIEW, SELF_CLAIM

if TYPE_CHECKING:
    from auth.principal import Principal

_OPERATIONS: Mapping[str, str] = {
    BREAK_GLASS: "POST Patient/[id]/$break-glass",
    SELF_CLAIM: "POST Patient/[id]/$claim-relationship",
    DELEGATION: "POST Patient/[id]/$delegate",
    REVIEW: "POST Task/[id]/$review",
}
_NOT_OBEYED = "This Consent can't be obeyed exactly"


def writes_for_the_server(principal: "Principal") -> bool:
    """Tell whether a caller came by no token: it is on the machine of the record, or our own."""
    return principal.kind == "system" and principal.scopes is None and not principal.token


def refuse_unfit(
    record: Record,
    principal: "Principal",
    change: Change,
    draft: Draft | None,
    row: Current | None,
) -> None:
    """Raise Forbidden for a Task that only the server writes, as it stands or as it would become;
    Unprocessable for a Consent that can't be obeyed."""
    if change.type == "Task" and not writes_for_the_server(principal):
        before = resource_of(row) if row is not None and not row.deleted else {}
        for task in (before, draft.resource if draft is not None else {}):
            if states_access(task):
                raise _refused(task, change)
    if change.type == "Consent" and draft is not None:
        _refuse_consent(record, change, draft)
        if principal.kind != "system" and principal.scopes is None:
            refuse_stop(record, draft.resource, change.expression)


def _refused(task: Resource, change: Change) -> Forbidden:
    found = codes(task.get("code"), ACCESS)
    how = _OPERATIONS.get(found[0], "an operation") if len(found) == 1 else "an operation"
    return Forbidden(
        f"Tasks of this code say who has access, and are written by the server alone. Use {how}.",
        expression=f"{change.expression or 'Task'}.code",
    )


def _refuse_consent(record: Record, change: Change, draft: Draft) -> None:
    """A mirror of other servers' data takes what it is given (EHR_REFERENCES=none)."""
    found = () if is_tolerant(record) else problems(draft.resource, terms_of(record))
    issues = [
        Issue("business-rule", f"{_NOT_OBEYED}: {one.text}", _at(change.expression, one.expression))
        for one in found
    ]
    if issues:
        raise Unprocessable(issues[0].diagnostics, issues=issues)


def refuse_stop(record: Record, consent: Resource, at: str) -> None:
    """Raise Unprocessable for a Consent that stands `at` a place and stops all sharing of a child's
    record. Asked of whoever may write it, since it tells of the child."""
    terms = terms_of(record)
    if stops_a_childs(record.database, consent, terms, record.clock()):
        text = (
            f"All sharing is not stopped before the age of {terms.end_age}. Keep out a person or "
            "an organisation, or hide a group of data or an item."
        )
        issue = Issue("business-rule", text, _at(at, "Consent.provision"))
        raise Unprocessable(text, issues=[issue])


def _at(place: str, expression: str) -> str:
    return expression.replace("Consent", place, 1) if place else expression
