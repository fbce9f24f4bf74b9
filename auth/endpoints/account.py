"""How one signs in: the overview of one's account, and the password."""

from collections.abc import Callable

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from auth.endpoints import browser, sign_in
from auth.joining import identities, upstream, ways_in
from auth.joining.identities import Identity
from auth.pages import Fault, link, page
from auth.sign_in import (
    attempts,
    authentication,
    credentials,
    one_time_codes,
    passkeys,
    sessions,
    users,
)
from auth.sign_in.sessions import Session
from auth.sign_in.users import User
from auth.surroundings import Happening, Surroundings

ACCOUNT = "/auth/account"
RECENT = 10 * 60_000  # what a changed account asks for: who leaves a browser open loses little
_TOLD = {
    "password": "Your password is changed. You are signed out everywhere else.",
    "app": "The authenticator app is removed.",
    "passkey": "The passkey is removed.",
    "added": "The passkey is added.",
    "identity": "You no longer sign in with that account.",
    "linked": "You can now sign in with that account as well.",
}


class Kept(Exception):
    """Why something can't be removed, and what to do."""


def open_account(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve the overview and the change of a password."""

    @routes.get("/account")
    def account() -> AnyResponse:
        session = browser.session_or_redirect(surroundings)
        return _overview(surroundings, session) if isinstance(session, Session) else session

    @routes.route("/account/password", methods=["GET", "POST"])
    def change_password() -> AnyResponse:
        return browser.answer_form(surroundings, recent(surroundings), _form, _changed)


def recent(surroundings: Surroundings) -> Session | AnyResponse:
    """Return the session of somebody who signed in just now, else the way to do that."""
    session = browser.session_or_redirect(surroundings)
    if isinstance(session, Session) and session.authenticated < surroundings.clock() - RECENT:
        return redirect(link(sign_in.again(browser.here())), 303)
    return session


def link_of(told: str) -> str:
    """Return the address of the overview, where it says what was done."""
    return link(f"{ACCOUNT}?told={told}")


def renewed(
    surroundings: Surroundings,
    session: Session,
    change: Callable[[Connection], None],
    *,
    why: str,
    what: str,
) -> AnyResponse:
    """Change an account; end all that was open before but this session, which gets a new id.

    Of two changes at once the second one sees what the first one left, and that it is over. The
    change may raise Kept; it knows nothing of the request, for it may run in another thread.
    """
    now = surroundings.clock()

    def work(connection: Connection) -> None:
        authentication.hold(connection, session, now)
        change(connection)
        users.mark_changed(connection, session.user.id, now)
        sessions.end_others_of_user(connection, session, why=why, now=now)
        told = Happening("user-changed", sessions.principal_of(session), named=why)
        surroundings.tell(connection, told)

    try:
        surroundings.store.write(work)
    except Kept as fault:
        text, advice = fault.args
        browser.refuse(text, advice, 403)
    cookie, fresh = authentication.take_step(
        surroundings,
        session.user,
        session.amr,
        before=session,
        role_number=session.role.number if session.role else None,
        acr=session.acr,
        goes_on=True,
        next=f"{ACCOUNT}?told={what}",
    )
    return sign_in.entered(surroundings, cookie, fresh)


def refuse_last_way(surroundings: Surroundings, connection: Connection, user: User) -> None:
    """Refuse a change, while it is made, after which nobody could sign in as this user."""
    if not ways_in.is_one_left(surroundings, connection, user):
        raise Kept("This is your only way to sign in.", "Set a password first, then remove this.")


def _overview(surroundings: Surroundings, session: Session) -> AnyResponse:
    user = session.user
    with surroundings.store.read() as connection:
        factors = one_time_codes.factors_of(connection, user.id)
        keys = passkeys.of_user(connection, user.id)
        kept = credentials.stored(connection, user.id)
        linked = identities.of_user(connection, user.id)
    return page(
        "account.html",
        csrf=session.csrf,
        session=session,
        told=_TOLD.get(request.args.get("told", ""), ""),
        factors=factors,
        passkeys=keys,
        passkeys_work=passkeys.are_possible(surroundings),
        root=surroundings.root,
        has_password=kept is not None,
        identities=[_shown(surroundings, each) for each in linked],
        providers=upstream.providers(surroundings),
        may_invite=session.role is not None and session.role.manages,
    )


def _shown(surroundings: Surroundings, linked: Identity) -> dict[str, str]:
    names = {one.issuer: one.name for one in upstream.providers(surroundings)}
    name = names.get(linked.issuer, linked.issuer)
    return {"name": name, "issuer": linked.issuer, "subject": linked.subject}


def _form(surroundings: Surroundings, session: Session, fault: Fault | None = None) -> AnyResponse:
    with surroundings.store.read() as connection:
        kept = credentials.stored(connection, session.user.id)
    return page(
        "password.html",
        csrf=session.csrf,
        session=session,
        has_password=kept is not None,
        faults=[fault],
    )


def _changed(surroundings: Surroundings, session: Session) -> AnyResponse:
    user = session.user
    with surroundings.store.read() as connection:
        kept = credentials.stored(connection, user.id)
    subjects = sign_in.subjects_of(surroundings, user.login)
    typed = request.form.get("password", "")
    if kept is not None and not typed:
        return _form(surroundings, session, Fault("password", "Enter your password."))
    wait = attempts.take(surroundings, subjects)
    if wait:
        return _form(surroundings, session, Fault("new", attempts.waiting_text(wait), 429))
    if kept is not None and not sign_in.is_right(surroundings, kept, typed, subjects):
        wrong = Fault("password", "This is not the password you have.")
        return _form(surroundings, session, wrong)
    attempts.succeeded(surroundings, subjects)
    new = request.form.get("new", "")
    fault = credentials.fault(new, login=user.login, name=user.name)
    if fault is not None:
        return _form(surroundings, session, Fault("new", fault))
    made, now = credentials.hash_of(new), surroundings.clock()
    return renewed(
        surroundings,
        session,
        lambda connection: credentials.set_hash(connection, user.id, made, now),
        why="password changed",
        what="password",
    )
