"""What was granted ends: a grant with its refresh and access tokens, at once.

Refresh tokens and codes are asked for their grant whenever they are used, so that the grant's end
is theirs; access tokens are revoked each, for they are looked up at every request.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, select, update

from auth import tokens
from auth.models import access_grant, access_token, user_account


def end(connection: Connection, grant_id: str, *, why: str, now: int) -> bool:
    """End a grant and all tokens of it; tell whether it was in force."""
    ended = _end_where(connection, access_grant.c.id == grant_id, why=why, now=now)
    tokens.revoke_where(connection, access_token.c.grant_id == grant_id, now=now)
    return ended > 0


def end_all(
    connection: Connection,
    *,
    user_id: str | None = None,
    client_id: str | None = None,
    session_id: str | None = None,
    why: str,
    now: int,
) -> int:
    """End the grants of a user, a client, a browser session, or of all that are named together.

    Grants for offline use belong to no session. Returns how many were in force.
    """
    named = {"user_id": user_id, "client_id": client_id, "session_id": session_id}
    conditions = [
        access_grant.c[name] == value for name, value in named.items() if value is not None
    ]
    if not conditions:
        raise ValueError("Say whose grants are to end.")
    # Grants first: who issues tokens of one meanwhile has written its row, and is waited for.
    ended = _end_where(connection, *conditions, why=why, now=now)
    held = select(access_grant.c.id).where(*conditions)
    tokens.revoke_where(connection, access_token.c.grant_id.in_(held), now=now)
    if session_id is None:
        # Tokens of clients that act for themselves are of no grant.
        loose = (access_token.c[name] == value for name, value in named.items() if value)
        tokens.revoke_where(connection, and_(access_token.c.grant_id.is_(None), *loose), now=now)
    return ended


def end_tokens_of(connection: Connection, people: Sequence[str], *, now: int) -> None:
    """End the access tokens of people of the record, as `Practitioner/1`; grants stay.

    Who may still have tokens refreshes, and is looked at then.
    """
    users = select(user_account.c.id).where(user_account.c.fhir_user.in_(people))
    tokens.revoke_where(connection, access_token.c.user_id.in_(users), now=now)


def _end_where(connection: Connection, *conditions: ColumnElement[bool], why: str, now: int) -> int:
    done = connection.execute(
        update(access_grant)
        .where(*conditions, access_grant.c.revoked.is_(None))
        .values(revoked=now, revoked_why=why)
    )
    return done.rowcount
