"""Which apps have access, and the way to cut them off (SMART *management endpoint*; RFC 7009).

A person sees what they allowed and ends each, or all: with the next request, on every worker, the
app's tokens are worth nothing, and it is asked for anew before it gets others.
"""

from collections.abc import Sequence

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from auth import ending, pages
from auth.asking.apps import with_access
from auth.asking.people import day_of
from auth.authorizing import approvals, granted
from auth.authorizing.granted import Grant
from auth.authorizing.own_reading import principal_of
from auth.endpoints.browser import answer_sent, session_or_redirect
from auth.sign_in import sessions
from auth.sign_in.sessions import Session
from auth.surroundings import Happening, Surroundings

_WHY = "cut off by the user"


def open_apps(routes: Blueprint, surroundings: Surroundings) -> None:
    """Add the page to the routes of `auth`."""

    @routes.get("/apps")
    def apps() -> AnyResponse:
        session = session_or_redirect(surroundings)
        return _page(surroundings, session) if isinstance(session, Session) else session

    @routes.post("/apps")
    def cut_off() -> AnyResponse:
        return answer_sent(surroundings, session_or_redirect(surroundings), _cut_off)


def _cut_off(surroundings: Surroundings, session: Session) -> AnyResponse:
    chosen, forgotten = request.form.get("grant", ""), request.form.get("forget", "")

    def work(connection: Connection) -> None:
        if forgotten:
            approvals.forget(connection, session.user.id, forgotten)
        else:
            _end(connection, session.user.id, chosen, surroundings.clock())
        named = "all" if chosen == "all" else None
        by = sessions.principal_of(session)
        told = Happening("token-revoked", by, client=forgotten or None, named=named)
        surroundings.tell(connection, told)

    surroundings.store.write(work)
    ended = "asks" if forgotten else "all" if chosen == "all" else "one"
    return redirect(pages.link(f"/auth/apps?ended={ended}"), 303)


def _end(connection: Connection, user_id: str, chosen: str, now: int) -> None:
    """End one grant of this user, or every one; those of others are not theirs to end."""
    if chosen == "all":
        ending.end_all(connection, user_id=user_id, why=_WHY, now=now)
        approvals.forget(connection, user_id)
        return
    for grant in granted.of_user(connection, user_id, now=now):
        if grant.id == chosen:
            ending.end(connection, grant.id, why=_WHY, now=now)
            approvals.forget(connection, user_id, grant.client_id)


def _page(surroundings: Surroundings, session: Session) -> AnyResponse:
    now = surroundings.clock()
    with surroundings.store.read() as connection:
        grants = granted.of_user(connection, session.user.id, now=now)
        allowed = approvals.of_user(connection, session.user.id, now=now)
    have_access = {grant.client_id for grant in grants}
    return pages.page(
        "apps.html",
        session=session,
        role_title=session.role.title if session.role else "",
        apps=with_access(grants, _names(surroundings, session, grants)),
        allowed=[
            (client_id, name, day_of(given))
            for client_id, name, given in allowed
            if client_id not in have_access
        ],
        ended=request.args.get("ended", ""),
    )


def _names(surroundings: Surroundings, session: Session, grants: Sequence[Grant]) -> dict[str, str]:
    found = {}
    for id in {grant.patient for grant in grants if grant.patient}:
        patient = surroundings.people.patient(principal_of(session.acting_for(id)), id)
        found[id] = patient.name if patient else "Somebody whose record you can no longer open"
    return found
