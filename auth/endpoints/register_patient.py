"""Registering a patient: a page for who manages an organisation, which leads on to inviting."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth.authorizing.own_reading import principal_of
from auth.endpoints import browser, invite
from auth.joining import registering
from auth.joining.registering import CannotRegister
from auth.pages import Fault, link, page
from auth.sign_in.sessions import Session
from auth.surroundings import Surroundings

_FIELDS = ("given", "family", "day", "month", "year", "kind", "number")


def open_register_patient(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve registering a patient."""

    @routes.route("/patients/new", methods=["GET", "POST"])
    def register_patient() -> AnyResponse:
        session = invite.manager(surroundings)
        if isinstance(session, Session) and not (session.role and session.role.registers):
            browser.refuse(
                "Only the front desk of an organisation registers patients.",
                "Sign in as its receptionist, or ask a colleague who is.",
                403,
            )
        return browser.answer_form(surroundings, session, _form, _registered)


def _form(_: Surroundings, session: Session, *faults: Fault) -> AnyResponse:
    typed: dict[str, Any] = {name: request.form.get(name, "")[:200] for name in _FIELDS}
    return page("register_patient.html", csrf=session.csrf, session=session, faults=faults, **typed)


def _registered(surroundings: Surroundings, session: Session) -> AnyResponse:
    typed = {name: request.form.get(name, "")[:200] for name in _FIELDS}
    try:
        done = registering.register(
            surroundings,
            principal_of(session),
            given=typed["given"],
            family=typed["family"],
            born=(typed["day"], typed["month"], typed["year"]),
            kind=typed["kind"],
            number=typed["number"],
        )
    except CannotRegister as refusal:
        return _form(surroundings, session, *(Fault(*each) for each in refusal.faults))
    told = "known" if done.was_known else "registered"
    asked = {"kind": "patient", "person": f"Patient/{done.patient.id}", "told": told}
    return redirect(link(f"/auth/invite?{urlencode(asked)}"), 303)
