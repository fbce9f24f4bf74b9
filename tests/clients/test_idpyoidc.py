"""idpyoidc, a certified OpenID relying party: discovery, id_token, userinfo and signing out."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from idpyoidc.client.defaults import DEFAULT_OIDC_SERVICES
from idpyoidc.client.rp_handler import RPHandler

from auth.jose import keys
from tests.clients.browsing import REDIRECT, Person
from tests.clients.conftest import Site
from tests.signing_in import Known

pytestmark = pytest.mark.usefixtures("folder_of_its_own")  # it writes its keys where it runs

BYE = "http://127.0.0.1:8765/bye"


def _relying_party(site: Site, id: str, secret: str, method: str) -> RPHandler:
    described = {
        "issuer": site.base,
        "client_id": id,
        "client_secret": secret,
        "client_type": "oidc",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_methods_supported": [method],
        "token_endpoint_auth_method": method,
        "scopes_supported": ["openid", "fhirUser", "profile"],
        "scope": ["openid", "fhirUser", "profile"],
        "response_types_supported": ["code"],
        "client_authn_methods": ["client_secret_basic", "client_secret_post", "bearer_header"],
        "services": DEFAULT_OIDC_SERVICES
        | {"end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"}},
        "add_ons": {
            "pkce": {
                "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
            }
        },
    }
    return RPHandler(base_url="http://127.0.0.1:8765", client_configs={"record": described})


def _began(handler: RPHandler, site: Site) -> tuple[Any, str]:
    """Discover the server and return the client with the address to open."""
    client = handler.client_setup("record")
    asked = {"aud": site.base, "scope": ["openid", "fhirUser", "profile"]}
    return client, client.init_authorization(req_args=asked)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_it_signs_a_professional_in(
    site: Site, register: Callable[..., Any], gp: Known, method: str
) -> None:
    registered, secret = register(auth_method=method)
    handler = _relying_party(site, registered.id, secret, method)
    client, url = _began(handler, site)

    back = Person(gp).go(url)
    told = client.finalize(dict(parse_qsl(urlsplit(back).query)))

    assert "error" not in told, told
    assert told["issuer"] == site.base
    assert told["userinfo"]["fhirUser"] == f"{site.base}/Practitioner/anna"
    assert told["userinfo"]["name"] == "Anna Reid"
    assert told["id_token"]["aud"] == [registered.id]
    assert told["id_token"]["sub"] == told["userinfo"]["sub"]
    assert set(told["id_token"]["amr"]) == {"pwd", "otp", "mfa"}
    assert told["id_token"]["auth_time"] <= told["id_token"]["iat"]


def test_it_takes_a_new_key_that_it_has_not_seen(
    site: Site, register: Callable[..., Any], patient: Known
) -> None:
    registered, secret = register(auth_method="client_secret_basic")
    handler = _relying_party(site, registered.id, secret, "client_secret_basic")
    client, url = _began(handler, site)
    keys.rotate(site.around.store, site.around.safe, now=site.around.clock())

    back = Person(patient).go(url)
    told = client.finalize(dict(parse_qsl(urlsplit(back).query)))

    assert "error" not in told, told
    assert told["userinfo"]["fhirUser"] == f"{site.base}/Patient/mary"


def test_it_signs_out(site: Site, register: Callable[..., Any], patient: Known) -> None:
    registered, secret = register(auth_method="client_secret_basic", logout_uris=[BYE])
    handler = _relying_party(site, registered.id, secret, "client_secret_basic")
    client, url = _began(handler, site)
    person = Person(patient)
    told = client.finalize(dict(parse_qsl(urlsplit(person.go(url)).query)))

    asked = client.logout(told["state"], post_logout_redirect_uri=BYE)
    back = person.go(asked["url"], until=BYE)

    assert urlsplit(back).path == "/bye"
    assert person.seen.count("/auth/sign-in") == 1
    _, again = _began(handler, site)
    person.go(again)
    assert person.seen.count("/auth/sign-in") == 2
