"""Launches of an application from the workspace (SMART App Launch 2.2, EHR launch).

A launch is of one user in one browser session, for one client, once, for five minutes; what is in
context comes from it and never from the browser.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from auth.models import launch as table
from auth.tokens import hash_of

LIFE = 5 * 60_000


def begin(
    connection: Connection,
    *,
    client_id: str,
    user_id: str,
    session_id: str,
    context: Mapping[str, Any],
    now: int,
) -> str:
    """Keep what an application is launched with; return the value of its `launch` parameter."""
    launch = secrets.token_urlsafe(32)
    connection.execute(
        insert(table).values(
            launch_hash=hash_of(launch),
            client_id=client_id,
            user_id=user_id,
            session_id=session_id,
            context=json.dumps(context),
            expires=now + LIFE,
        )
    )
    return launch


def is_open(connection: Connection, launch: str, *, client_id: str, now: int) -> bool:
    """Tell whether a launch was made for this client and is still to be used."""
    row = _row(connection, launch, now)
    return row is not None and row.client_id == client_id


def context(
    connection: Connection,
    launch: str,
    *,
    client_id: str,
    user_id: str,
    session_id: str,
    now: int,
) -> Mapping[str, Any] | None:
    """Return what a launch was made with; None unless it is of this client, user and session."""
    row = _row(connection, launch, now)
    of = (client_id, user_id, session_id)
    if row is None or (row.client_id, row.user_id, row.session_id) != of:
        return None
    found: Mapping[str, Any] = json.loads(row.context)
    return found


def take(connection: Connection, launch: str, *, now: int) -> bool:
    """Use a launch up; tell whether it was not before."""
    done = connection.execute(
        update(table)
        .where(table.c.launch_hash == hash_of(launch), table.c.used.is_(None))
        .values(used=now)
    )
    return done.rowcount == 1


def _row(connection: Connection, launch: str, now: int) -> Row[Any] | None:
    return connection.execute(
        select(table).where(
            table.c.launch_hash == hash_of(launch), table.c.used.is_(None), table.c.expires > now
        )
    ).first()
