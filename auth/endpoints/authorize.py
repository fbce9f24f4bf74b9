"""The authorization endpoint (RFC 6749 §3.1; SMART App Launch 2.2 §2.0.9; RFC 9126 §4).

GET and POST. A request is checked and kept; the browser goes on with a handle of it alone, which
opens in no other. What is wrong with client or address is told on a page and never by a redirect
(RFC 9700 §4.11).
"""

import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from auth import pages
from auth.authorizing import kept_requests
from auth.authorizing.authorization_request import (
    AuthorizationRequest,
    RefusedByRedirect,
    RefusedOnPage,
)
from auth.endpoints import browser
from auth.surroundings import Surroundings
from auth.sweeping import Sweeper


def open_authorize(routes: Blueprint, surroundings: Surroundings) -> None:
    """Add the endpoint to the routes of `auth`; whoever asks helps to remove what ended."""
    sweeper = Sweeper()

    @routes.route("/authorize", methods=["GET", "POST"])
    def authorize() -> AnyResponse:
        parameters = [*request.args.items(multi=True), *request.form.items(multi=True)]
        marked = browser.mark_of(surroundings)
        mark = marked or secrets.token_urlsafe(32)
        sweeper.sweep_if_due(surroundings)
        try:
            if request.method == "POST" and marked is None:
                return _brought_by_get(kept_requests.push(surroundings, parameters))
            handle = kept_requests.keep(surroundings, parameters, mark)
        except RefusedOnPage as refusal:
            return _refused(refusal)
        except RefusedByRedirect as refusal:
            return redirect(refusal.url, 303)
        onto = redirect(pages.link(f"/auth/consent?request={handle}"), 303)
        return browser.with_mark(onto, surroundings, mark)


def _brought_by_get(pushed: dict[str, str]) -> AnyResponse:
    """Let the browser come once more, by a GET: with that it sends the mark that it has.

    It keeps it (SameSite=Lax) from the form of another site. A new mark in its place would end
    what other tabs have begun, at any site's wish.
    """
    return redirect(pages.link(f"/auth/authorize?{urlencode(pushed)}"), 303)


def answer_kept(
    surroundings: Surroundings,
    answer: Callable[[Surroundings, AuthorizationRequest], AnyResponse],
) -> AnyResponse:
    """Answer of the request whose handle this browser brings, else say why there is none."""
    handle = request.values.get("request", "")
    try:
        asked = kept_requests.kept(surroundings, handle, browser.mark_of(surroundings))
        return answer(surroundings, asked)
    except RefusedOnPage as refusal:
        return _refused(refusal)


def _refused(refusal: RefusedOnPage) -> Response:
    """Tell the person why the browser goes nowhere."""
    return pages.refused("This app cannot be connected", str(refusal))
