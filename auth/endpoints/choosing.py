"""The form on which somebody chooses a patient, for the pages that need one.

Patients and carers choose among those whose records they may open; professionals search. Searches
are sent by POST: a CHI number tells a birth date and has no place in an address.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, request

from auth import pages
from auth.authorizing import authorization_steps
from auth.authorizing.own_reading import principal_of
from auth.sign_in.sessions import Session
from auth.surroundings import Patient, Surroundings

_CHOOSE = "Choose a person"
_WRITE = "Write a number, or a name and a birth date"


@dataclass(frozen=True, slots=True)
class Chooser:
    """One page that asks for a patient.

    `kept` goes along with each form; `leave` is where the way out leads.
    """

    heading: str
    legend: str
    action: str
    kept: Sequence[tuple[str, str]]
    leave: str = ""
    leads_to: Sequence[str] = ()


def chosen(surroundings: Surroundings, session: Session) -> Patient | None:
    """Return the patient that the form names, if this user may open their record."""
    id = request.form.get("patient", "")
    return authorization_steps.patient_of(surroundings, session, id) if id else None


def ask(surroundings: Surroundings, session: Session, chooser: Chooser) -> Response:
    """Return the page, with what was found where something was searched for."""
    is_search = session.user.kind == "professional"
    text = request.form.get("search")
    if is_search:
        caller = principal_of(session)
        patients = list(surroundings.people.find_patients(caller, text)) if text else []
    else:
        patients = authorization_steps.patients_of(surroundings, session)
    search_error = _WRITE if text is not None and not text.strip() else ""
    choice_error = _CHOOSE if "choose" in request.form and patients else ""
    return _page(session, chooser, is_search, patients, search_error, choice_error)


def _page(
    session: Session,
    chooser: Chooser,
    is_search: bool,
    patients: Sequence[Patient],
    search_error: str,
    choice_error: str,
) -> Response:
    faults = [("search", search_error), ("patient", choice_error)]
    return pages.page(
        "patient.html",
        leads_to=chooser.leads_to,
        session=session,
        role_title=session.role.title if session.role else "",
        faults=[pages.Fault(field, text) for field, text in faults if text],
        heading=chooser.heading,
        legend=chooser.legend,
        action=pages.link(chooser.action),
        kept=chooser.kept,
        leave=chooser.leave,
        is_search=is_search,
        is_searched=bool(request.form.get("search", "").strip()),
        search=request.form.get("search", ""),
        patients=patients,
        search_error=search_error,
        choice_error=choice_error,
    )
