"""Clients that keep their keys at an address of theirs: fetched when one is needed (T18, T30)."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey

from auth.surroundings import Surroundings
from tests import token_flow as flow

KEY = ECKey.generate_key("P-384")


class Site(HTTPServer):
    """A site of a client, on this machine."""

    asked = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer one request."""
        self.asked += 1
        super().process_request(request, client_address)


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        keys = [{**KEY.as_dict(private=False), "kid": "es"}]
        self.wfile.write(json.dumps({"keys": keys}).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Give a site with keys."""
    server = Site(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def record_settings(site: Site, request: pytest.FixtureRequest) -> dict[str, str]:
    """Let keys be fetched from this machine, unless a test says otherwise."""
    if request.node.get_closest_marker("parametrize") is not None:
        return {}
    return {"EHR_JWKS_ORIGINS": f"http://127.0.0.1:{site.server_port}"}


def _ask(web: FlaskClient, service: flow.App, **header: str) -> int:
    made = flow.assertion(service, key=KEY, header=header)
    answer = flow.token(
        web, service, "client_credentials", scope="system/*.rs", client_assertion=made
    )
    return answer.status_code


def test_keys_are_fetched_once_and_used(around: Surroundings, web: FlaskClient, site: Site) -> None:
    uri = f"http://127.0.0.1:{site.server_port}/jwks"
    service, before = flow.service(around, jwks_uri=uri), site.asked

    assert [_ask(web, service) for _ in range(3)] == [200, 200, 200]
    assert site.asked == before + 1


def test_t13_jku_must_be_the_registered_address(
    around: Surroundings, web: FlaskClient, site: Site
) -> None:
    uri = f"http://127.0.0.1:{site.server_port}/jwks"
    service, before = flow.service(around, jwks_uri=uri), site.asked

    assert _ask(web, service, jku=uri + "2") == 401
    assert site.asked == before
    assert _ask(web, service, jku=uri) == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_t30_our_own_network_is_not_asked_unless_the_operator_says_so(
    around: Surroundings, web: FlaskClient, site: Site, host: str
) -> None:
    service = flow.service(around, jwks_uri=f"http://{host}:{site.server_port}/jwks")
    before = site.asked

    assert _ask(web, service) == 401
    assert site.asked == before
