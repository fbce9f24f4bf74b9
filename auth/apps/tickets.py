"""Initial access tokens: who has one may register so many clients (RFC 7591 §3).

Made by `ehr client ticket`; only a hash is kept.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from auth.apps import shown_texts
from auth.apps.client_values import ORGANISATION
from auth.models import registration_ticket as table
from auth.tokens import hash_of

PREFIX = "secq_"
_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as lists show it: everything but the ticket. Times are milliseconds."""

    id: str
    name: str
    created: int
    expires: int
    uses_left: int
    revoked: int | None
    organisation: str | None = None


def create(
    connection: Connection,
    *,
    name: str,
    uses: int,
    now: int,
    expires: int,
    organisation: str | None = None,
) -> str:
    """Store a new ticket and return it; it can't be shown again.

    `name` and `organisation` (an id) tell people who registered what is registered with it.
    """
    if (wrong := shown_texts.fault_of_name(name)) is not None:
        raise ValueError(f"The name of who gets a ticket {wrong}.")
    if organisation is not None and not ORGANISATION.fullmatch(organisation):
        raise ValueError("Name an organisation by its id in the record: northside-practice.")
    if uses < 1 or expires <= now:
        raise ValueError("A ticket is for one client or more, and ends later than now.")
    ticket = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(table).values(
            token_hash=hash_of(ticket),
            name=name.strip(),
            organisation=organisation,
            created=now,
            expires=expires,
            uses_left=uses,
        )
    )
    return ticket


def take(connection: Connection, ticket: str, *, now: int) -> bool:
    """Use a ticket once, in the transaction that registers the client; tell whether it was good."""
    done = connection.execute(
        update(table)
        .where(
            table.c.token_hash == hash_of(ticket),
            table.c.uses_left > 0,
            table.c.expires > now,
            table.c.revoked.is_(None),
        )
        .values(uses_left=table.c.uses_left - 1)
    )
    return done.rowcount == 1


def holder(connection: Connection, ticket: str) -> dict[str, str | None]:
    """Return who has a ticket, by the names of `clients.create`."""
    row = connection.execute(select(table).where(table.c.token_hash == hash_of(ticket))).one()
    return {"publisher": row.name, "organisation": row.organisation}


def revoke(connection: Connection, id: str, *, now: int) -> bool:
    """Revoke a ticket by its id; tell whether one was in force."""
    if len(id) != _ID_LENGTH:
        return False
    done = connection.execute(
        update(table)
        .where(table.c.token_hash.startswith(id, autoescape=True), table.c.revoked.is_(None))
        .values(revoked=now)
    )
    return done.rowcount > 0


def listed(connection: Connection) -> list[Ticket]:
    """List every ticket, newest first."""
    rows = connection.execute(select(table).order_by(table.c.created.desc(), table.c.token_hash))
    return [
        Ticket(
            row.token_hash[:_ID_LENGTH],
            row.name,
            row.created,
            row.expires,
            row.uses_left,
            row.revoked,
            row.organisation,
        )
        for row in rows
    ]
