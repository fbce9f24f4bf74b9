"""By what a record is opened, told to who finds something not there for them.

The text is the same whether there is such a resource or not, so that it tells nothing of that.
"""

from auth.policy import decide
from auth.principal import Principal
from auth.rights import LEAD, rules
from ehr.errors import NotFound
from ehr.messages import Interaction
from fhir_profiles.issues import Issue

_BEGINNING = "If this is of somebody in your care whose record is not open to you: "
_WAYS = {
    "claim-relationship": "`POST Patient/[id]/$claim-relationship` says that you have to do with "
    "them and opens what has no label",
    "break-glass": "`POST Patient/[id]/$break-glass` opens it in an emergency, for four hours",
}
_HISTORIES = frozenset({"history-instance", "history-type"})
_END = ". Those who lead their care are told. `POST Patient/$match` finds the id."


def told_ways_in(principal: Principal, asked: Interaction, error: NotFound) -> NotFound:
    """Return the same refusal, with the operations that this caller may open a record by; or that
    only a named lead may ask this, whom none of them makes of anybody."""
    if asked.operation in _WAYS or principal.kind != "professional" or principal.scopes is None:
        return error
    if _is_of_leads(principal, asked):
        what = f"The history of {asked.type}" if asked.name in _HISTORIES else f"{asked.type}"
        text = f"{what} is not for your role, but for who is named lead of the person's team."
        return _with_hint(error, text)
    ways = [text for name, text in _WAYS.items() if _may(principal, name)]
    if not ways:
        return error
    return _with_hint(error, _BEGINNING + "; ".join(ways) + _END)


def _is_of_leads(principal: Principal, asked: Interaction) -> bool:
    """Tell whether the caller may ask this of a type only where they lead the team."""
    letter = "h" if asked.name in _HISTORIES else "r"
    some = [rule for rule in rules(principal, letter) if rule.concerns(asked.type)]
    return bool(asked.type and some) and all(LEAD in rule.words for rule in some)


def _with_hint(error: NotFound, text: str) -> NotFound:
    hint = Issue("informational", text, severity="information")
    return NotFound(str(error), issues=(*error.issues, hint), headers=error.headers)


def _may(principal: Principal, operation: str) -> bool:
    return decide(principal, "operation", "Patient", operation, id="-").permit
