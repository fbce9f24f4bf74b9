"""Starting an app from the workspace (SMART App Launch 2.2, EHR launch).

The page names a patient, a visit and the apps that can be started with them. What is in context is
kept here, for this user, session and app, once and for five minutes; the browser carries a random
name of it (T10).

    GET  /auth/launch?patient=…&encounter=…&intent=…&context=Type/id
    POST /auth/launch    client, and the same
"""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth import pages
from auth.asking.apps import startable
from auth.authorizing import launches
from auth.authorizing.authorization_request import with_parameters
from auth.authorizing.authorization_steps import patient_of
from auth.authorizing.own_reading import principal_of
from auth.endpoints import choosing
from auth.endpoints.browser import check_csrf, session_or_redirect
from auth.sign_in.sessions import Session
from auth.surroundings import Patient, Surroundings

_INTENT = re.compile(r"[A-Za-z0-9._:/-]{1,100}")
_MOST = 20  # further resources in context
_GONE = "Go back to where you came from, and start the app from there again."


class _Refused(Exception):
    """What can't be launched, in words for the person."""


def open_launch(routes: Blueprint, surroundings: Surroundings) -> None:
    """Add the page to the routes of `auth`."""

    @routes.route("/launch", methods=["GET", "POST"])
    def launch() -> AnyResponse:
        session = session_or_redirect(surroundings)
        if not isinstance(session, Session):
            return session
        if request.method == "POST":
            check_csrf(surroundings, session)
        try:
            return _answer(surroundings, session)
        except _Refused as refusal:
            return pages.refused("This app cannot be started", str(refusal), _GONE)


def _answer(surroundings: Surroundings, session: Session) -> AnyResponse:
    patient = _patient(surroundings, session)
    if patient is None:
        return choosing.ask(surroundings, session, _chooser())
    context = _context(surroundings, session, patient)
    if "client" in request.form:
        return _start(surroundings, session, context)
    with surroundings.store.read() as connection:
        apps = startable(connection)
    return pages.page(
        "launch.html",
        leads_to=[app.launch_uri for app in apps],
        session=session,
        role_title=session.role.title if session.role else "",
        patient=patient,
        apps=apps,
        kept=_kept(patient),
    )


def _start(surroundings: Surroundings, session: Session, context: Mapping[str, Any]) -> AnyResponse:
    with surroundings.store.read() as connection:
        apps = {app.id: app for app in startable(connection)}
    app = apps.get(request.form["client"])
    if app is None:
        raise _Refused("The app is not one that can be started from here.")
    launch = surroundings.store.write(
        lambda connection: launches.begin(
            connection,
            client_id=app.id,
            user_id=session.user.id,
            session_id=session.id_hash,
            context=context,
            now=surroundings.clock(),
        )
    )
    told = {"iss": surroundings.base, "launch": launch}
    return redirect(with_parameters(app.launch_uri, told), 303)


def _patient(surroundings: Surroundings, session: Session) -> Patient | None:
    id = request.values.get("patient", "")
    if not id:
        return None
    patient = patient_of(surroundings, session, id)
    if patient is None and "choose" not in request.form:
        raise _Refused("There is no such patient, or none whose record you can open.")
    return patient


def _context(surroundings: Surroundings, session: Session, patient: Patient) -> dict[str, Any]:
    """Return what the app is told, each part of it checked against what this user may see."""
    context: dict[str, Any] = {"patient": patient.id, "need_patient_banner": True}
    caller = principal_of(session.acting_for(patient.id))
    encounter = request.values.get("encounter", "")
    if encounter:
        if surroundings.people.encounter_patient(caller, encounter) != patient.id:
            raise _Refused("The visit is not one of this patient that you can open.")
        context["encounter"] = encounter
    intent = request.values.get("intent", "")
    if intent:
        if not _INTENT.fullmatch(intent):
            raise _Refused("What the app should do (intent) is written in letters and digits.")
        context["intent"] = intent
    further = request.values.getlist("context")
    if len(further) > _MOST:
        raise _Refused(f"An app is started with no more than {_MOST} entries of the record.")
    for reference in further:
        if reference.startswith(("Patient/", "Encounter/")) or (
            surroundings.people.resource(caller, reference) is None
        ):
            raise _Refused("An entry that the app should open is not there for you.")
    if further:
        context["fhirContext"] = [{"reference": reference} for reference in further]
    return context


def _kept(patient: Patient) -> list[tuple[str, str]]:
    values = request.values
    single = [(name, values[name]) for name in ("encounter", "intent") if values.get(name)]
    further = [("context", reference) for reference in values.getlist("context")]
    return [("patient", patient.id), *single, *further]


def _chooser() -> choosing.Chooser:
    return choosing.Chooser(
        heading="For whom do you want to start an app?",
        legend="Whose record should be open?",
        action="/auth/launch",
        kept=(),
    )
