"""Inviting: a page for who manages an organisation; what it makes is printed or sent."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from auth.authorizing.own_reading import principal_of
from auth.endpoints import account, browser
from auth.joining import inviting, sending
from auth.joining.invitations import LIFE
from auth.joining.inviting import Invited
from auth.pages import Fault, page
from auth.sign_in.sessions import Session
from auth.sign_in.users import Role
from auth.surroundings import Patient, Surroundings

_FIELDS = ("kind", "person", "role", "mail")
_TOLD = {
    "registered": "The record has a new patient. You can invite them now.",
    "known": "The record has a patient of this number already, so nothing was written. Check that "
    "it is them before you invite them.",
}


def open_invite(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve inviting."""

    @routes.route("/invite", methods=["GET", "POST"])
    def invite() -> AnyResponse:
        return browser.answer_form(surroundings, manager(surroundings), _form, _invited)


def manager(surroundings: Surroundings) -> Session | AnyResponse:
    """Return the session of who manages an organisation and signed in just now, else the way."""
    session = account.recent(surroundings)
    if isinstance(session, Session) and (session.role is None or not session.role.manages):
        browser.refuse(
            "Only people who manage an organisation can register or invite people.",
            "Ask the administrator of your organisation.",
            403,
        )
    return session


def _form(surroundings: Surroundings, session: Session, *faults: Fault) -> AnyResponse:
    typed = {name: request.values.get(name, "")[:200] for name in _FIELDS}
    told_of = request.values.get("told", "")
    told = _TOLD.get(told_of, "")
    organisation = session.role.organisation if session.role else None
    place = surroundings.people.name(f"Organization/{organisation}") if organisation else None
    shown, more = inviting.colleagues(surroundings, organisation) if organisation else ([], 0)
    return page(
        "invite.html",
        csrf=session.csrf,
        session=session,
        organisation=place or "your organisation",
        kind=typed["kind"],
        person=typed["person"],
        role=typed["role"],
        mail=typed["mail"],
        told=told,
        told_of=told_of,
        patient=_patient(surroundings, session, typed["person"]) if told else None,
        can_send=sending.is_possible(surroundings.options),
        roles=[{"value": name, "text": title} for name, title in inviting.ROLES.items()],
        colleagues=shown,
        more_colleagues=more,
        faults=faults,
    )


def _invited(surroundings: Surroundings, session: Session) -> AnyResponse:
    sent = {name: request.form.get(name, "")[:200] for name in _FIELDS}
    lacking = inviting.lacking(sent["kind"], sent["person"], sent["role"])
    if lacking:
        return _form(surroundings, session, *(Fault(each.where, str(each)) for each in lacking))
    to = sent["mail"].strip() if sending.is_possible(surroundings.options) else ""
    try:
        invited = _whom(surroundings, session, sent)
        fault_of_address = sending.fault(invited, to) if to else None
        if fault_of_address is not None:
            raise inviting.CannotInvite(fault_of_address, "mail")
        code = surroundings.store.write(
            lambda connection: inviting.invite(
                connection, surroundings, invited, invited_by=session.user.id
            )
        )
    except inviting.CannotInvite as fault:
        return _form(surroundings, session, Fault(fault.where, str(fault)))
    until = _until(surroundings)
    # What can't be sent is still on the page, to be printed.
    not_sent = sending.send(surroundings, to, code, until) if to else ""
    return page(
        "invitation.html",
        session=session,
        name=invited.name,
        code=code,
        address=f"{surroundings.root}/auth/join",
        needs_birth_date=invited.birth_date is not None,
        until=until,
        sent_to=to,
        not_sent=not_sent,
    )


def _whom(surroundings: Surroundings, session: Session, sent: Mapping[str, str]) -> Invited:
    roles: tuple[Role, ...] = ()
    if sent["kind"] == "professional":
        organisation = session.role.organisation if session.role else None
        roles = (inviting.role_there(surroundings, sent["role"], organisation),)
    return inviting.whom(surroundings, principal_of(session), sent["kind"], sent["person"], roles)


def _until(surroundings: Surroundings) -> str:
    ends = datetime.fromtimestamp((surroundings.clock() + LIFE) / 1000, UTC)
    return f"{ends.day} {ends:%B %Y}"


def _patient(surroundings: Surroundings, session: Session, person: str) -> Patient | None:
    return surroundings.people.patient(principal_of(session), person.removeprefix("Patient/"))
