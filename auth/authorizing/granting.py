"""The grant that a user gives, with its code, and what is remembered of it: in one transaction.

RFC 6749 §4.1.2. The code is stored as a hash, for a minute.
"""

import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert

from auth.authorizing import approvals, kept_requests, launches
from auth.models import access_grant, authorization_code
from auth.purposes import OF_KIND
from auth.sign_in import authentication, sessions
from auth.surroundings import Happening
from auth.tokens import hash_of

if TYPE_CHECKING:
    from auth.authorizing.authorization_request import AuthorizationRequest
    from auth.scopes import Scopes
    from auth.sign_in.sessions import Session
    from auth.surroundings import Surroundings

CODE_LIFE = 60_000


def grant(
    surroundings: "Surroundings",
    request: "AuthorizationRequest",
    session: "Session",
    final: "Scopes",
    launch: Mapping[str, Any],
    *,
    remembers: bool,
) -> str | None:
    """Grant what was judged before and return the code; None where the request was answered.

    With `remembers` the same is not asked of this person again for some time. Raises
    `sessions.Over` where the session ended meanwhile.
    """
    code, now = secrets.token_urlsafe(32), surroundings.clock()
    rows = _rows(request, session, final, launch, code=code, now=now)
    user, client = session.user.id, request.client.id

    def work(connection: Connection) -> bool:
        authentication.hold(connection, session, now)
        if not kept_requests.take(connection, request.handle, now=now):
            return False
        if request.launch is not None and not launches.take(connection, request.launch, now=now):
            return False
        for table, row in rows:
            connection.execute(insert(table).values(row))
        if remembers:
            approvals.remember(connection, user, client, final, now)
        by, patient = sessions.principal_of(session), launch.get("patient")
        told = Happening("app-approved", by, client, patient=patient, named=str(final))
        surroundings.tell(connection, told)
        return True

    return code if surroundings.store.write(work) else None


def _rows(
    request: "AuthorizationRequest",
    session: "Session",
    final: "Scopes",
    launch: Mapping[str, Any],
    *,
    code: str,
    now: int,
) -> list[tuple[Any, dict[str, Any]]]:
    lasting = next((one for one in ("offline", "online") if final.has(f"{one}_access")), "none")
    held = {
        "id": secrets.token_urlsafe(16),
        "client_id": request.client.id,
        "user_id": session.user.id,
        # What is for offline use outlives the session.
        "session_id": None if lasting == "offline" else session.id_hash,
        "scope": str(final),
        "context": json.dumps(_context(session, launch)),
        "lasting": lasting,
        "created": now,
        "used": now,
        "expires": now + CODE_LIFE,  # with the code; tokens make it last
    }
    about = {"nonce": request.nonce, "dpop_jkt": request.dpop_jkt, **_sign_in(session)}
    issued = {
        "code_hash": hash_of(code),
        "grant_id": held["id"],
        "client_id": request.client.id,
        "redirect_uri": request.redirect_uri,
        "challenge": request.challenge,
        "request": json.dumps(about),
        "expires": now + CODE_LIFE,
    }
    return [(access_grant, held), (authorization_code, issued)]


def _context(session: "Session", launch: Mapping[str, Any]) -> dict[str, Any]:
    user, role = session.user, session.role
    context: dict[str, Any] = {
        "launch": dict(launch),
        "author": user.fhir_user,
        "person": user.fhir_user,
        "patients": list(user.patients),
        "purpose": OF_KIND[user.kind],
        "sign_in": _sign_in(session),
    }
    if role is not None:
        context |= {"role": role.role, "title": role.title, "organisation": role.organisation}
    return context


def _sign_in(session: "Session") -> dict[str, Any]:
    """Return what id_tokens tell of how the user signed in, the first one and each after it."""
    return {"auth_time": session.authenticated, "amr": list(session.amr), "acr": session.acr}
