"""Who loses a role loses their access tokens, in the transaction that says so.

Sessions, codes and refresh tokens look at the record whenever they are used
(`auth/sign_in/standing.py`); an access token only at the person it stands for
(`ehr/rest/standings.py`). So it is revoked here: the app asks for another, and gets one where
another role goes on.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auth import ending
from auth.sign_in import standing
from ehr.access.relationships import SOURCES
from ehr.store.drafts import Write, Written
from ehr.store.rows import IndexRows

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROLE = "PractitionerRole"
# Types whose writes change who may see what.
OF_ACCESS = SOURCES | {ROLE}


def end_rights(
    connection: "Connection",
    writes: Sequence[Write],
    outcome: Sequence[Sequence[Written]],
    now: int,
) -> None:
    """End the tokens of whom these writes take a role, or leave one that is not in force."""
    done = [one for some in outcome for one in some]
    left = {
        name
        for write, one in zip(writes, done, strict=True)
        if write.type == ROLE and (write.current is None or one.version != write.current.version)
        for name in _left(write, now)
    }
    if left:
        ending.end_tokens_of(connection, sorted(left), now=now)


def _left(write: Write, now: int) -> set[str]:
    before = _named(write.previous)
    after = _named(write.draft.rows) if write.draft is not None else set()
    # Another place or person, or the same but not in force.
    if before in (set(), after) and write.draft and standing.role_end(write.draft.resource, now):
        return set()
    return {name for name in before | after if name.startswith("Practitioner/")}


def _named(rows: IndexRows | None) -> set[str]:
    return (
        {f"{row.type}/{row.id}" for row in rows.reference if row.id} if rows is not None else set()
    )
