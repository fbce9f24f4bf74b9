"""Joining: an invitation's code, then a sign-in name and password or an account elsewhere."""

import base64
import json
from datetime import date
from typing import Any

from flask import Blueprint, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from auth.endpoints import browser, sign_in
from auth.joining import invitations, upstream
from auth.joining.invitations import Invitation
from auth.pages import Fault, page
from auth.sign_in import attempts, authentication, credentials
from auth.sign_in.users import User
from auth.surroundings import Happening, Surroundings
from auth.tokens import hash_of

_TICKET_LIFE = 15 * 60_000
_WRONG = (
    "The code or the date of birth is wrong, or the invitation is used or too old. "
    "Check both; after five tries the code no longer works."
)
_GONE = "The invitation was used, or it took too long."
_ANEW = "Start again with its code, or ask for a new invitation."


def open_join(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve joining."""

    @routes.route("/join", methods=["GET", "POST"])
    def join() -> AnyResponse:
        if request.method == "GET":
            return _form(surroundings)
        browser.check_csrf(surroundings, None)
        return _with_code(surroundings)

    @routes.post("/join/account")
    def join_account() -> AnyResponse:
        browser.check_csrf(surroundings, None)
        return _with_account(surroundings, invited_here(surroundings))


def invited_here(surroundings: Surroundings) -> Invitation:
    """Return the invitation whose code this browser has shown just now."""
    code_hash = _opened(surroundings, request.form.get("ticket", ""))
    with surroundings.store.read() as connection:
        found = invitations.find(connection, code_hash, surroundings.clock()) if code_hash else None
    if found is None:
        browser.refuse(_GONE, _ANEW, 403)
    return found


def _form(surroundings: Surroundings, *faults: Fault) -> AnyResponse:
    visit = browser.visit_of(surroundings)
    typed: dict[str, Any] = {
        name: request.form.get(name, "")[:40] for name in ("code", "day", "month", "year")
    }
    csrf = browser.visit_csrf(surroundings, visit)
    response = page("join.html", csrf=csrf, faults=faults, **typed)
    return browser.with_visit(response, surroundings, visit)


def _with_code(surroundings: Surroundings) -> AnyResponse:
    code = request.form.get("code", "")[:100]
    birth_date = _birth_date()
    faults = [] if code.strip() else [Fault("code", "Enter the code of your invitation.")]
    if birth_date is None:
        faults.append(Fault("day", "Enter a real date, such as 15 3 1984."))
    if faults or birth_date is None:
        return _form(surroundings, *faults)
    subjects = (attempts.of_address(surroundings, browser.address(surroundings), f"join {code}"),)
    wait = attempts.take(surroundings, subjects)
    if wait:
        return _form(surroundings, Fault("code", attempts.waiting_text(wait), 429))
    invited = invitations.try_code(surroundings, code, birth_date)
    if invited is None:
        return _form(surroundings, Fault("code", _WRONG))
    attempts.succeeded(surroundings, subjects)
    sign_in.check_standing(surroundings, (invited.fhir_user,))
    return _account_form(surroundings, invited)


def _birth_date() -> str | None:
    """Return the date that was typed, empty where none was; None where there is no such day."""
    parts = [request.form.get(name, "").strip() for name in ("year", "month", "day")]
    if not any(parts):
        return ""
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        return None
    year, month, day = map(int, parts)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _account_form(surroundings: Surroundings, invited: Invitation, *faults: Fault) -> AnyResponse:
    visit = browser.visit_of(surroundings)
    return page(
        "join_account.html",
        csrf=browser.visit_csrf(surroundings, visit),
        invited=invited,
        ticket=_ticket(surroundings, invited.code_hash, visit),
        login=request.form.get("login", "")[:200],
        providers=upstream.providers(surroundings),
        faults=faults,
    )


def _with_account(surroundings: Surroundings, invited: Invitation) -> AnyResponse:
    password = request.form.get("password", "")
    login = request.form.get("login", "")[:1000]
    faults = []
    if not login.strip() and invited.user_id is None:
        faults.append(Fault("login", "Enter a sign-in name."))
    weak = credentials.fault(password, login=login, name=invited.name)
    if weak is not None:
        faults.append(Fault("password", weak))
    if faults:
        return _account_form(surroundings, invited, *faults)
    sign_in.check_standing(surroundings, (invited.fhir_user,))
    made, now = credentials.hash_of(password), surroundings.clock()

    def work(connection: Connection) -> User | None:
        user = invitations.accept(connection, invited, now=now, login=login, password_hash=made)
        if user is not None:
            told = Happening("user-changed", user.principal, named="invitation accepted")
            surroundings.tell(connection, told)
        return user

    try:
        user = surroundings.store.write(work)
    except ValueError as error:
        return _account_form(surroundings, invited, Fault("login", str(error)))
    if user is None:
        browser.refuse(_GONE, _ANEW, 403)
    cookie, session = authentication.take_step(surroundings, user, ("pwd",))
    return sign_in.entered(surroundings, cookie, session)


def _ticket(surroundings: Surroundings, code_hash: str, visit: str) -> str:
    """Return what shows that this browser told the right code; nobody else's may use it."""
    until = surroundings.clock() + _TICKET_LIFE
    said = json.dumps({"invitation": code_hash, "visit": hash_of(visit), "until": until})
    return base64.urlsafe_b64encode(surroundings.safe.seal(said.encode())).decode()


def _opened(surroundings: Surroundings, ticket: str) -> str | None:
    try:
        said = json.loads(surroundings.safe.unseal(base64.urlsafe_b64decode(ticket[:2000])))
    except ValueError:
        return None
    mine = said["visit"] == hash_of(browser.visit_of(surroundings))
    fresh = said["until"] > surroundings.clock()
    return str(said["invitation"]) if mine and fresh else None
