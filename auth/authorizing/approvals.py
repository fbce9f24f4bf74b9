"""What a person has allowed an app before, so that the same is not asked again for some time.

Only what needs no asking: a request for more, for access without the person (`offline_access`), or
with `prompt=consent`, is asked each time, and so is an app that can't prove who it is (RFC 8252
§8.6). To cut an app off forgets what was allowed; so does a change of where it is or of its name.
"""

from sqlalchemy import Connection, delete, insert, select

from auth import scopes
from auth.authorizing.authorization_request import AuthorizationRequest
from auth.models import approval as table
from auth.models import client
from auth.scopes import NONE, Scopes

LIFE = 90 * 86_400_000


def covers(
    connection: Connection, request: AuthorizationRequest, user_id: str, wanted: Scopes, now: int
) -> bool:
    """Tell whether all that is wanted now was allowed before, and need not be asked again."""
    if "consent" in request.prompt or wanted.has("offline_access") or not _is_certain(request):
        return False
    return remembered(connection, user_id, request.client.id, now).covers(wanted)


def remembered(connection: Connection, user_id: str, client_id: str, now: int) -> Scopes:
    """Return what was allowed at the last time that it was asked."""
    row = connection.execute(
        select(table.c.scope).where(
            table.c.user_id == user_id, table.c.client_id == client_id, table.c.expires > now
        )
    ).one_or_none()
    return NONE if row is None else scopes.parse(row.scope)


def of_user(connection: Connection, user_id: str, *, now: int) -> list[tuple[str, str, int]]:
    """Return what a user need not be asked again, by app: client_id, its name, and when given."""
    found = connection.execute(
        select(table.c.client_id, client.c.name, table.c.given)
        .join(client, client.c.id == table.c.client_id)
        .where(table.c.user_id == user_id, table.c.expires > now, client.c.disabled.is_(None))
        .order_by(client.c.name, table.c.client_id)
    )
    return [(row.client_id, row.name, row.given) for row in found]


def remember(
    connection: Connection, user_id: str, client_id: str, granted: Scopes, now: int
) -> None:
    """Keep what was allowed, in place of what was before."""
    forget(connection, user_id, client_id)
    connection.execute(
        insert(table).values(
            user_id=user_id,
            client_id=client_id,
            scope=str(granted),
            given=now,
            expires=now + LIFE,
        )
    )


def forget(connection: Connection, user_id: str, client_id: str | None = None) -> None:
    """Forget what a user allowed one app, or all."""
    condition = table.c.user_id == user_id
    if client_id is not None:
        condition &= table.c.client_id == client_id
    connection.execute(delete(table).where(condition))


def _is_certain(request: AuthorizationRequest) -> bool:
    """Tell whether the answer can only reach the app that was allowed.

    Any program on a device may take a scheme of its own or a loopback port.
    """
    return not request.client.is_public or request.redirect_uri.startswith("https://")
