"""Each default of Authlib and joserfc that is unsafe here, and that it is overridden (T42).

What Authlib does by itself is pinned where it is unsafe: if a new version changes it, this says so.
What we do instead is tested over HTTP in `tests/api/oauth/`; here, that nothing of Authlib's own
way is left in between.
"""

import inspect
from importlib.metadata import version
from pathlib import Path

import pytest
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from auth.apps import client_assertion
from auth.apps.client_authentication import InvalidClient
from auth.endpoints.token_server import GRANTS, Server
from auth.grants import client_credentials, issuing
from auth.grants.asking import Asking
from auth.grants.authorization_code import AuthorizationCodeGrant
from auth.grants.client_credentials import ClientCredentialsGrant
from auth.grants.refresh_token import RefreshTokenGrant
from auth.jose import dpop, jwts
from auth.jose.jwts import InvalidJwt
from tests import token_flow as flow

PACKAGE = Path(inspect.getfile(client_assertion)).parent


def test_t42_the_versions_are_those_that_were_probed() -> None:
    assert version("authlib").startswith("1.9.")
    assert tuple(map(int, version("joserfc").split(".")[:2])) >= (1, 6)


def test_t42_nothing_of_the_deprecated_jose_is_used() -> None:
    texts = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]

    assert not [text for text in texts if "authlib.jose" in text]


def test_tokens_of_authlib_live_for_days_and_ours_for_an_hour() -> None:
    assert BearerTokenGenerator.GRANT_TYPES_EXPIRES_IN["authorization_code"] == 864_000
    assert issuing.ACCESS_LIFE == 3_600_000
    assert client_credentials.LIFE == 300_000


def test_no_token_of_authlib_can_be_made() -> None:
    """Its generators are not registered: a grant that fell back on them fails."""
    server = Server.__new__(Server)
    super(Server, server).__init__()

    with pytest.raises(RuntimeError, match="No configured token generator"):
        server.generate_token("authorization_code", None)


@pytest.mark.parametrize("grant", GRANTS)
def test_each_grant_validates_and_answers_by_itself(grant: type) -> None:
    """Authlib logs tokens when it answers, and takes a grant in several steps (T4, T20)."""
    assert "create_token_response" in vars(grant)
    assert "validate_token_request" in vars(grant)
    assert issubclass(grant, Asking)


def test_three_grants_are_on_and_no_other() -> None:
    assert (AuthorizationCodeGrant, RefreshTokenGrant, ClientCredentialsGrant) == GRANTS
    assert {grant.GRANT_TYPE for grant in GRANTS} == {
        "authorization_code",
        "refresh_token",
        "client_credentials",
    }


def test_authlib_takes_plain_pkce_and_is_not_asked() -> None:
    assert "plain" in CodeChallenge.SUPPORTED_CODE_CHALLENGE_METHOD
    assert "CodeChallenge" not in inspect.getsource(inspect.getmodule(AuthorizationCodeGrant))  # type: ignore[arg-type]


def test_authlib_keeps_a_refresh_token_and_ours_changes() -> None:
    assert grants.RefreshTokenGrant.INCLUDE_NEW_REFRESH_TOKEN is False
    assert RefreshTokenGrant.create_token_response is not (
        grants.RefreshTokenGrant.create_token_response
    )


def test_authlib_answers_400_to_a_client_that_is_none_and_we_401() -> None:
    assert InvalidClientError.status_code == 400
    assert InvalidClient().status_code == 401
    assert "WWW-Authenticate" not in dict(InvalidClient().get_headers())
    assert "WWW-Authenticate" in dict(InvalidClient(by_header=True).get_headers())


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_joserfc_does_not_recommend_what_smart_asks_for(algorithm: str) -> None:
    """Without a list of ours it refuses both; with it, it takes what is on it."""
    key = RSAKey.generate_key(2048) if algorithm == "RS384" else ECKey.generate_key("P-384")
    jwt = jwts.read(flow.signed({"alg": algorithm, "kid": "1"}, {"a": 1}, key))

    assert algorithm not in jws.JWSRegistry.recommended
    jwts.verify(jwt, key, [algorithm])
    with pytest.raises(InvalidJwt):
        jwts.verify(jwt, key, ["RS256"])


def test_t13_no_algorithm_with_a_shared_secret_is_on_a_list() -> None:
    for listed in (client_assertion.ALGORITHMS, dpop.ALGORITHMS):
        assert not [name for name in listed if name.startswith("HS") or name == "none"]


def test_t13_a_list_holds_even_where_the_key_would_do() -> None:
    key = OctKey.generate_key(256)
    jwt = jwts.read(flow.signed({"alg": "HS256"}, {"a": 1}, key))

    with pytest.raises(InvalidJwt):
        jwts.verify(jwt, key, client_assertion.ALGORITHMS)


def test_critical_headers_that_nobody_understands_are_refused() -> None:
    key = ECKey.generate_key("P-384")
    jwt = jwts.read(flow.signed({"alg": "ES384", "crit": ["own"], "own": 1}, {"a": 1}, key))

    with pytest.raises(InvalidJwt):
        jwts.verify(jwt, key, ["ES384"])
