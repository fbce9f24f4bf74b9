"""Which changes may share a transaction with those of other callers, and how they are judged then.

A single create or update without conditions, which would need locks of their own, and without
large content. All else is written by itself.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auth.rights import is_judged
from ehr.interactions.changes import Change
from ehr.interactions.leaving import OF_ACCESS
from ehr.interactions.referring import names_binaries
from ehr.interactions.targets import Plan
from ehr.interactions.writes import judged
from ehr.record import Record
from ehr.store.commit import Numbers
from ehr.store.drafts import Author, Draft, Method, Write
from ehr.store.together import Part, Rows

if TYPE_CHECKING:
    from auth.principal import Principal
    from ehr.interactions.applying import Tell

_BY_THEMSELVES = frozenset({"Binary", "SearchParameter"}) | OF_ACCESS
_LARGE = 1 << 16  # bytes; it would keep the others waiting


def part_of(
    record: Record,
    principal: "Principal",
    author: Author,
    changes: Sequence[Change],
    prepared: tuple[Plan, Sequence[Draft | None]],
    numbers: Numbers,
    tell: "Tell",
) -> Part | None:
    """Return what these changes do as a part of a shared transaction, None where they go alone."""
    plan, drafts = prepared
    if len(changes) > 1 or not _is_plain(changes[0], drafts[0]):
        return None
    if is_judged(principal):
        return None  # what opens a record is asked before and after
    if principal.scopes is not None and drafts[0] is not None and drafts[0].demands:
        return None  # what it refers to is looked at first
    target = plan.targets[0]

    def judge(rows: Rows) -> list[list[Write]]:
        return judged(record, principal, author, changes, plan, drafts, rows)

    return Part(
        target.names,
        target.is_new,
        judge,
        numbers,
        record.settings.references,
        tell,
        record.trail.within,
    )


def _is_plain(change: Change, draft: Draft | None) -> bool:
    return (
        draft is not None
        and change.criteria is None
        and change.method in (Method.POST, Method.PUT)
        # A SearchParameter is judged beside the others, a Binary may be large; who refers to one
        # must be able to read it. The others change who may see what.
        and change.type not in _BY_THEMSELVES
        and len(draft.stored) <= _LARGE
        and not names_binaries(draft)
    )
