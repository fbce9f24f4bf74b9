"""Browser sessions: begun by a first factor, complete when all that policy asks was shown.

A session's id has 256 random bits and is only in the cookie; its hash is stored. Every step of
authentication gives a new id and ends the one before, so that an id planted in a browser is worth
nothing (T24, fixation). A session ends 30 minutes after it was last used, 12 hours after signing
in at the latest, and at once by signing out or when a password, role or factor changes.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from auth import ending
from auth.models import access_grant, browser_session, launch
from auth.principal import Principal
from auth.sign_in import session_times, staff_sign_in, standing, users
from auth.sign_in.users import Role, User
from auth.surroundings import Happening, Surroundings
from auth.tokens import hash_of

_SEEN_EVERY = 60_000
_KEPT = 30 * 86_400_000  # after a session could last no longer


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that somebody signed in with.

    `id_hash` names it; `amr` are the ways by which they did (RFC 8176); `acr` is how sure that
    makes us; `authenticated` is when; `csrf` must come back with every form. `state` is for what
    is between two steps.
    """

    id_hash: str
    user: User
    role: Role | None
    amr: tuple[str, ...]
    acr: str | None
    authenticated: int
    complete: bool
    csrf: str
    created: int = 0
    expires: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)

    def acting_for(self, patient: str | None) -> "Session":
        """Return this session as of who opens the record of a patient, by id."""
        user = self.user.acting_for(patient)
        return self if user is self.user else replace(self, user=user)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of authentication makes of a session."""

    user_id: str
    amr: tuple[str, ...]
    acr: str | None = None
    complete: bool = False
    role_number: int | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    goes_on: bool = False  # what was shown is in part that of the session before


class Over(Exception):
    """A session that was to go on ended meanwhile."""


def principal_of(session: Session) -> Principal:
    """Return who signed in, as the record's author and for its trail; without any right."""
    role = session.role
    return replace(
        session.user.principal,
        organisation=role.organisation if role else None,
        role=role.role if role else None,
    )


def current(surroundings: Surroundings, cookie: str | None) -> Session | None:
    """Return the session of a cookie, complete or not; None where there is none in force."""
    if not cookie:
        return None
    now = surroundings.clock()
    with surroundings.store.read() as connection:
        row = _in_force(connection, hash_of(cookie), now)
        user = None if row is None else users.find(connection, row.user_id, now)
    if row is None or user is None or user.disabled:
        return None
    role = user.role(row.role_number)
    if row.complete and user.is_professional and role is None:
        return None  # the role it was opened for has ended
    session = _session(surroundings, row, user)
    place = role.organisation if role is not None else None
    if standing.last_end(surroundings, user.persons, place) <= now:
        end(surroundings, session, "no longer allowed")
        return None
    if now - row.seen > _SEEN_EVERY:
        surroundings.store.write(lambda connection: _touch(connection, row.id_hash, now))
    return session


def is_open(connection: Connection, id_hash: str, now: int) -> bool:
    """Tell whether a session is in force: what lasts as long as it asks so."""
    return _in_force(connection, id_hash, now) is not None


def begin(
    surroundings: Surroundings, step: Step, *, instead_of: Session | None = None
) -> tuple[str, Session]:
    """Begin a session by one step of authentication; return its cookie and the session.

    A session that it follows ends; what was granted in it goes on where the user is the same.
    Raises Over where the step goes on from one that has ended: nothing revives a session.
    """
    now = surroundings.clock()
    cookie = secrets.token_urlsafe(32)
    is_same = instead_of is not None and instead_of.user.id == step.user_id
    authenticated, expires = session_times.of_step(step, instead_of, now)
    values = {
        "id_hash": hash_of(cookie),
        "user_id": step.user_id,
        "role_number": step.role_number,
        "amr": " ".join(step.amr),
        "acr": step.acr,
        "complete": step.complete,
        "state": json.dumps(dict(step.state)),
        "created": now,
        "authenticated": authenticated,
        "seen": now,
        "expires": expires,
        "ended": None,
    }

    def work(connection: Connection) -> Session:
        users.hold(connection, step.user_id)
        if step.goes_on and not (instead_of and is_open(connection, instead_of.id_hash, now)):
            raise Over
        _forget_old(connection, step.user_id, now)
        connection.execute(insert(browser_session).values(values))
        if instead_of is not None and is_same:
            _hand_over(connection, instead_of.id_hash, str(values["id_hash"]))
        if instead_of is not None:
            end_one(connection, instead_of.id_hash, why="signed in again", now=now)
        row = _in_force(connection, str(values["id_hash"]), now)
        if row is None:
            raise LookupError("The session is gone.")
        session = _session(surroundings, row, users.needed(connection, step.user_id, now))
        is_renewed = step.goes_on and instead_of is not None and instead_of.complete
        if session.complete and not is_renewed:
            ways = " ".join(session.amr)
            surroundings.tell(connection, Happening("sign-in", principal_of(session), named=ways))
        return session

    return cookie, surroundings.store.write(work)


def keep(surroundings: Surroundings, session: Session, **state: Any) -> Session:
    """Keep something between two steps; a value of None is forgotten."""
    merged = {**session.state, **state}
    left = {name: value for name, value in merged.items() if value is not None}
    here = browser_session.c.id_hash == session.id_hash

    def work(connection: Connection) -> None:
        connection.execute(update(browser_session).where(here).values(state=json.dumps(left)))

    surroundings.store.write(work)
    return Session(**{**_fields(session), "state": left})


def end(surroundings: Surroundings, session: Session, why: str = "signed out") -> None:
    """Sign out: the session ends, and with it what was granted for as long as it lasts."""
    now = surroundings.clock()

    def work(connection: Connection) -> None:
        end_one(connection, session.id_hash, why=why, now=now)
        surroundings.tell(connection, Happening("sign-out", principal_of(session), named=why))

    surroundings.store.write(work)


def end_one(connection: Connection, id_hash: str, *, why: str, now: int) -> None:
    """End one session and what lasts no longer than it."""
    _end(connection, browser_session.c.id_hash == id_hash, now)
    ending.end_all(connection, session_id=id_hash, why=why, now=now)


def end_all_of_user(connection: Connection, user_id: str, *, why: str, now: int) -> None:
    """End every session, grant and token of a user (T19, T40)."""
    _end(connection, browser_session.c.user_id == user_id, now)
    ending.end_all(connection, user_id=user_id, why=why, now=now)


def end_others_of_user(connection: Connection, session: Session, *, why: str, now: int) -> None:
    """End every session, grant and token of a user but the session in use."""
    here = browser_session.c
    _end(connection, (here.user_id == session.user.id) & (here.id_hash != session.id_hash), now)
    ending.end_all(connection, user_id=session.user.id, why=why, now=now)


def csrf_of(surroundings: Surroundings, secret: str) -> str:
    """Return what a form must bring back, given what only this browser and we know."""
    key = surroundings.safe.signing_key("csrf")
    return hmac.new(key, secret.encode(), sha256).hexdigest()


def _in_force(connection: Connection, id_hash: str, now: int) -> Row[Any] | None:
    here = browser_session.c
    return connection.execute(
        select(browser_session).where(
            here.id_hash == id_hash,
            here.ended.is_(None),
            here.expires > now,
            here.seen > now - session_times.IDLE,
        )
    ).one_or_none()


def _end(connection: Connection, which: ColumnElement[bool], now: int) -> None:
    connection.execute(
        update(browser_session).where(which, browser_session.c.ended.is_(None)).values(ended=now)
    )


def _forget_old(connection: Connection, user_id: str, now: int) -> None:
    here = browser_session.c
    old = (here.user_id == user_id) & (here.expires < now - _KEPT)
    connection.execute(delete(browser_session).where(old))


def _touch(connection: Connection, id_hash: str, now: int) -> None:
    here = browser_session.c
    connection.execute(
        update(browser_session).where(here.id_hash == id_hash, here.seen < now).values(seen=now)
    )


def _hand_over(connection: Connection, old: str, new: str) -> None:
    for table in (access_grant, launch):
        connection.execute(update(table).where(table.c.session_id == old).values(session_id=new))


def _session(surroundings: Surroundings, row: Row[Any], user: User) -> Session:
    amr = tuple(row.amr.split())
    return Session(
        id_hash=row.id_hash,
        user=user,
        role=user.role(row.role_number),
        amr=amr,
        acr=row.acr,
        authenticated=row.authenticated,
        complete=row.complete and staff_sign_in.is_met(surroundings, user, amr),
        csrf=csrf_of(surroundings, row.id_hash),
        created=row.created,
        expires=row.expires,
        state=json.loads(row.state),
    )


def _fields(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in Session.__dataclass_fields__}
