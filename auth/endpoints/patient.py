"""The patient picker of a standalone launch (SMART App Launch 2.2, scopes `launch/patient`).

What is chosen is kept with the request for this session, and judged here, on the consent page and
once more when the code is made: an id that somebody wrote by hand opens nothing (T11).
"""

from dataclasses import replace

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth import pages
from auth.authorizing import authorization_steps, kept_requests
from auth.authorizing.authorization_request import AuthorizationRequest, Chosen
from auth.endpoints import authorize, choosing
from auth.endpoints.browser import check_csrf, session_here
from auth.endpoints.choosing import Chooser
from auth.surroundings import Surroundings


def open_patient(routes: Blueprint, surroundings: Surroundings) -> None:
    """Add the page to the routes of `auth`."""

    @routes.route("/patient", methods=["GET", "POST"])
    def patient() -> AnyResponse:
        return authorize.answer_kept(surroundings, _answer)


def _answer(surroundings: Surroundings, asked: AuthorizationRequest) -> AnyResponse:
    session = session_here(surroundings)
    # Who goes back to this page chooses again.
    step = authorization_steps.next_step(surroundings, replace(asked, chosen=None), session)
    consent = pages.link(f"/auth/consent?request={asked.handle}")
    if session is None or step.name != "choose":
        return redirect(consent, 303)
    if request.method == "POST":
        check_csrf(surroundings, session)
        chosen = choosing.chosen(surroundings, session)
        if chosen is not None:
            kept_requests.choose(surroundings, asked.handle, Chosen(session.id_hash, chosen.id))
            return redirect(consent, 303)
    return choosing.ask(surroundings, session, _chooser(asked, session.user.kind))


def _chooser(asked: AuthorizationRequest, kind: str) -> Chooser:
    return Chooser(
        heading=f"Whose record should {asked.client.name} open?",
        legend="People found" if kind == "professional" else "People whose record you can open",
        action="/auth/patient",
        kept=[("request", asked.handle)],
        leave="/auth/consent",
        leads_to=[asked.redirect_uri],
    )
