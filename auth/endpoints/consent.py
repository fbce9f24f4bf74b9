"""The consent page: which app, what it will see and do, for how long; allow or do not allow.

RFC 6749 §4.1.1 and §10; SMART App Launch 2.2. Whatever else a request needs first (signing in,
a patient) the browser is sent to from here, and comes back to here.
"""

from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from auth import pages
from auth.asking import choices
from auth.asking.page import asking
from auth.authorizing import authorization_steps, authorizations
from auth.authorizing.authorization_request import AuthorizationRequest
from auth.authorizing.authorization_steps import Step
from auth.endpoints import authorize
from auth.endpoints.browser import SIGN_IN, check_csrf, session_here
from auth.sign_in import sessions
from auth.sign_in.sessions import Session
from auth.surroundings import Happening, Surroundings

_CHANGED = "Another person or visit was chosen since this page was shown. Look whose record it is"
_NOTHING = "Choose what the app may see or do, or choose “Do not allow”"


def open_consent(routes: Blueprint, surroundings: Surroundings) -> None:
    """Add the page to the routes of `auth`."""

    @routes.route("/consent", methods=["GET", "POST"])
    def consent() -> AnyResponse:
        if request.method == "HEAD":  # it asks about a page, and must not answer the app
            raise MethodNotAllowed(["GET", "POST"])
        return authorize.answer_kept(surroundings, _answer)


def _answer(surroundings: Surroundings, asked: AuthorizationRequest) -> AnyResponse:
    session = session_here(surroundings)
    if request.method == "POST" and session is not None:
        check_csrf(surroundings, session)
        if request.form.get("decision") == "refuse":
            by, client = sessions.principal_of(session), asked.client.id
            told = Happening("app-approved", by, client, is_refused=True)
            surroundings.tell(None, told)
            return _denied(surroundings, asked, "access_denied", "The person did not allow it.")
    step = authorization_steps.next_step(surroundings, asked, session)
    if step.name == "deny":
        return _denied(surroundings, asked, step.error, step.text)
    if session is None or step.name == "sign-in":
        return _to_sign_in(asked, session)
    if step.name == "choose":
        return redirect(pages.link(f"/auth/patient?request={asked.handle}"), 303)
    if step.name == "visit" and step.patient is not None:
        return redirect(pages.link(f"/auth/visit?request={asked.handle}"), 303)
    if request.method == "POST" and request.form.get("decision") == "allow":
        return _allowed(surroundings, asked, session, step)
    if step.name == "approve":
        return redirect(authorization_steps.approve(surroundings, asked, session, step), 303)
    return _page(surroundings, asked, session, step)


def _allowed(
    surroundings: Surroundings, asked: AuthorizationRequest, session: Session, step: Step
) -> AnyResponse:
    if _shown(step) != (request.form.get("patient", ""), request.form.get("visit", "")):
        return _page(surroundings, asked, session, step, pages.Fault("scope", _CHANGED))
    granted = choices.granted(step.may, request.form.getlist("scope"))
    if step.may.resources and not granted.resources:
        return _page(surroundings, asked, session, step, pages.Fault("scope", _NOTHING))
    return redirect(authorization_steps.allow(surroundings, asked, session, step, granted), 303)


def _shown(step: Step) -> tuple[str, str]:
    """Return patient and visit, which the page brings back: another may be chosen meanwhile."""
    if step.patient is None:
        return "", ""
    return step.patient.id, str(step.launch.get("encounter", ""))


def _denied(
    surroundings: Surroundings, asked: AuthorizationRequest, error: str, text: str
) -> AnyResponse:
    return redirect(authorizations.deny(surroundings, asked, error, text), 303)


def _to_sign_in(asked: AuthorizationRequest, session: Session | None) -> AnyResponse:
    """Send the browser to sign in, anew where it did before, and come back to here."""
    asks = {"next": f"/auth/consent?request={asked.handle}"}
    if session is not None and session.complete:
        asks["again"] = "1"
    if asked.login_hint:
        asks["login_hint"] = asked.login_hint
    return redirect(pages.link(f"{SIGN_IN}?{urlencode(asks)}"), 303)


def _page(
    surroundings: Surroundings,
    asked: AuthorizationRequest,
    session: Session,
    step: Step,
    fault: pages.Fault | None = None,
) -> AnyResponse:
    ticked = None if request.method == "GET" else frozenset(request.form.getlist("scope"))
    maker = asked.client.organisation
    place = f"Organization/{maker}" if maker else None
    return pages.page(
        "consent.html",
        leads_to=[asked.redirect_uri],
        session=session,
        role_title=session.role.title if session.role else "",
        faults=[fault],
        handle=asked.handle,
        patient=step.patient,
        visit=_shown(step)[1],
        asking=asking(
            asked,
            step.may,
            session.user,
            patient=step.patient,
            has_visit=bool(_shown(step)[1]),
            organisation=place and surroundings.people.name(place),
            ticked=ticked,
        ),
    )
