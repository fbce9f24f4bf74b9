"""A token as one of the demo's people has it, for calls by hand: what the pages would grant.

Only for a demo, whose people are made up: elsewhere nobody gets a token but by signing in.
"""

import json
from typing import TYPE_CHECKING

from auth import tokens
from auth.principal import Principal
from auth.purposes import OF_KIND
from auth.sign_in import users
from auth.surroundings import Happening
from ehr.app import surroundings_of
from ehr.cli.demo_access import APP

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from auth.sign_in.users import User
    from ehr.record import Record

_SCOPES = {
    "professional": "openid fhirUser user/*.cruds",
    "carer": "openid fhirUser user/*.cruds",
    "patient": "openid fhirUser patient/*.cruds",
}


def token_for(record: "Record", login: str) -> str | None:
    """Return a token for an hour as who signs in as `login`; None where nobody does.

    It says that this person has just shown who they are, and stands in `ehr token list`.
    """
    now, surroundings = record.clock(), surroundings_of(record)

    def work(connection: "Connection") -> str | None:
        user = users.find_login(connection, login, now)
        if user is None or user.disabled:
            return None
        role = user.roles[0] if user.roles else None
        scope = _SCOPES[user.kind]
        token = tokens.create(
            connection,
            kind=user.kind,
            name=user.name,
            organisation=role.organisation if role else None,
            now=now,
            expires=now + tokens.ACCESS_LIFE,
            client_id=APP,
            user_id=user.id,
            scope=scope,
            context=json.dumps(_context(user, now)),
        )
        patient = user.patients[0] if user.kind == "patient" else None
        by = Principal(user.fhir_user, user.kind, user.name, role.organisation if role else None)
        told = Happening("token-issued", by, APP, tokens.id_of(token), patient, scope)
        surroundings.tell(connection, told)
        return token

    return surroundings.store.write(work)


def _context(user: "User", now: int) -> dict[str, object]:
    """Return what a token keeps of its grant (`auth/models/grants.py`)."""
    role = user.roles[0] if user.roles else None
    launch = {"patient": user.patients[0]} if user.kind == "patient" else {}
    context: dict[str, object] = {
        "launch": launch,
        "author": user.fhir_user,
        "person": user.fhir_user,
        "patients": list(user.patients),
        "purpose": OF_KIND[user.kind],
        "signed_in": now,
    }
    if role is not None:
        context |= {"role": role.role, "title": role.title, "organisation": role.organisation}
    return context
