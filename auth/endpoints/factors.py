"""Second factors of one's own account: an authenticator app, passkeys, recovery codes.

Also reached in the middle of signing in, by who must set one up before the session is complete.
"""

import io
from functools import partial

import segno
from flask import Blueprint, Response, redirect, request
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from auth.endpoints import account, browser, sign_in
from auth.pages import Fault, link, page
from auth.sign_in import (
    authentication,
    one_time_codes,
    passkeys,
    session_times,
    sessions,
    staff_sign_in,
    users,
)
from auth.sign_in.one_time_codes import Factors
from auth.sign_in.sessions import Session
from auth.sign_in.users import User
from auth.surroundings import Happening, Surroundings

_LONGEST_NAME = 60
_NO_NAME = "Passkeys need an address with a name, over https."
_SUCH_AS = "This server is {root}. The people who run it can give it such an address."


def open_factors(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve adding and removing second factors."""

    @routes.get("/sign-in/set-up")
    def set_up() -> AnyResponse:
        session = _session(surroundings)
        return _set_up(surroundings, session) if isinstance(session, Session) else session

    @routes.route("/account/app", methods=["GET", "POST"])
    def add_app() -> AnyResponse:
        return browser.answer_form(surroundings, _session(surroundings), _offer_app, _add_app)

    @routes.route("/account/passkeys/new", methods=["GET", "POST"])
    def add_passkey() -> AnyResponse:
        session = _session(surroundings)
        if isinstance(session, Session) and not passkeys.are_possible(surroundings):
            browser.refuse(_NO_NAME, _SUCH_AS.format(root=surroundings.root), 404)
        return browser.answer_form(surroundings, session, _offer_passkey, _add_passkey)

    @routes.post("/account/<any(app, passkeys):what>/remove")
    def remove(what: str) -> AnyResponse:
        session = account.recent(surroundings)
        return browser.answer_sent(surroundings, session, partial(_remove, what=what))

    @routes.post("/account/recovery")
    def new_codes() -> AnyResponse:
        session = account.recent(surroundings)
        return browser.answer_sent(surroundings, session, partial(_codes, onto=account.ACCOUNT))


def _session(surroundings: Surroundings) -> Session | AnyResponse:
    """Return the session of who may add a factor: signed in just now, or in need of one."""
    session = browser.session_here(surroundings)
    lacks = None if session is None else authentication.next_step(surroundings, session)
    if session is not None and lacks == authentication.SET_UP:
        # A session may lack one hours later, when the operator demands more than before.
        began = surroundings.clock() - session_times.UNFINISHED
        if session.authenticated > began:
            return session
        return redirect(link(sign_in.again(browser.here())), 303)
    return account.recent(surroundings)


def _set_up(surroundings: Surroundings, session: Session) -> Response:
    return page(
        "set_up.html",
        csrf=session.csrf,
        session=session,
        passkeys_work=passkeys.are_possible(surroundings),
        root=surroundings.root,
        only_passkey=staff_sign_in.wants_passkey(surroundings, session.user),
    )


def _offer_app(
    surroundings: Surroundings, session: Session, fault: Fault | None = None
) -> Response:
    sealed = session.state.get("totp") if fault else None
    if sealed:
        secret = surroundings.safe.unseal(bytes.fromhex(sealed)).decode()
    else:
        secret = one_time_codes.new_secret()
        hidden = surroundings.safe.seal(secret.encode()).hex()
        sessions.keep(surroundings, session, totp=hidden)
    return page(
        "app.html",
        csrf=session.csrf,
        session=session,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=_picture(one_time_codes.address_of(secret, session.user.login)),
        faults=[fault],
    )


def _picture(text: str) -> Markup:
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out,
        kind="svg",
        scale=4,
        light="white",
        border=4,  # the quiet zone that readers are promised (ISO/IEC 18004)
        xmldecl=False,
        svgns=False,
        title="Code for your app",
        nl=False,
    )
    return Markup(out.getvalue().decode())  # noqa: S704  made here, of paths alone


def _add_app(surroundings: Surroundings, session: Session) -> AnyResponse:
    sealed = session.state.get("totp")
    if not sealed:
        return _offer_app(surroundings, session)
    secret = surroundings.safe.unseal(bytes.fromhex(sealed)).decode()
    code = request.form.get("code", "")[:20]
    step = one_time_codes.matching_step(secret, code, surroundings.clock())
    if step is None:
        fault = Fault("code", "The code is wrong or too old. Enter the one that the app shows now.")
        return _offer_app(surroundings, session, fault)
    sessions.keep(surroundings, session, totp=None)
    id, now = session.user.id, surroundings.clock()

    def work(connection: Connection) -> None:
        authentication.hold(connection, session, now)
        if one_time_codes.factors_of(connection, id).totp:
            # What another device opened ends with it, as where a factor is removed.
            users.mark_changed(connection, id, now)
            sessions.end_others_of_user(connection, session, why="factor replaced", now=now)
        one_time_codes.set_totp(connection, surroundings, id, secret, step)
        told = Happening("user-changed", sessions.principal_of(session), named="factor added")
        surroundings.tell(connection, told)

    surroundings.store.write(work)
    return _added(surroundings, session, "otp")


def _offer_passkey(
    surroundings: Surroundings, session: Session, fault: Fault | None = None
) -> Response:
    begun = passkeys.begin_registration(surroundings, session.user)
    sessions.keep(surroundings, session, passkey=dict(begun.kept))
    return page(
        "passkey.html",
        csrf=session.csrf,
        session=session,
        options=begun.options,
        name=request.form.get("name", "")[:_LONGEST_NAME],
        faults=[fault],
    )


def _add_passkey(surroundings: Surroundings, session: Session) -> AnyResponse:
    kept = session.state.get("passkey")
    sessions.keep(surroundings, session, passkey=None)
    name = request.form.get("name", "").strip()[:_LONGEST_NAME] or "Passkey"
    answer = request.form.get("credential", "")
    if not kept or not passkeys.finish_registration(surroundings, session, kept, answer, name):
        fault = Fault("name", "The passkey was not added. Try again.")
        return _offer_passkey(surroundings, session, fault)
    return _added(surroundings, session, "hwk")


def _added(surroundings: Surroundings, session: Session, how: str) -> AnyResponse:
    """Go on after a factor was added: to the recovery codes where they are the first."""
    user = session.user
    with surroundings.store.read() as connection:
        is_first = one_time_codes.factors_of(connection, user.id).recovery_codes == 0
    cookie, fresh = authentication.take_step(
        surroundings,
        user,
        (*session.amr, how, staff_sign_in.MFA),
        before=session,
        role_number=session.role.number if session.role else None,
        acr=session.acr if session.complete else None,
        goes_on=True,
        passkey=None,
        totp=None,
    )
    onto = account.ACCOUNT if session.complete else sign_in.way_on(surroundings, fresh)
    if is_first:
        response: AnyResponse = _codes(surroundings, fresh, onto)
        browser.with_session(response, surroundings, cookie)
    else:
        response = browser.signed_in(surroundings, cookie, onto)
    return browser.with_device(response, surroundings, user.login) if fresh.complete else response


def _codes(surroundings: Surroundings, session: Session, onto: str) -> Response:
    codes = surroundings.store.write(
        lambda connection: one_time_codes.new_recovery_codes(
            connection, surroundings, session.user.id
        )
    )
    return page("recovery_codes.html", session=session, codes=codes, onto=onto)


def _remove(surroundings: Surroundings, session: Session, what: str) -> AnyResponse:
    user, id = session.user, request.form.get("id", "")[:2000]

    def change(connection: Connection) -> None:
        _refuse_last(surroundings, user, one_time_codes.factors_of(connection, user.id), what)
        if what == "app":
            one_time_codes.remove_totp(connection, user.id)
        else:
            passkeys.remove(connection, user.id, id)
            account.refuse_last_way(surroundings, connection, user)

    told = "app" if what == "app" else "passkey"
    return account.renewed(surroundings, session, change, why="factor removed", what=told)


def _refuse_last(surroundings: Surroundings, user: User, factors: Factors, what: str) -> None:
    """Refuse to leave staff without what the operator demands of them."""
    left = factors.passkeys - 1 if what == "passkeys" else factors.passkeys
    if staff_sign_in.wants_passkey(surroundings, user) and left < 1:
        raise account.Kept(
            "Staff sign in here with a passkey, and this is your last one.",
            "Add another one first, then remove this one.",
        )
    if user.is_professional and int(factors.totp) + factors.passkeys < 2:
        raise account.Kept(
            "Staff need a second way to show that it is them, and this is your last one.",
            "Add another one first, then remove this one.",
        )
