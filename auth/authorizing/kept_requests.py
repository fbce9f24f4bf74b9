"""Authorization requests, kept until somebody answers them, and what was chosen for them meanwhile.

RFC 9126 §4, RFC 9700 §4.7. Nothing of a request is trusted to a browser in between: pages carry an
opaque handle, and a handle opens only in the browser that it was given to, which a cookie tells
(`browser`). So nobody begins a request elsewhere and has another person go on with it.

With `prompt=none` any browser may bring the handle, for in the frame of an app no cookie of ours
comes along. That is safe: no page follows, nothing is chosen, and what the app is told is no other
than what the same link to the authorization endpoint would have told it.

A patient and a visit are chosen by a form of ours in one session, and count in that session alone:
no address names them.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from auth.apps import clients
from auth.apps.clients import Client
from auth.authorizing.authorization_request import (
    AuthorizationRequest,
    Chosen,
    Fault,
    RefusedByRedirect,
    RefusedOnPage,
    check,
    read,
    refusal,
)
from auth.models import pushed_request as table
from auth.tokens import hash_of

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

PUSHED = "urn:ietf:params:oauth:request_uri:"
PUSHED_LIFE = 90_000
_KEPT_LIFE = 30 * 60_000  # signing in with a second factor and choosing a patient take their time
# Nothing else is kept: strangers ask as well.
_KNOWN = (
    "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce",
    "code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint", "launch", "aud",
    "resource", "dpop_jkt",
)  # fmt: skip
_ELSEWHERE = "This request was begun in another browser, or this one takes no cookies."
_BEGIN_AGAIN = "Go back to the application and start from there again."


def keep(surroundings: "Surroundings", parameters: Sequence[tuple[str, str]], browser: str) -> str:
    """Check a request and keep it for a browser; return the handle by which pages speak of it.

    Raises RefusedOnPage or RefusedByRedirect.
    """
    client, asked = _checked(surroundings, parameters)
    handle = secrets.token_urlsafe(32)
    store(surroundings, handle, client.id, asked, life=_KEPT_LIFE, browser=hash_of(browser))
    return handle


def push(surroundings: "Surroundings", parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Check a request and keep it as one that was pushed; return by what a browser brings it.

    For a form of another site, with which browsers send none of our cookies: so the request can't
    be of a browser yet. Raises what `keep` does.
    """
    client, asked = _checked(surroundings, parameters)
    uri = PUSHED + secrets.token_urlsafe(32)
    store(surroundings, uri, client.id, asked, life=PUSHED_LIFE)
    return {"client_id": client.id, "request_uri": uri}


def kept(surroundings: "Surroundings", handle: str, browser: str | None) -> AuthorizationRequest:
    """Return a request that was kept and not answered yet. Raises RefusedOnPage."""
    if handle.startswith(PUSHED):  # the client knows it, and its time is another
        raise RefusedOnPage(f"This is no page of a request. {_BEGIN_AGAIN}")
    with surroundings.store.read() as connection:
        row = connection.execute(select(table).where(table.c.uri_hash == hash_of(handle))).first()
        if row is None or row.used is not None or row.expires <= surroundings.clock():
            raise RefusedOnPage(f"This request was answered, or took too long. {_BEGIN_AGAIN}")
        asked = json.loads(row.parameters)
        client = _client(connection, asked)
    request = read(client, asked, handle, row.expires - _KEPT_LIFE, _chosen(row))
    is_same = browser is not None and row.browser == hash_of(browser)
    if not is_same and "none" not in request.prompt:
        raise RefusedOnPage(f"{_ELSEWHERE} {_BEGIN_AGAIN}")
    return request


def choose(surroundings: "Surroundings", handle: str, chosen: Chosen) -> None:
    """Keep with a request what was chosen for it, in place of what was before.

    Raises RefusedOnPage where it was answered meanwhile.
    """
    wish = json.dumps({"patient": chosen.patient, "visit": chosen.visit})
    now = surroundings.clock()

    def work(connection: Connection) -> bool:
        done = connection.execute(
            update(table)
            .where(_is_open(handle, now))
            .values(session_id=chosen.session_id, wish=wish)
        )
        return done.rowcount == 1

    if not surroundings.store.write(work):
        raise RefusedOnPage(f"This request was answered, or took too long. {_BEGIN_AGAIN}")


def take(connection: Connection, handle: str, *, now: int) -> bool:
    """Mark a request as answered and empty it; tell whether it was not answered before."""
    done = connection.execute(
        update(table).where(_is_open(handle, now)).values(used=now, parameters="{}", wish=None)
    )
    return done.rowcount == 1


def store(
    surroundings: "Surroundings",
    secret: str,
    client_id: str,
    asked: Mapping[str, str],
    *,
    life: int,
    browser: str | None = None,
) -> None:
    """Keep parameters under the hash of a secret: a handle, or the URI of a pushed request."""
    row = {
        "uri_hash": hash_of(secret),
        "client_id": client_id,
        "parameters": json.dumps({name: asked[name] for name in _KNOWN if name in asked}),
        "expires": surroundings.clock() + life,
        "browser": browser,
    }
    surroundings.store.write(lambda connection: connection.execute(insert(table).values(row)))


def _is_open(handle: str, now: int) -> ColumnElement[bool]:
    here = table.c
    return (here.uri_hash == hash_of(handle)) & here.used.is_(None) & (here.expires > now)


def _chosen(row: Row[Any]) -> Chosen | None:
    if row.wish is None or row.session_id is None:
        return None
    wish = json.loads(row.wish)
    return Chosen(row.session_id, wish["patient"], wish["visit"])


def _checked(
    surroundings: "Surroundings", parameters: Sequence[tuple[str, str]]
) -> tuple[Client, dict[str, str]]:
    asked = _once(parameters)
    if "request_uri" in asked:
        asked = _take_pushed(surroundings, asked)
    with surroundings.store.read() as connection:
        client = _client(connection, asked)
        try:
            check(surroundings, connection, client, asked)
        except Fault as fault:
            url = refusal(surroundings, asked["redirect_uri"], asked.get("state"), fault)
            raise RefusedByRedirect(url) from None
    return client, asked


def _once(parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    asked = dict(parameters)
    if len(asked) != len(parameters):
        raise RefusedOnPage(
            "The application sent one of its parameters twice. Tell whoever made it."
        )
    return {name: value for name, value in asked.items() if value}


def _take_pushed(surroundings: "Surroundings", asked: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that were pushed; the browser may bring them once (RFC 9126 §4)."""
    uri, now = asked["request_uri"], surroundings.clock()
    found: dict[str, str] = {}

    def work(connection: Connection) -> None:
        found.clear()
        row = connection.execute(select(table).where(table.c.uri_hash == hash_of(uri))).first()
        known = row is not None and row.client_id == asked.get("client_id")
        if row is not None and known and take(connection, uri, now=now):
            found.update(json.loads(row.parameters))

    if uri.startswith(PUSHED):
        surroundings.store.write(work)
    if not found:
        raise RefusedOnPage(f"This request was used before, or took too long. {_BEGIN_AGAIN}")
    return found


def _client(connection: Connection, asked: Mapping[str, str]) -> Client:
    """Return the client, if the browser may be sent back to it."""
    client = clients.find_active(connection, asked.get("client_id", ""))
    if client is None:
        raise RefusedOnPage("This server does not know the application that sent you here.")
    if not asked.get("redirect_uri"):
        raise RefusedOnPage("redirect_uri is missing. Tell whoever made the application.")
    if not client.check_redirect_uri(asked.get("redirect_uri", "")):
        raise RefusedOnPage(
            "The application asks to send you to an address that is not registered for it. "
            "Do not enter anything there, and tell whoever made it."
        )
    return client
