"""Which letters of SMART scopes an interaction needs, and of which types. Pure.

SMART App Launch 2.2, *Scopes for requesting FHIR resources*: `c` create, `r` read, vread and the
history of one resource, `u` update (also where it creates) and patch, `d` delete, `s` search and
the histories of a type and of everything. What it leaves open is settled here:

    If-None-Exist                 c and s        conditional delete      d and s
    conditional update, patch     u and s        $everything, each type  r and s
    $match                        s, of everybody and without a filter
    $break-glass, $claim-relationship   r of everybody's Patient, c of Task
    $delegate                     r of Patient, c of Task
    $review                       u of Task
    $access-at                    r of everybody's Patient

A history needs `h` as well, which no scope has: who reads may have it, if the role table says so.
A patch that asks, by a `test` or by a condition in its path, reads: it needs `r` of the row too,
which the write itself can tell.
A conditional update that finds nothing needs `c` as well, which only the write itself can tell.
Batches and transactions need nothing: each entry is judged by itself. What a search leads through
or brings along is judged where its rows are (`ehr/access/`).
"""

from dataclasses import dataclass

INSTANCE_READS = frozenset({"read", "vread", "history-instance"})
_LETTERS = {
    **dict.fromkeys(("read", "vread"), "r"),
    **dict.fromkeys(("search-type", "search-system"), "s"),
    "history-instance": "rh",
    **dict.fromkeys(("history-type", "history-system"), "sh"),
    "create": "c",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "explain": "s",
}
_NOTHING = frozenset({"capabilities", "batch", "transaction"})
_OPERATIONS = {
    "everything": "rs",
    "match": "s",
    "meta-add": "u",
    "meta-delete": "u",
    "break-glass": "r",
    "claim-relationship": "r",
    "delegate": "r",
    "review": "u",
    "access-at": "r",
}
# What is about anybody at all: a scope for some of them would tell of the others.
_AMONG_ALL = frozenset({"match", "break-glass", "claim-relationship", "access-at"})
# What leaves a Task in the record that says who asked for what.
_MAKING_TASKS = frozenset({"break-glass", "claim-relationship", "delegate"})


@dataclass(frozen=True, slots=True)
class Demand:
    """All of these letters for one type; without a type, for any. No letters: any one of them.

    `all_rows`: for every row of the type, whoever's it is.
    """

    letters: str
    type: str | None = None
    all_rows: bool = False


def demands(
    interaction: str,
    type: str | None = None,
    operation: str | None = None,
    *,
    conditional: bool = False,
    on_instance: bool = False,
    types: tuple[str, ...] = (),
) -> tuple[Demand, ...] | None:
    """Return what an interaction needs, all of it; None for one that no scope permits.

    `types` are those of `_type`, each of which is asked for by itself.
    """
    if interaction in _NOTHING:
        return ()
    if interaction == "operation":
        letters = _of_operation(operation, on_instance=on_instance)
    else:
        letters = _LETTERS.get(interaction)
    if letters is None:
        return None
    if conditional:
        letters += "s"
    if type is None and types:
        return tuple(Demand(letters, one) for one in types)
    is_operation = interaction == "operation"
    found = Demand(letters, type, is_operation and operation in _AMONG_ALL)
    if is_operation and operation in _MAKING_TASKS:
        return found, Demand("c", "Task")
    return (found,)


def _of_operation(operation: str | None, *, on_instance: bool) -> str | None:
    if operation == "meta":
        return "r" if on_instance else "s"
    if operation == "validate":
        # By itself it says nothing of the record; what it tries out is judged as that.
        return "r" if on_instance else ""
    return _OPERATIONS.get(operation or "")
