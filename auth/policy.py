"""Who may do what: one table, default deny. Pure; which rows are meant is judged by `ehr/access/`.

    interaction                                              system   operator
    capabilities, read, vread, search, history, batch          x         x
    create, update, patch, delete, transaction                 x
    explain: how a search is answered, by `_explain`                     x
    operations that read ($validate, $meta, $everything)       x         x
    operations that write ($meta-add, $meta-delete)            x
    operations that look for somebody among all ($match)       x
    create, update, patch, delete of SearchParameter           x         x
    operations on the index ($reindex, $reindex-status)                  x
    $access-at: who had access to a record at a moment                   x

Batch and transaction entries are decided one by one as well. Operators look after the server:
they may look into the record to answer a question about it, but never change what it says of
anybody. What it can be searched by belongs to the server.

Tokens with scopes may do what these permit as well (`demands.py`), up to the ceiling of their kind
and, for people who signed in, of their role (`rights.py`, `roles/`). Professionals of some
roles look for somebody among all as well, open access, review that, and ask who had it (`BY_ROLE`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from auth.demands import INSTANCE_READS, Demand, demands
from auth.principal import Principal
from auth.rights import (
    JUDGED,
    OF_SERVER,
    context_of,
    is_self,
    permits,
    permits_all,
    role_permits,
    roles_that_may,
)
from auth.roles.known import role_of

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
FINDING_OPERATIONS = frozenset({"match"})
MAINTAINING_OPERATIONS = frozenset({"reindex", "reindex-status"})
# Professionals who treat or protect people themselves: they may have to act before anything else.
CLINICAL_DUTY = frozenset({"gp", "hospital-consultant", "nurse", "urgent-care", "social-worker"})
_IN_CARE = CLINICAL_DUTY | {"care-coordinator"}
# Operations of professionals of these roles, and of nobody else but as the tables say.
BY_ROLE: Mapping[str, frozenset[str]] = {
    "match": _IN_CARE | {"receptionist"},
    "break-glass": CLINICAL_DUTY,
    "claim-relationship": _IN_CARE,
    "delegate": _IN_CARE,
    "review": frozenset({"privacy-officer"}),
    "access-at": frozenset({"privacy-officer"}),
}
# What operators may do with the types whose resources say how the server works.
DEFINING = frozenset({"create", "update", "patch", "delete"})

# What whoever may start programs beside the record does without a token.
ON_THE_MACHINE = {"explain": "ehr explain", "$reindex": "ehr reindex"}

_READS = READING | {f"${name}" for name in READING_OPERATIONS}
_WRITES = WRITING | {f"${name}" for name in WRITING_OPERATIONS}
_FINDS = {f"${name}" for name in FINDING_OPERATIONS}

TABLE = {
    "system": _READS | _WRITES | _FINDS,
    "operator": _READS
    | EXPLAINING
    | {f"${name}" for name in MAINTAINING_OPERATIONS}
    | {"$access-at"},
}


_ROLES_OF = {f"${name}": roles for name, roles in BY_ROLE.items()}

# What scopes may permit people who signed in.
_SCOPED = {
    **TABLE,
    **dict.fromkeys(JUDGED, _READS | WRITING),
    "professional": _READS | WRITING | {f"${name}" for name in BY_ROLE},
    "operator": TABLE["operator"] | WRITING,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Permit or deny, with the reason that the caller may be told.

    `scope` is one that would permit it, where that is what was missing.
    """

    permit: bool
    reason: str
    scope: str = ""


def decide(
    principal: Principal,
    interaction: str,
    type: str | None = None,
    operation: str | None = None,
    *,
    id: str | None = None,
    conditional: bool = False,
    types: tuple[str, ...] = (),
) -> Decision:
    """Decide one interaction; `operation` is the name of an operation without its `$`.

    `conditional`: it finds what it is about by a search; `types` are those of its `_type`.
    """
    asked = f"${operation}" if interaction == "operation" else interaction
    scoped = principal.scopes is not None
    permitted = (_SCOPED if scoped else TABLE).get(principal.kind)
    if permitted is None:
        return Decision(False, f"Callers of kind {principal.kind} have no rights here.")
    defines = principal.kind == "operator" and type in OF_SERVER and asked in DEFINING
    if asked not in permitted and not defines:
        return Decision(False, _refusal(principal.kind, asked, type))
    if principal.kind == "professional" and asked in _ROLES_OF:
        role = role_of(principal)
        if role not in _ROLES_OF[asked]:
            return Decision(False, f"The role {role} may not do {asked}.")
    if scoped and not (interaction in INSTANCE_READS and is_self(principal, type, id)):
        needed = demands(
            interaction,
            type,
            operation,
            conditional=conditional,
            on_instance=id is not None,
            types=types,
        )
        return _by_scopes(principal, needed, asked)
    return Decision(True, f"{principal.kind} may do {asked}")


def decide_scopes(principal: Principal, letters: str, type: str, what: str) -> Decision:
    """Decide by scopes alone, for what only a search or a write itself can tell is needed."""
    if principal.scopes is None:
        return Decision(True, f"{principal.kind} may do {what}")
    return _by_scopes(principal, (Demand(letters, type),), what)


@lru_cache(maxsize=4096)
def _by_scopes(principal: Principal, needed: tuple[Demand, ...] | None, asked: str) -> Decision:
    if needed is None:
        return Decision(False, f"No scope permits {asked}.")
    for one in needed:
        if not role_permits(principal, one.letters, one.type):
            return Decision(False, _beyond_role(role_of(principal), one, asked))
        if not _meets(principal, one):
            return Decision(False, *_missing(principal, one, asked))
    return Decision(True, f"its scopes permit {asked}")


def _beyond_role(role: str, one: Demand, asked: str) -> str:
    """Say what a role may not do, and which roles of staff may."""
    if one.type is None:
        return f"The role {role} may not do {asked}."
    text = f"The role {role} may not do {asked} on {one.type}."
    others = roles_that_may(one.letters, one.type)
    return f"{text} These roles of staff may: {', '.join(others)}." if others else text


def _meets(principal: Principal, one: Demand) -> bool:
    if one.all_rows and one.type is not None:
        return permits_all(principal, one.letters, one.type)
    return permits(principal, one.letters, one.type)


def _missing(principal: Principal, one: Demand, asked: str) -> tuple[str, str]:
    """Return what to tell of a scope that is missing, and the scope."""
    context = context_of(principal)
    if one.all_rows and context == "patient":
        context = "user"
    scope = f"{context}/{one.type or '*'}.{one.letters.replace('h', '') or 'r'}"
    on = f" on {one.type}" if one.type else ""
    text = (
        f"The token does not permit {asked}{on}: it needs a scope such as {scope}, within what "
        f"callers of kind {principal.kind} may do."
    )
    return text, scope


def _refusal(kind: str, asked: str, type: str | None) -> str:
    """Say what this kind of caller may not do, who may, and how one gets there."""
    text = f"A token of kind {kind} may not do {asked}{f' on {type}' if type else ''}."
    for other, permitted in TABLE.items():
        if asked in permitted:
            text += f" One of kind {other} may: `ehr token create --{other}` makes it."
    if asked in ON_THE_MACHINE:
        text += f" On the machine of the record `{ON_THE_MACHINE[asked]}` does the same."
    return text
