"""Signing in with a passkey alone: no name is typed, so none can be guessed (T24)."""

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from auth.endpoints import browser, sign_in
from auth.pages import Fault
from auth.sign_in import authentication, passkey_sign_in, staff_sign_in, users
from auth.surroundings import Surroundings

_WRONG = "The passkey was not accepted. Try again, or use your sign-in name and password."


def open_passkey_sign_in(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve what the button of the sign-in page sends."""

    @routes.post("/sign-in/passkey")
    def with_passkey() -> AnyResponse:
        browser.check_csrf(surroundings, None)
        return _with_passkey(surroundings)


def _with_passkey(surroundings: Surroundings) -> AnyResponse:
    id = passkey_sign_in.finish(
        surroundings,
        browser.visit_of(surroundings),
        request.form.get("ticket", ""),
        request.form.get("credential", ""),
    )
    with surroundings.store.read() as connection:
        user = users.find(connection, id, surroundings.clock()) if id else None
    if user is None or user.disabled:
        sign_in.tell_failed(surroundings, user.login if user else "", "passkey")
        return sign_in.form(surroundings, Fault("passkey-form", _WRONG))
    sign_in.check_standing(surroundings, user.persons, user.roles)
    cookie, session = authentication.take_step(
        surroundings,
        user,
        (staff_sign_in.HARDWARE_KEY, staff_sign_in.MFA),
        before=browser.session_here(surroundings),
        next=browser.own_path(request.form.get("next")),
    )
    return sign_in.entered(surroundings, cookie, session)
