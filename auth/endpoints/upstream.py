"""Signing in with an account at another provider: going there, and coming back."""

from flask import Blueprint, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from auth.endpoints import account, browser, join, sign_in
from auth.joining import identities, upstream, upstream_roles
from auth.joining.provider_calls import SignInFailed
from auth.joining.upstream_providers import Provider
from auth.pages import onward
from auth.sign_in import authentication, staff_sign_in
from auth.sign_in.sessions import Session
from auth.surroundings import Surroundings

_ADVICE = "Go back and sign in another way, or try again."


def open_upstream(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve going to other providers and coming back."""

    @routes.post("/sign-in/with/<id>")
    def leave(id: str) -> AnyResponse:
        provider = _named(surroundings, id)
        if request.form.get("links"):
            session = account.recent(surroundings)
            if not isinstance(session, Session):
                return session
            browser.check_csrf(surroundings, session)
            return _leave(surroundings, provider, links=session.user.id)
        browser.check_csrf(surroundings, None)
        if request.form.get("ticket"):
            code_hash = join.invited_here(surroundings).code_hash
            return _leave(surroundings, provider, invitation=code_hash)
        return _leave(surroundings, provider)

    @routes.get("/sign-in/from/<id>")
    def come_back(id: str) -> AnyResponse:
        return _back(surroundings, _named(surroundings, id))

    @routes.post("/account/identities/remove")
    def unlink() -> AnyResponse:
        return browser.answer_sent(surroundings, account.recent(surroundings), _unlink)


def _named(surroundings: Surroundings, id: str) -> Provider:
    found = [one for one in upstream.providers(surroundings) if one.id == id]
    if not found:
        browser.refuse("There is no such way to sign in here.", _ADVICE, 404)
    return found[0]


def _leave(
    surroundings: Surroundings,
    provider: Provider,
    *,
    links: str | None = None,
    invitation: str | None = None,
) -> AnyResponse:
    visit = browser.visit_of(surroundings)
    return_to = browser.own_path(request.form.get("next"))
    try:
        url = upstream.begin(
            surroundings,
            provider,
            visit,
            return_to=return_to,
            links=links,
            invitation=invitation,
        )
    except SignInFailed as fault:
        browser.refuse(str(fault), _ADVICE, 502)
    return browser.with_visit(onward(url), surroundings, visit)


def _back(surroundings: Surroundings, provider: Provider) -> AnyResponse:
    answer = request.args.to_dict()
    if any(len(request.args.getlist(name)) > 1 for name in answer):
        browser.refuse("This address says the same thing twice.", _ADVICE)
    try:
        verified = upstream.finish(surroundings, provider, browser.visit_of(surroundings), answer)
        session = browser.session_here(surroundings)
        if verified.links is not None and (session is None or session.user.id != verified.links):
            raise SignInFailed("You signed out meanwhile, so nothing was linked.")
        user = identities.user_of(surroundings, verified)
        role = None if verified.links else upstream_roles.chosen(surroundings, verified, user)
    except SignInFailed as fault:
        browser.refuse(str(fault), _ADVICE, 403)
    if verified.links is not None:
        return onward(account.link_of("linked"))
    amr = ["fed"]
    if verified.level in provider.passkey:
        amr.append(staff_sign_in.HARDWARE_KEY)
    if verified.level in (*provider.second_factor, *provider.passkey):
        amr.append(staff_sign_in.MFA)
    cookie, fresh = authentication.take_step(
        surroundings,
        user,
        amr,
        before=session,
        role_number=role,
        acr=verified.level or None,
        next=verified.return_to,
    )
    return sign_in.entered(surroundings, cookie, fresh)


def _unlink(surroundings: Surroundings, session: Session) -> AnyResponse:
    issuer, subject = request.form.get("issuer", ""), request.form.get("subject", "")

    def change(connection: Connection) -> None:
        identities.unlink(connection, session.user.id, issuer, subject, now=surroundings.clock())
        account.refuse_last_way(surroundings, connection, session.user)

    return account.renewed(
        surroundings, session, change, why="account elsewhere removed", what="identity"
    )
