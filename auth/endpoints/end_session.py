"""Signing out at the wish of an app (OpenID Connect RP-Initiated Logout 1.0).

An app that shows an id_token of the person at this browser may sign them out; anybody else only
sends a page that asks. The browser goes back to an address that is registered for that, exactly as
it is registered, and nowhere else (T1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth.apps import clients
from auth.authorizing.authorization_request import with_parameters
from auth.endpoints import browser
from auth.jose import id_token
from auth.pages import link, page
from auth.sign_in import sessions
from auth.sign_in.sessions import Session
from auth.surroundings import Surroundings

_PATH = "/auth/logout"
_ASKED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
_LONGEST = 9000


@dataclass(frozen=True, slots=True)
class _Wish:
    """What an app asks for, checked. `subject` is whom it says the browser belongs to."""

    subject: str | None
    back: str | None
    parameters: Mapping[str, str]


def open_end_session(routes: Blueprint, surroundings: Surroundings) -> None:
    """Answer at `/logout`."""

    @routes.route("/logout", methods=["GET", "POST"])
    def logout() -> AnyResponse:
        wish = _wish(surroundings)
        session = browser.session_here(surroundings)
        if session is None:
            return _done(wish)
        if request.method == "POST" and browser.CSRF in request.form:
            browser.check_csrf(surroundings, session)
        elif wish.subject != id_token.subject(surroundings, session.user.id):
            return _ask(session, wish)
        sessions.end(surroundings, session)
        return browser.signed_out(_done(wish), surroundings)


def _wish(surroundings: Surroundings) -> _Wish:
    values = request.form if request.method == "POST" else request.args
    if any(
        len(values.getlist(name)) > 1 or len(values.get(name, "")) > _LONGEST for name in _ASKED
    ):
        browser.refuse("The app asked in a way that is not understood.")
    asked = {name: values[name] for name in _ASKED if values.get(name)}
    hint = _hint(surroundings, asked)
    return _Wish(hint.get("sub"), _back(surroundings, hint.get("aud"), asked), asked)


def _hint(surroundings: Surroundings, asked: Mapping[str, str]) -> Mapping[str, str]:
    """Return whose sign-in an app shows (`sub`), if it shows one, and which app it is (`aud`)."""
    if "id_token_hint" not in asked:
        return {"aud": asked["client_id"]} if "client_id" in asked else {}
    hint = id_token.of_ours(surroundings, asked["id_token_hint"])
    if hint is None:
        browser.refuse("The app showed a sign-in that this server does not know.")
    if asked.get("client_id", hint["aud"]) != hint["aud"]:
        browser.refuse("The app showed the sign-in of another app.")
    return hint


def _back(
    surroundings: Surroundings, client_id: str | None, asked: Mapping[str, str]
) -> str | None:
    """Return where to go afterwards, if that is registered."""
    uri = asked.get("post_logout_redirect_uri")
    if uri is None:
        return None
    with surroundings.store.read() as connection:
        client = clients.find_active(connection, client_id) if client_id else None
    if client is None or uri not in client.logout_uris:
        browser.refuse(
            "The app wants to send you to an address that is not registered for it.",
            "You are still signed in. Close the page, or sign out from any page of the record.",
        )
    return with_parameters(uri, {"state": asked["state"]}) if "state" in asked else uri


def _ask(session: Session, wish: _Wish) -> AnyResponse:
    return page(
        "sign_out.html",
        csrf=session.csrf,
        action=link(_PATH),
        parameters=wish.parameters,
        name=session.user.name,
        leads_to=[wish.back] if wish.back else [],
    )


def _done(wish: _Wish) -> AnyResponse:
    if wish.back is not None:
        return redirect(wish.back, 303)
    return page("signed_out.html", sign_in=link(browser.SIGN_IN))
