"""id_tokens: every claim that OpenID Connect and SMART ask for, and none that tells too much."""

from dataclasses import dataclass
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from auth import scopes
from auth.jose import id_token, keys
from auth.surroundings import Surroundings

NOW = 1_900_000_000_000
FACTS = {"nonce": "n-1", "auth_time": NOW - 5000, "amr": ["pwd", "otp"], "acr": "aal2"}


@dataclass
class Who:
    """A user, as far as an id_token asks."""

    id: str = "account-of-mary"
    name: str = "Mary Murray"
    fhir_user: str = "Patient/mary-murray"


def _read(around: Surroundings, token: str) -> Any:
    served = keys.public_keys(around.store, now=NOW)
    return jwt.decode(token, KeySet.import_key_set({"keys": served}), algorithms=["RS256"])


def test_claims_are_those_of_openid_connect_and_smart(around: Surroundings) -> None:
    asked = scopes.parse("openid fhirUser")

    read = _read(around, id_token.sign(around, "app", Who(), asked, FACTS, now=NOW))

    subject = read.claims.pop("sub")
    assert 20 < len(subject) <= 255
    assert read.claims == {
        "iss": around.base,
        "aud": "app",
        "iat": NOW // 1000,
        "exp": NOW // 1000 + 600,
        "fhirUser": f"{around.base}/Patient/mary-murray",
        "nonce": "n-1",
        "auth_time": NOW // 1000 - 5,
        "amr": ["pwd", "otp"],
        "acr": "aal2",
    }
    assert read.header["alg"] == "RS256"
    assert read.header["kid"]


def test_sub_stays_the_same_and_tells_nothing(around: Surroundings) -> None:
    first = id_token.subject(around, "account-of-mary")

    assert first == id_token.subject(around, "account-of-mary")
    assert first != id_token.subject(around, "account-of-john")
    assert "mary" not in first


@pytest.mark.parametrize(
    ("asked", "claims"),
    [
        ("openid", set()),
        ("openid fhirUser", {"fhirUser"}),
        ("openid profile", {"fhirUser", "name"}),
    ],
)
def test_only_what_the_scopes_allow_is_told_of_the_user(
    around: Surroundings, asked: str, claims: set[str]
) -> None:
    told = id_token.user_claims(around, Who(), scopes.parse(asked))

    assert told.keys() == {"sub", *claims}


def test_what_was_not_asked_or_known_is_left_out(around: Surroundings) -> None:
    token = id_token.sign(around, "app", Who(), scopes.parse("openid"), {}, now=NOW)

    assert _read(around, token).claims.keys() == {"iss", "aud", "iat", "exp", "sub"}


def test_a_hint_is_known_again_after_it_ended_and_after_its_key_was_changed(
    around: Surroundings,
) -> None:
    token = id_token.sign(around, "app", Who(), scopes.parse("openid"), {}, now=NOW)
    keys.rotate(around.store, around.safe, now=NOW + 10**9)

    hint = id_token.of_ours(around, token)

    assert hint is not None
    assert hint["aud"] == "app"


@pytest.mark.parametrize("broken", ["", "x", "a.b.c", "x" * 9000])
def test_what_is_no_token_is_no_hint(around: Surroundings, broken: str) -> None:
    assert id_token.of_ours(around, broken) is None


def test_t13_a_token_of_somebody_elses_key_is_no_hint(around: Surroundings) -> None:
    ours = id_token.sign(around, "app", Who(), scopes.parse("openid"), {}, now=NOW)
    (known,) = keys.public_keys(around.store, now=NOW)
    claims = {"iss": around.base, "aud": "app", "sub": "x"}
    theirs = RSAKey.generate_key(2048)

    forged = jwt.encode({"alg": "RS256", "kid": known["kid"]}, claims, theirs)
    head, body, signature = ours.split(".")

    assert id_token.of_ours(around, forged) is None
    assert id_token.of_ours(around, f"{head}.{body}x.{signature}") is None
    unsigned = "eyJhbGciOiJub25lIn0." + body + "."
    assert id_token.of_ours(around, unsigned) is None
