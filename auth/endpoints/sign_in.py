"""Sign-in pages: password, second factor, role; and sign-out.

Each answer is the same whether a user exists or not, and takes as long (T24). Where one goes
afterwards is a path of ours (T1).
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth.endpoints import browser
from auth.joining import upstream
from auth.pages import Fault, link, page, refused
from auth.sign_in import (
    attempts,
    authentication,
    credentials,
    passkey_sign_in,
    sessions,
    standing,
    users,
)
from auth.sign_in.attempts import Subject
from auth.sign_in.sessions import Session
from auth.sign_in.users import Role, User
from auth.surroundings import Happening, Surroundings

_WRONG = "The sign-in name or password is wrong. Check both, then try again."
_LONGEST_FIELD = 1000


def open_sign_in(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve signing in and out."""
    routes.register_error_handler(credentials.Busy, _busy)
    routes.register_error_handler(sessions.Over, _over)

    @routes.get("/sign-in")
    def sign_in() -> AnyResponse:
        session = browser.session_here(surroundings)
        if session is None or request.args.get("again"):
            return form(surroundings)
        if not session.complete:
            return _go_on(surroundings, session)
        return redirect(link(browser.own_path(request.args.get("next"))), 303)

    @routes.post("/sign-in")
    def sign_in_with_password() -> AnyResponse:
        browser.check_csrf(surroundings, None)
        return _with_password(surroundings)

    @routes.route("/sign-in/role", methods=["GET", "POST"])
    def choose_role() -> AnyResponse:
        session = session_lacking(surroundings, authentication.ROLE)
        return browser.answer_form(surroundings, session, _roles, _with_role)

    @routes.post("/sign-out")
    def sign_out() -> AnyResponse:
        session = browser.session_here(surroundings)
        if session is not None:
            browser.check_csrf(surroundings, session)
            sessions.end(surroundings, session)
        return browser.signed_out(redirect(link(browser.SIGN_IN), 303), surroundings)


def session_lacking(surroundings: Surroundings, step: str) -> Session | AnyResponse:
    """Return the session whose next step it is, else the way to where this browser belongs."""
    session = browser.session_here(surroundings)
    if session is None:
        return browser.to_sign_in("")
    if authentication.next_step(surroundings, session) != step:
        return _go_on(surroundings, session)
    return session


def way_on(surroundings: Surroundings, session: Session) -> str:
    """Return the path of what a session still lacks, else of where the browser wanted to go."""
    missing = authentication.next_step(surroundings, session)
    if missing is not None:
        return f"{browser.SIGN_IN}/{missing}"
    return browser.own_path(session.state.get("next"))


def entered(surroundings: Surroundings, cookie: str, session: Session) -> AnyResponse:
    """Go on with the cookie of the session that a step of signing in began."""
    response = browser.signed_in(surroundings, cookie, way_on(surroundings, session))
    if session.complete:
        browser.with_device(response, surroundings, session.user.login)
    return response


def _go_on(surroundings: Surroundings, session: Session) -> AnyResponse:
    """Send the browser to what the session still lacks, else to where it wanted to go."""
    return redirect(link(way_on(surroundings, session)), 303)


def _busy(_: Exception) -> AnyResponse:
    response = refused(
        "Many people are signing in",
        "Your password was not checked.",
        "Go back, then try again in a moment.",
        503,
    )
    response.headers["Retry-After"] = "5"
    return response


def _over(_: Exception) -> AnyResponse:
    return redirect(link(browser.SIGN_IN), 303)


def form(surroundings: Surroundings, *faults: Fault) -> AnyResponse:
    """Show the page that asks who somebody is, and what is wrong with what they sent."""
    visit = browser.visit_of(surroundings)
    next = browser.own_path(request.values.get("next"), "")
    options, ticket = passkey_sign_in.begin(surroundings, visit)
    response = page(
        "sign_in.html",
        csrf=browser.visit_csrf(surroundings, visit),
        next=next,
        again=bool(request.args.get("again")),
        login=request.form.get("login", request.args.get("login_hint", ""))[:200],
        providers=upstream.providers(surroundings),
        passkey_options=options,
        ticket=ticket,
        faults=faults,
    )
    return browser.with_visit(response, surroundings, visit)


def _with_password(surroundings: Surroundings) -> AnyResponse:
    login = users.folded(request.form.get("login", "")[:_LONGEST_FIELD])
    password = request.form.get("password", "")[:_LONGEST_FIELD]
    if not login or not password:
        return form(surroundings, *_missing(login, password))
    subjects = subjects_of(surroundings, login)
    wait = attempts.take(surroundings, subjects)
    if wait:
        return form(surroundings, Fault("login", attempts.waiting_text(wait), 429))
    user = _user_of(surroundings, login, password, subjects)
    if user is None:
        tell_failed(surroundings, login, "password")
        return form(surroundings, Fault("login", _WRONG))
    attempts.succeeded(surroundings, subjects)
    check_standing(surroundings, user.persons, user.roles)
    before = browser.session_here(surroundings)
    next = browser.own_path(request.form.get("next"))
    cookie, session = authentication.take_step(
        surroundings, user, ("pwd",), before=before, next=next
    )
    return entered(surroundings, cookie, session)


def tell_failed(surroundings: Surroundings, login: str, way: str) -> None:
    """Audit a sign-in that failed. What is no sign-in name is not kept: it may be a password."""
    with surroundings.store.read() as connection:
        user = users.find_login(connection, login, surroundings.clock())
    by = None if user is None else user.principal
    surroundings.tell(None, Happening("sign-in-failed", by, named=way, is_refused=True))


def _missing(login: str, password: str) -> list[Fault]:
    asked = (
        ("login", login, "Enter your sign-in name"),
        ("password", password, "Enter your password"),
    )
    return [Fault(field, text) for field, sent, text in asked if not sent]


def subjects_of(
    surroundings: Surroundings, login: str, what: str = "password"
) -> tuple[Subject, ...]:
    """Return what an attempt of this request is counted for.

    Where the owner of the name has used this browser, neither strangers who try the name nor those
    who share the address take tries away.
    """
    mark = browser.device_of(surroundings, login)
    if mark is not None:
        return (attempts.of_device(surroundings, mark, login, what),)
    return (
        attempts.of_login(surroundings, login, what),
        attempts.of_address(surroundings, browser.address(surroundings), f"{what} {login}"),
    )


def check_standing(
    surroundings: Surroundings, persons: Sequence[str], roles: Sequence[Role] = ()
) -> None:
    """Refuse who died, left or was merged into another record, on a page that says so."""
    places = [role.organisation for role in roles]
    fault = standing.fault_of_all(surroundings, persons, places)
    if fault is not None:
        browser.refuse(
            fault, "If that is wrong, ask your practice, or the organisation that invited you.", 403
        )


def is_right(
    surroundings: Surroundings, kept: str | None, password: str, subjects: Sequence[Subject]
) -> bool:
    """Check a password; where there is no room for that now, the attempt does not count."""
    try:
        return credentials.is_right(kept, password)
    except credentials.Busy:
        attempts.take_back(surroundings, subjects)
        raise


def _user_of(
    surroundings: Surroundings, login: str, password: str, subjects: Sequence[Subject]
) -> User | None:
    """Return the user whose password it is; as slow where there is none."""
    now = surroundings.clock()
    with surroundings.store.read() as connection:
        user = users.find_login(connection, login, now)
        kept = None if user is None else credentials.stored(connection, user.id)
    right = is_right(surroundings, kept, password, subjects)
    if user is None or kept is None or not right or user.disabled:
        return None
    if credentials.is_outdated(kept):
        fresh, id = credentials.hash_of(password), user.id
        surroundings.store.write(
            lambda connection: credentials.set_hash(connection, id, fresh, now)
        )
    return user


def _roles(_: Surroundings, session: Session, fault: Fault | None = None) -> AnyResponse:
    items = [{"value": str(one.number), "text": one.title} for one in session.user.roles]
    if not items:
        browser.refuse(
            "No role of yours is in force, so there is nothing you could open here.",
            "Ask the administrator of your organisation to give you one.",
            403,
        )
    return page("role.html", csrf=session.csrf, session=session, items=items, faults=[fault])


def _with_role(surroundings: Surroundings, session: Session) -> AnyResponse:
    chosen = request.form.get("role", "")
    number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 5 else None
    if session.user.role(number) is None:
        return _roles(
            surroundings, session, Fault("role", "Choose the role in which you work now.")
        )
    cookie, fresh = authentication.take_step(
        surroundings,
        session.user,
        session.amr,
        before=session,
        role_number=number,
        acr=session.acr,
        goes_on=True,
    )
    return entered(surroundings, cookie, fresh)


def again(path: str) -> str:
    """Return where one signs in anew although there is a session, to come back to a path."""
    return f"{browser.SIGN_IN}?{urlencode({'again': 1, 'next': path})}"
