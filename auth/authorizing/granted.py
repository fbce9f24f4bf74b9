"""The grants of a user that are in force: who has access, as a page lists it."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select

from auth import scopes
from auth.models import access_grant, browser_session, client
from auth.scopes import Scopes
from auth.tokens import ACCESS_LIFE


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant in force, as a list of who has access shows it."""

    id: str
    client_id: str
    client_name: str
    scopes: Scopes
    patient: str | None
    lasting: str
    created: int
    used: int


def of_user(connection: Connection, user_id: str, *, now: int) -> list[Grant]:
    """Return the grants of a user that are in force, newest first.

    What is of a session ends with it, but for the access token that was given last.
    """
    session = browser_session
    lasts = and_(session.c.ended.is_(None), session.c.expires > now)
    rows = connection.execute(
        select(access_grant, client.c.name)
        .join(client, client.c.id == access_grant.c.client_id)
        .outerjoin(session, session.c.id_hash == access_grant.c.session_id)
        .where(
            access_grant.c.user_id == user_id,
            access_grant.c.revoked.is_(None),
            access_grant.c.expires > now,
            or_(
                access_grant.c.session_id.is_(None), access_grant.c.used > now - ACCESS_LIFE, lasts
            ),
        )
        .order_by(access_grant.c.created.desc(), access_grant.c.id)
    )
    return [
        Grant(
            id=row.id,
            client_id=row.client_id,
            client_name=row.name,
            scopes=scopes.parse(row.scope),
            patient=json.loads(row.context).get("launch", {}).get("patient"),
            lasting=row.lasting,
            created=row.created,
            used=row.used,
        )
        for row in rows
    ]
