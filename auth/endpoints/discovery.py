"""Where clients learn what is here: SMART App Launch 2.2, OpenID Discovery 1.0 §4, RFC 8414 §3.

SMART and OpenID put `.well-known` behind the issuer, RFC 8414 between host and path. What is told
is read off the application's own routes: what is not routed is not told.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request
from flask.sansio.app import App

from auth import metadata
from auth.metadata import Offered
from auth.surroundings import Surroundings

_FRESH = "public, max-age=300"


def open_discovery(
    routes: Blueprint,
    surroundings: Surroundings,
    *,
    grants: Sequence[str],
    algorithms: Sequence[str],
    dpop: Sequence[str] = (),
) -> None:
    """Tell what is on, at the addresses that the standards name; they are not below `/auth`.

    `algorithms` are those that clients may sign assertions by, `dpop` those of proofs.
    """

    def offered() -> Offered:
        return Offered(
            surroundings.base,
            surroundings.root,
            {rule.rule for rule in current_app.url_map.iter_rules()},
            tuple(grants),
            tuple(algorithms),
            tuple(dpop),
        )

    def add(app: App) -> None:
        below = urlsplit(surroundings.base).path.removeprefix(urlsplit(surroundings.root).path)
        inserted = urlsplit(surroundings.base).path
        for path, told in (
            (f"{below}/.well-known/smart-configuration", metadata.smart_configuration),
            (f"{below}/.well-known/openid-configuration", metadata.openid_configuration),
            (
                f"/.well-known/oauth-authorization-server{inserted}",
                metadata.authorization_server,
            ),
        ):
            answer = _answering(told, offered)
            app.add_url_rule(path, path, answer, methods=["GET", "OPTIONS"])

    routes.record(lambda state: add(state.app))


def public_json(told: Any, content_type: str = "application/json") -> Response:
    """Return what everybody may read, scripts of any site too."""
    response = Response(json.dumps(told), content_type=content_type)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = _FRESH
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _answering(
    told: Callable[[Offered], dict[str, Any]], offered: Callable[[], Offered]
) -> Callable[[], Response]:
    def answer() -> Response:
        response = public_json(told(offered())) if request.method != "OPTIONS" else Response()
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "Accept, Content-Type"
        return response

    answer.provide_automatic_options = False  # type: ignore[attr-defined]  # as Flask asks
    return answer
