"""The second factor at sign-in: the code of an app, a passkey, or a recovery code."""

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from auth.endpoints import browser, sign_in
from auth.pages import Fault, page
from auth.sign_in import attempts, authentication, one_time_codes, passkeys, sessions, staff_sign_in
from auth.sign_in.sessions import Session
from auth.surroundings import Surroundings

_WRONG = {
    "totp": ("code", "The code is wrong, too old, or used already. Enter the one shown now."),
    "passkey": ("passkey-form", "The passkey was not accepted. Try again, or use another way."),
    "recovery": ("recovery", "The recovery code is wrong or used already. Enter another one."),
}
_AMR = {"totp": "otp", "passkey": "hwk", "recovery": "otp"}


def open_second_factor(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve the second factor."""

    @routes.route("/sign-in/second-factor", methods=["GET", "POST"])
    def second_factor() -> AnyResponse:
        session = sign_in.session_lacking(surroundings, authentication.SECOND_FACTOR)
        return browser.answer_form(surroundings, session, _form, _shown)


def _form(surroundings: Surroundings, session: Session, fault: Fault | None = None) -> AnyResponse:
    with surroundings.store.read() as connection:
        factors = one_time_codes.factors_of(connection, session.user.id)
    works = factors.passkeys > 0 and passkeys.are_possible(surroundings)
    return page(
        "second_factor.html",
        csrf=session.csrf,
        session=session,
        factors=factors,
        only_passkey=works and staff_sign_in.wants_passkey(surroundings, session.user),
        passkeys_work=works,
        root=surroundings.root,
        passkey_options=_challenge(surroundings, session) if works else "",
        faults=[fault],
    )


def _challenge(surroundings: Surroundings, session: Session) -> str:
    begun = passkeys.begin_sign_in(surroundings, session.user.id)
    sessions.keep(surroundings, session, passkey=dict(begun.kept))
    return begun.options


def _shown(surroundings: Surroundings, session: Session) -> AnyResponse:
    way = request.form.get("way", "")
    if way not in _WRONG:
        return _form(surroundings, session, Fault("code", "Choose how to show that it is you."))
    field, wrong = _WRONG[way]
    # A passkey can't be guessed, so nobody's wrong codes close it.
    guessed = way != "passkey"
    subjects = sign_in.subjects_of(surroundings, session.user.login, "second factor")
    wait = attempts.take(surroundings, subjects) if guessed else 0
    if wait:
        return _form(surroundings, session, Fault(field, attempts.waiting_text(wait), 429))
    if not _is_right(surroundings, session, way):
        sign_in.tell_failed(surroundings, session.user.login, way)
        return _form(surroundings, session, Fault(field, wrong))
    if guessed:
        attempts.succeeded(surroundings, subjects)
    amr = (*session.amr, _AMR[way], staff_sign_in.MFA)
    cookie, fresh = authentication.take_step(
        surroundings, session.user, amr, before=session, goes_on=True, passkey=None
    )
    return sign_in.entered(surroundings, cookie, fresh)


def _is_right(surroundings: Surroundings, session: Session, way: str) -> bool:
    id = session.user.id
    if way == "totp":
        return one_time_codes.use_totp(surroundings, id, request.form.get("code", "")[:100])
    if way == "recovery":
        code = request.form.get("recovery", "")[:100]
        return one_time_codes.use_recovery_code(surroundings, id, code)
    kept = session.state.get("passkey")
    # A challenge counts once, whatever comes of it.
    sessions.keep(surroundings, session, passkey=None)
    answer = request.form.get("credential", "")
    return bool(kept) and passkeys.finish_sign_in(surroundings, id, kept or {}, answer)
