"""Who sits at the browser: the session's cookie, forms that only our own pages can send, own paths.

The cookie is `__Host-` and Secure under TLS; a development server on this machine has neither.
HttpOnly keeps it from scripts and SameSite=Lax from forms of other sites (T6).
"""

import hmac
import re
import secrets
from collections.abc import Callable
from typing import NoReturn
from urllib.parse import urlencode

from flask import abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth.pages import link, onward, refused
from auth.sign_in import attempts, devices, sessions
from auth.sign_in.sessions import Session
from auth.surroundings import Surroundings

SIGN_IN = "/auth/sign-in"
CSRF = "csrf"
_SESSION, _VISIT, _DEVICE, _MARK = "ehr-session", "ehr-visit", "ehr-device", "ehr-browser"
_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,8000}")
_ELSEWHERE = frozenset({"cross-site", "same-site"})
_STALE = "This form is no longer good: it was open too long, or you signed in again meanwhile."
_ANEW = "Go back, load the page anew and send it once more."


def session_or_redirect(surroundings: Surroundings) -> Session | AnyResponse:
    """Return the complete session of this request, else the way to where one signs in."""
    session = session_here(surroundings)
    if session is not None and session.complete:
        return session
    return to_sign_in(here())


def session_here(surroundings: Surroundings) -> Session | None:
    """Return the session of this request, complete or not."""
    return sessions.current(surroundings, request.cookies.get(_name(surroundings, _SESSION)))


def to_sign_in(path: str) -> AnyResponse:
    """Send the browser to sign in and come back to a path of ours."""
    return redirect(link(f"{SIGN_IN}?{urlencode({'next': path})}"), 303)


def here() -> str:
    """Return path and query of this request: where one comes back to after signing in."""
    query = request.query_string.decode("ascii", "replace")
    return own_path(f"{request.path}?{query}" if query else request.path)


def own_path(text: str | None, otherwise: str = "/auth/apps") -> str:
    """Return a path of this server; anything else is not gone to (T1)."""
    return text if text and _OWN_PATH.fullmatch(text) else otherwise


def check_csrf(surroundings: Surroundings, session: Session | None) -> None:
    """Refuse a form that this browser did not get from us (T6)."""
    sent = request.form.get(CSRF, "")
    if session is not None:
        wanted = session.csrf
    else:
        visit = request.cookies.get(_name(surroundings, _VISIT), "")
        wanted = sessions.csrf_of(surroundings, f"visit {visit}") if visit else ""
    foreign = request.headers.get("Sec-Fetch-Site", "") in _ELSEWHERE
    if foreign or not wanted or not hmac.compare_digest(sent.encode(), wanted.encode()):
        refuse(_STALE, _ANEW, 403)


def answer_form(
    surroundings: Surroundings,
    who: Session | AnyResponse,
    show: Callable[[Surroundings, Session], AnyResponse],
    act: Callable[[Surroundings, Session], AnyResponse],
) -> AnyResponse:
    """Show a form to who may fill it in and act on what is sent; else answer `who`."""
    if request.method == "GET" and isinstance(who, Session):
        return show(surroundings, who)
    return answer_sent(surroundings, who, act)


def answer_sent(
    surroundings: Surroundings,
    who: Session | AnyResponse,
    act: Callable[[Surroundings, Session], AnyResponse],
) -> AnyResponse:
    """Act on a form that who may send it sent from a page of ours (T6); else answer `who`."""
    if not isinstance(who, Session):
        return who
    check_csrf(surroundings, who)
    return act(surroundings, who)


def refuse(text: str, advice: str = "", status: int = 400) -> NoReturn:
    """Answer with a page that says what is wrong and what to do."""
    abort(refused("This can't be done", text, advice, status))


def address(surroundings: Surroundings) -> str:
    """Return the address an attempt comes from; a proxy in front of us tells it.

    Only proxies that the settings name may say so, and only limits on guessing go by it.
    """
    peer = request.remote_addr or ""
    if any(attempts.is_within(peer, one) for one in surroundings.options.get("proxies", ())):
        return request.headers.get("X-Real-IP", "")[:64] or peer
    return peer


def visit_of(surroundings: Surroundings) -> str:
    """Return what marks this browser before anybody signed in; new where there is none."""
    return request.cookies.get(_name(surroundings, _VISIT), "") or secrets.token_urlsafe(32)


def visit_csrf(surroundings: Surroundings, visit: str) -> str:
    """Return what a form must bring back that is sent before anybody signed in."""
    return sessions.csrf_of(surroundings, f"visit {visit}")


def with_visit(response: AnyResponse, surroundings: Surroundings, visit: str) -> AnyResponse:
    """Leave the mark of a browser nobody signed in with."""
    return _with_cookie(response, surroundings, _VISIT, visit)


def mark_of(surroundings: Surroundings) -> str | None:
    """Return what tells this browser from others, signed in or not; None where it has none yet."""
    return request.cookies.get(_name(surroundings, _MARK)) or None


def with_mark(response: AnyResponse, surroundings: Surroundings, mark: str) -> AnyResponse:
    """Leave what tells this browser from others: requests of apps begun here go on only here."""
    return _with_cookie(response, surroundings, _MARK, mark)


def signed_in(surroundings: Surroundings, cookie: str, path: str) -> AnyResponse:
    """Go on to a path of ours with the cookie of a new session.

    Where that is beyond sign-in by a page: an app may follow, and browsers hold all redirects after
    a form against the policy of the form's page.
    """
    onto = link(own_path(path))
    more = path.startswith(f"{SIGN_IN}/")
    response: AnyResponse = redirect(onto, 303) if more else onward(onto)
    return with_session(response, surroundings, cookie)


def with_session(response: AnyResponse, surroundings: Surroundings, cookie: str) -> AnyResponse:
    """Put the cookie of a new session on an answer."""
    _with_cookie(response, surroundings, _SESSION, cookie)
    return _without_cookie(response, surroundings, _VISIT)


def with_device(response: AnyResponse, surroundings: Surroundings, login: str) -> AnyResponse:
    """Leave the mark of a browser in which somebody of this sign-in name has signed in."""
    cookie = devices.with_login(surroundings, _device(surroundings), login)
    return _with_cookie(response, surroundings, _DEVICE, cookie, devices.LIFE // 1000)


def device_of(surroundings: Surroundings, login: str) -> str | None:
    """Return the mark of this browser, where somebody of this name has signed in with it before."""
    return devices.mark_of(surroundings, _device(surroundings), login)


def signed_out(response: AnyResponse, surroundings: Surroundings) -> AnyResponse:
    """Take the cookie of a session away."""
    return _without_cookie(response, surroundings, _SESSION)


def _device(surroundings: Surroundings) -> str:
    return request.cookies.get(_name(surroundings, _DEVICE), "")


def _name(surroundings: Surroundings, name: str) -> str:
    return f"__Host-{name}" if surroundings.is_https else name


def _with_cookie(
    response: AnyResponse,
    surroundings: Surroundings,
    name: str,
    value: str,
    seconds: int | None = None,
) -> AnyResponse:
    response.set_cookie(
        _name(surroundings, name),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=surroundings.is_https,
    )
    return response


def _without_cookie(response: AnyResponse, surroundings: Surroundings, name: str) -> AnyResponse:
    response.delete_cookie(
        _name(surroundings, name),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=surroundings.is_https,
    )
    return response
