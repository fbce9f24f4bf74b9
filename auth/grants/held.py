"""Grants as they stand when a token is asked for: still in force, and who gave them as well.

What may have changed since the consent is looked at each time: the user, the session of an online
grant, what staff must have shown, and whether the user may still open the patient in context.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, or_, select

from auth import scopes
from auth.authorizing.own_reading import OWN_READING
from auth.models import access_grant, user_account, user_patient
from auth.principal import Principal
from auth.scopes import Scopes
from auth.sign_in import sessions, staff_sign_in, standing, users
from auth.sign_in.users import Role, User

if TYPE_CHECKING:
    from auth.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Held:
    """A grant in force. `context` is that of `models/grants.py`, with the patients of today.

    `until` is when the first of what it rests on ends: the user's role, or a patient of theirs.
    """

    id: str
    client_id: str
    user: User
    session_id: str | None
    scopes: Scopes
    context: Mapping[str, Any]
    lasting: str
    until: int

    @property
    def launch(self) -> Mapping[str, Any]:
        """Return what stands beside the token in the token response."""
        launch: Mapping[str, Any] = self.context.get("launch", {})
        return launch

    @property
    def shown(self) -> Sequence[str]:
        """Return by what the user signed in who gave it (RFC 8176)."""
        amr: Sequence[str] = self.context.get("sign_in", {}).get("amr", ())
        return amr

    @property
    def principal(self) -> Principal:
        """Return who the user is for the record, whatever the scopes."""
        return Principal(
            id=str(self.context.get("author", self.user.id)),
            kind=self.user.kind,
            name=self.user.name,
            organisation=self.context.get("organisation"),
            scopes=OWN_READING,
            person=self.context.get("person"),
            patients=tuple(self.context.get("patients", ())),
            role=self.context.get("role"),
            purpose=self.context.get("purpose"),
        )


def find(connection: Connection, grant_id: str, *, now: int) -> Held | None:
    """Return a grant; None where it, its user or its session has come to an end."""
    row = connection.execute(
        select(access_grant, user_account.c.changed)
        .join(user_account, user_account.c.id == access_grant.c.user_id)
        .where(
            access_grant.c.id == grant_id,
            access_grant.c.revoked.is_(None),
            or_(access_grant.c.expires.is_(None), access_grant.c.expires > now),
        )
    ).first()
    if row is None or not _is_open(connection, row.session_id, now):
        return None
    context = json.loads(row.context)
    user = users.find(connection, row.user_id, now)
    if user is not None:
        user = user.acting_for(context.get("launch", {}).get("patient"))
    # By a new password, role or second factor what was before ends.
    if user is None or user.disabled or row.changed > row.created or not _works(user, context):
        return None
    if user.fhir_user != context.get("person", user.fhir_user):
        return None  # they act for the patient as somebody else by now
    until = _until(connection, user, context, now)
    return _held(row, user, {**context, "patients": list(user.patients)}, until)


def true_until(surroundings: "Surroundings", held: Held) -> int:
    """Return until when the record bears out a grant: who the user is, and the patient.

    0 where it no longer does, or where staff have shown less than the operator demands by now.
    Asks the record, so not within a write.
    """
    if not staff_sign_in.is_met(surroundings, held.user, held.shown):
        return 0
    place = held.context.get("organisation")
    end = standing.end(surroundings, held.user.fhir_user, place)
    patient = held.launch.get("patient")
    if patient is None:
        return end
    caller = held.principal
    own = caller.kind == "professional" or patient in caller.patients
    return end if own and surroundings.people.patient(caller, patient) is not None else 0


def _is_open(connection: Connection, session_id: str | None, now: int) -> bool:
    return session_id is None or sessions.is_open(connection, session_id, now)


def _works(user: User, context: Mapping[str, Any]) -> bool:
    """Tell whether a professional still has the role that the grant was given in."""
    return not user.is_professional or bool(_roles(user, context))


def _roles(user: User, context: Mapping[str, Any]) -> list[Role]:
    """Return the roles that are the one that the grant was given in."""
    taken = (context.get("role"), context.get("organisation"))
    return [role for role in user.roles if (role.role, role.organisation) == taken]


def _until(connection: Connection, user: User, context: Mapping[str, Any], now: int) -> int:
    if user.is_professional:
        ends = (role.ends for role in _roles(user, context))
        return max(standing.NEVER if end is None else end for end in ends)
    opened = user_patient.c
    first = connection.execute(
        select(func.min(opened.ends)).where(opened.user_id == user.id, opened.ends > now)
    ).scalar()
    return standing.NEVER if first is None else int(first)


def _held(row: Row[Any], user: User, context: Mapping[str, Any], until: int) -> Held:
    return Held(
        id=row.id,
        client_id=row.client_id,
        user=user,
        session_id=row.session_id,
        scopes=scopes.parse(row.scope),
        context=context,
        lasting=row.lasting,
        until=until,
    )
