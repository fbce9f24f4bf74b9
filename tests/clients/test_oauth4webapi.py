"""oauth4webapi, which takes nothing that a standard forbids: PKCE, PAR, DPoP, iss, id_token."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, RSAKey

from tests import npm
from tests.client import Client
from tests.clients.browsing import REDIRECT, Person
from tests.clients.conftest import Site
from tests.signing_in import Known

SCOPE = "openid fhirUser profile offline_access patient/*.rs"
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Start the client, and give what asks it to do something."""
    process = subprocess.Popen(
        ["node", "client.mjs"],
        cwd=npm.installed("oauth4webapi"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"

    def asking(what: str, **more: Any) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer

    yield asking
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


def _key(algorithm: str) -> Key:
    named = {"kid": "one", "alg": algorithm}
    if algorithm == "RS384":
        return RSAKey.generate_key(2048, named)
    return ECKey.generate_key("P-384", named)


@pytest.mark.parametrize(
    ("discovery", "method", "par", "dpop"),
    [
        ("oidc", "none", True, True),
        pytest.param("oauth2", "none", True, True, marks=pytest.mark.slow),
        *(
            pytest.param(discovery, *how, marks=pytest.mark.slow)
            for discovery in ("oidc", "oauth2")
            for how in (
                ("none", False, False),
                ("client_secret_basic", True, False),
                ("client_secret_post", False, True),
                ("private_key_jwt", True, True),
            )
        ),
    ],
)
def test_it_is_granted_what_a_patient_allows(
    site: Site,
    register: Callable[..., Any],
    patient: Known,
    ask: Ask,
    method: str,
    par: bool,
    dpop: bool,
    discovery: str,
) -> None:
    key = _key("ES384")
    keys = {"jwks": {"keys": [key.as_dict(private=False)]}} if "jwt" in method else {}
    client, secret = register(auth_method=method, dpop=dpop, **keys)

    begun = ask(
        "begin", issuer=site.base, discovery=discovery, client=client.id, method=method,
        secret=secret, key=key.as_dict(private=True), algorithm="ES384", scope=SCOPE,
        redirect=REDIRECT, par=par, dpop=dpop,
    )  # fmt: skip
    assert "failed" not in begun, begun
    told = ask("finish", url=Person(patient).go(begun["url"]))

    assert "failed" not in told, told
    assert told["iss"] == site.base
    assert told["granted"]["token_type"] == ("dpop" if dpop else "bearer")
    assert told["granted"]["patient"] == "mary"
    assert told["claims"]["fhirUser"] == f"{site.base}/Patient/mary"
    assert told["user"]["name"] == "Mary Murray"
    assert told["resource"]["id"] == "mary"
    assert told["refreshed"]["refresh_token"] != told["granted"]["refresh_token"]
    assert told["refreshed"]["patient"] == "mary"
    same = ("iss", "sub", "aud", "auth_time")
    assert [told["again"][name] for name in same] == [told["claims"][name] for name in same]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_service_gets_a_token(
    site: Site, fhir: Client, register: Callable[..., Any], ask: Ask, algorithm: str
) -> None:
    key = _key(algorithm)
    client, _ = register(
        auth_method="private_key_jwt",
        scope="system/*.rs",
        grant_types=("client_credentials",),
        redirect_uris=[],
        jwks={"keys": [key.as_dict(private=False)]},
    )

    told = ask(
        "service", issuer=site.base, discovery="oauth2", client=client.id,
        method="private_key_jwt", key=key.as_dict(private=True), algorithm=algorithm,
        scope="system/Patient.rs",
    )  # fmt: skip

    assert told.get("scope") == "system/Patient.rs", told
    assert told["expires_in"] <= 300
    assert "refresh_token" not in told
    read = Client(fhir.flask, told["access_token"])
    assert read.read("Patient/mary")["id"] == "mary"
    assert read.get("Observation/weight").status_code == 403


@pytest.mark.slow
def test_t5_an_answer_of_another_issuer_is_not_taken(
    site: Site, register: Callable[..., Any], patient: Known, ask: Ask
) -> None:
    client, _ = register()
    begun = ask(
        "begin", issuer=site.base, discovery="oidc", client=client.id, method="none",
        scope=SCOPE, redirect=REDIRECT,
    )  # fmt: skip
    back = Person(patient).go(begun["url"])

    mixed_up = ask("finish", url=back.replace("iss=http", "iss=https"))

    assert "iss" in mixed_up["failed"]
