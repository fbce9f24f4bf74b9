"""Invitations: a one-time code by which a person of the record gets an account, or back into it.

A code has 80 random bits, is good for ten days, counts once, and ends after five tries. Patients
and carers also tell their birth date, so that a letter in wrong hands is not enough. One that
names a user lets them in again who lost password or device: what they had before ends.
"""

import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from auth.models import approval, identity, invitation
from auth.sign_in import credentials, one_time_codes, passkeys, sessions, users
from auth.sign_in.users import Role, User
from auth.surroundings import Surroundings

LIFE = 10 * 86_400_000
TRIES = 5
# Without those that look alike in print.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom an invitation is for, and what the account will have."""

    code_hash: str
    kind: str
    fhir_user: str
    name: str
    birth_date: str | None
    roles: tuple[Role, ...]
    patients: Mapping[str, str]
    invited_by: str
    expires: int
    user_id: str | None

    @property
    def persons(self) -> tuple[str, ...]:
        """Return who of the record it is for."""
        return (self.fhir_user,)


def create(
    connection: Connection,
    surroundings: Surroundings,
    *,
    kind: str,
    fhir_user: str,
    name: str,
    invited_by: str,
    birth_date: str | None = None,
    roles: Iterable[Role] = (),
    patients: Mapping[str, str] | None = None,
    user_id: str | None = None,
) -> str:
    """Keep an invitation and return its code, which can't be shown again.

    Others for the same person end. Raises ValueError where something does not fit.
    """
    if not fhir_user.startswith(f"{users.TYPES.get(kind, kind)}/"):
        raise ValueError(f"A {kind} is a {users.TYPES.get(kind, kind)} of the record.")
    if kind != "professional" and not birth_date:
        raise ValueError("The record has no birth date of this person. Record it first.")
    now = surroundings.clock()
    withdraw(connection, fhir_user, now)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    connection.execute(
        insert(invitation).values(
            code_hash=_hash(surroundings, code),
            kind=kind,
            fhir_user=fhir_user,
            name=name,
            birth_date=birth_date,
            roles=users.roles_as_json(roles),
            patients=json.dumps(dict(patients or {})),
            invited_by=invited_by,
            created=now,
            expires=now + LIFE,
            tries=0,
            used=None,
            user_id=user_id,
        )
    )
    return "-".join(code[at : at + 4] for at in range(0, _LENGTH, 4))


def withdraw(connection: Connection, fhir_user: str, now: int) -> int:
    """End the open invitations of a person; return how many there were."""
    of_person = (invitation.c.fhir_user == fhir_user) & _open(now)
    return connection.execute(update(invitation).where(of_person).values(expires=now)).rowcount


def waiting(connection: Connection, now: int) -> list[Invitation]:
    """Return the invitations that can still be taken up, oldest first."""
    rows = connection.execute(select(invitation).where(_open(now)).order_by(invitation.c.created))
    return [_invitation(row) for row in rows]


def try_code(surroundings: Surroundings, code: str, birth_date: str) -> Invitation | None:
    """Return the invitation of a code, if it can still be taken up and the birth date is right.

    Counts a try first, so that many at once get no more than one after another.
    """
    now = surroundings.clock()
    here = invitation.c.code_hash == _hash(surroundings, code)

    def work(connection: Connection) -> Row[tuple[object, ...]] | None:
        counted = connection.execute(
            update(invitation).where(here, _open(now)).values(tries=invitation.c.tries + 1)
        )
        if counted.rowcount == 0:
            return None
        return connection.execute(select(invitation).where(here)).one()

    row = surroundings.store.write(work)
    if row is None:
        return None
    found = _invitation(row)
    told = birth_date.encode("utf-8", "replace")
    if found.birth_date and not hmac.compare_digest(found.birth_date.encode(), told):
        return None
    return found


def find(connection: Connection, code_hash: str, now: int) -> Invitation | None:
    """Return an invitation whose code was shown before, if it can still be taken up."""
    here = invitation.c
    row = connection.execute(
        select(invitation).where(
            here.code_hash == code_hash, here.used.is_(None), here.expires > now
        )
    ).one_or_none()
    return None if row is None else _invitation(row)


def accept(
    connection: Connection,
    invited: Invitation,
    *,
    now: int,
    login: str = "",
    password_hash: str | None = None,
) -> User | None:
    """Make the account that an invitation is for; None where it was taken up meanwhile.

    Raises ValueError where the sign-in name can't be had.
    """
    here = invitation.c
    unused = (here.code_hash == invited.code_hash) & here.used.is_(None) & (here.expires > now)
    if connection.execute(update(invitation).where(unused).values(used=now)).rowcount == 0:
        return None
    if invited.user_id is not None:
        user = _renewed(connection, invited.user_id, now)
    else:
        user = users.create(
            connection,
            kind=invited.kind,
            login=login,
            name=invited.name,
            fhir_user=invited.fhir_user,
            now=now,
            roles=invited.roles,
            patients=invited.patients,
        )
    if password_hash is not None:
        credentials.set_hash(connection, user.id, password_hash, now)
    connection.execute(
        update(invitation).where(here.code_hash == invited.code_hash).values(user_id=user.id)
    )
    return user


def _renewed(connection: Connection, user_id: str, now: int) -> User:
    """Take from a user every way to sign in that they had, and all that was open or allowed.

    Whoever had got in before may have linked an account of theirs, or allowed an app of theirs.
    """
    forget_factors(connection, user_id)
    credentials.remove_password(connection, user_id)
    linked = (identity.c.user_id == user_id) & identity.c.unlinked.is_(None)
    connection.execute(delete(identity).where(linked))
    connection.execute(delete(approval).where(approval.c.user_id == user_id))
    sessions.end_all_of_user(connection, user_id, why="let in anew", now=now)
    users.mark_changed(connection, user_id, now)
    return users.needed(connection, user_id, now)


def forget_factors(connection: Connection, user_id: str) -> None:
    """Forget every second factor of a user."""
    one_time_codes.remove_totp(connection, user_id)
    one_time_codes.remove_recovery_codes(connection, user_id)
    passkeys.remove(connection, user_id)


def _open(now: int) -> ColumnElement[bool]:
    here = invitation.c
    return here.used.is_(None) & (here.expires > now) & (here.tries < TRIES)


def _hash(surroundings: Surroundings, code: str) -> str:
    key = surroundings.safe.signing_key("invitations")
    plain = re.sub(r"[^A-Z0-9]", "", code.upper())
    return hmac.new(key, plain.encode("utf-8", "replace"), sha256).hexdigest()


def _invitation(row: Row[tuple[object, ...]]) -> Invitation:
    return Invitation(
        row.code_hash,
        row.kind,
        row.fhir_user,
        row.name,
        row.birth_date,
        users.roles_from_json(row.roles),
        json.loads(row.patients),
        row.invited_by,
        row.expires,
        row.user_id,
    )
