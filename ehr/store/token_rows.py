"""Whether a token is in force, and its person: asked at every request, so by the driver alone."""

from functools import cache

from sqlalchemy import Connection

from ehr.store.directory_mark import MARK
from ehr.store.engine import is_postgres
from ehr.store.statements import query
from fhir_profiles.definitions import type_number

_KEPT = "FROM access_token WHERE revoked IS NULL AND token_hash = "
_PERSON = (
    "(SELECT r.version FROM locator l JOIN resource r "
    "ON r.patient_key = l.patient_key AND r.rid = l.rid WHERE l.type = {} AND l.id = {})"
)
TOKEN = 0  # no number of a type
_BESIDE = f"SELECT {TOKEN}, {MARK}, 0 {{}}{{}} UNION ALL {{}}"
_WITH_MARK = {one: f"SELECT {MARK} {_KEPT}{one}" for one in ("?", "%b")}
_ALONE = {one: f"SELECT 0 {_KEPT}{one}" for one in ("?", "%b")}
_WITH_PERSON = {one: f"SELECT {_PERSON.format(one, one)} {_KEPT}{one}" for one in ("?", "%b")}


def in_force(connection: Connection, hash: str, person: str | None) -> int | None:
    """Return the version of the person (`Type/id`) whom a token stands for; None where no token of
    this hash is kept, or it was revoked.

    The version grows by a deletion too; it is 0 where the record never had that person.
    """
    mark = "%b" if is_postgres(connection) else "?"
    if person is None:
        rows = query(connection, _ALONE[mark], (hash,))
    else:
        type, _, id = person.partition("/")
        rows = query(connection, _WITH_PERSON[mark], (type_number(type), id, hash))
    return int(rows[0][0] or 0) if rows else None


def mark_in_force(connection: Connection, hash: str) -> tuple[str | None] | None:
    """Return the mark of the directory, if it has one, where a token is in force; else None."""
    rows = query(connection, _WITH_MARK["%b" if is_postgres(connection) else "?"], (hash,))
    return (rows[0][0],) if rows else None


@cache
def beside(one: str, rows: str) -> str:
    """Return a statement of whether a token is in force with rows beside it, of a type, an id and a
    version each: it alone has the type TOKEN, and is there if so, with the mark of the directory as
    its id. `one` is how parameters are marked."""
    return _BESIDE.format(_KEPT, one, rows)
