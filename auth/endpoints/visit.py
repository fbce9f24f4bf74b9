"""The picker of a visit in a standalone launch (SMART App Launch 2.2, scope `launch/encounter`).

As the patient, it is kept with the request for this session, and judged here and on the consent
page.
"""

from dataclasses import replace

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth import pages
from auth.authorizing import authorization_steps, kept_requests
from auth.authorizing.authorization_request import AuthorizationRequest, Chosen
from auth.authorizing.authorization_steps import NO_VISIT
from auth.endpoints import authorize
from auth.endpoints.browser import check_csrf, session_here
from auth.sign_in.sessions import Session
from auth.surroundings import Patient, Surroundings

_CHOOSE = "Choose a visit, or “None of these”"


def open_visit(routes: Blueprint, surroundings: Surroundings) -> None:
    """Add the page to the routes of `auth`."""

    @routes.route("/visit", methods=["GET", "POST"])
    def visit() -> AnyResponse:
        return authorize.answer_kept(surroundings, _answer)


def _answer(surroundings: Surroundings, asked: AuthorizationRequest) -> AnyResponse:
    session = session_here(surroundings)
    step = authorization_steps.next_step(surroundings, _without_visit(asked), session)
    consent = redirect(pages.link(f"/auth/consent?request={asked.handle}"), 303)
    if session is None or step.patient is None or step.name != "visit":
        return consent
    if request.method == "POST":
        check_csrf(surroundings, session)
        visit = request.form.get("visit", "")
        if authorization_steps.may_choose(surroundings, session, step.patient, visit):
            chosen = Chosen(session.id_hash, step.patient.id, visit)
            kept_requests.choose(surroundings, asked.handle, chosen)
            return consent
    return _page(surroundings, asked, session, step.patient)


def _without_visit(asked: AuthorizationRequest) -> AuthorizationRequest:
    """Return the request as it was before a visit was chosen: who goes back chooses again."""
    chosen = asked.chosen
    return asked if chosen is None else replace(asked, chosen=replace(chosen, visit=None))


def _page(
    surroundings: Surroundings, asked: AuthorizationRequest, session: Session, patient: Patient
) -> AnyResponse:
    fault = pages.Fault("visit", _CHOOSE) if request.method == "POST" else None
    return pages.page(
        "visit.html",
        leads_to=[asked.redirect_uri],
        session=session,
        role_title=session.role.title if session.role else "",
        faults=[fault],
        error=fault.text if fault else "",
        app=asked.client.name,
        handle=asked.handle,
        patient=patient,
        visits=authorization_steps.visits_of(surroundings, session, patient.id),
        none=NO_VISIT,
    )
