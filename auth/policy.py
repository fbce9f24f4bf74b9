"""Who may do what: one table, default deny. Pure; facts and rows are no matter of this page yet.

    interaction                                              system   operator
    capabilities, read, vread, search, history, batch          x         x
    create, update, patch, delete, transaction                 x
    explain: how a search is answered, by `_explain`                     x
    operations that read ($validate, $meta, $everything)       x         x
    operations that write ($meta-add, $meta-delete)            x
    create, update, patch, delete of SearchParameter           x         x
    operations on the index ($reindex, $reindex-status)                  x

Batch and transaction entries are decided one by one as well. Operators look after the server:
they may look into the record to answer a question about it, but never change what it says of
anybody. What it can be searched by belongs to the server.
"""

from dataclasses import dataclass

from auth.principal import Principal

READING = frozenset(
    {
        "capabilities",
        "read",
        "vread",
        "search-type",
        "search-system",
        "history-instance",
        "history-type",
        "history-system",
        "batch",
    }
)
WRITING = frozenset({"create", "update", "patch", "delete", "transaction"})
EXPLAINING = frozenset({"explain"})
READING_OPERATIONS = frozenset({"validate", "meta", "everything"})
WRITING_OPERATIONS = frozenset({"meta-add", "meta-delete"})
MAINTAINING_OPERATIONS = frozenset({"reindex", "reindex-status"})
# Types whose resources say how the server works, and what operators may do with them.
OF_SERVER = frozenset({"SearchParameter"})
DEFINING = frozenset({"create", "update", "patch", "delete"})

# What whoever may start programs beside the record does without a token.
ON_THE_MACHINE = {"explain": "ehr explain", "$reindex": "ehr reindex"}

_READS = READING | {f"${name}" for name in READING_OPERATIONS}
_WRITES = WRITING | {f"${name}" for name in WRITING_OPERATIONS}

TABLE = {
    "system": _READS | _WRITES,
    "operator": _READS | EXPLAINING | {f"${name}" for name in MAINTAINING_OPERATIONS},
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Permit or deny, with the reason that the caller may be told."""

    permit: bool
    reason: str


def decide(
    principal: Principal, interaction: str, type: str | None = None, operation: str | None = None
) -> Decision:
    """Decide one interaction; `operation` is the name of an operation without its `$`."""
    asked = f"${operation}" if interaction == "operation" else interaction
    permitted = TABLE.get(principal.kind)
    if permitted is None:
        return Decision(False, f"Callers of kind {principal.kind} have no rights here.")
    defines = principal.kind == "operator" and type in OF_SERVER and asked in DEFINING
    if asked not in permitted and not defines:
        return Decision(False, _refusal(principal.kind, asked, type))
    return Decision(True, f"{principal.kind} may do {asked}")


def _refusal(kind: str, asked: str, type: str | None) -> str:
    """Say what this kind of caller may not do, who may, and how one gets there."""
    text = f"A token of kind {kind} may not do {asked}{f' on {type}' if type else ''}."
    for other, permitted in TABLE.items():
        if asked in permitted:
            text += f" One of kind {other} may: `ehr token create --{other}` makes it."
    if asked in ON_THE_MACHINE:
        text += f" On the machine of the record `{ON_THE_MACHINE[asked]}` does the same."
    return text
