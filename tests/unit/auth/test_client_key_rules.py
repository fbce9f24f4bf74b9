"""Keys that a client may register, and what is said of those that it may not."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from auth.apps import client_key_rules

EC = {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "ec"}
P256 = {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "p256"}
RSA = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "rsa"}
PRIVATE = {**RSAKey.generate_key(2048).as_dict(private=True), "kid": "rsa"}


@pytest.mark.parametrize(
    "keys",
    [
        [EC],
        [RSA],
        [EC, RSA, P256],
        [EC, {**RSA, "kid": "ec"}],  # RFC 7517 §4.5: told apart by kty
        [{**EC, "alg": "ES384", "use": "sig", "key_ops": ["verify"], "ext": True}],
        [{**RSA, "alg": "RS256", "x5t": "x"}],
    ],
)
def test_public_keys_that_assertions_are_checked_by_are_taken(keys: list[dict[str, Any]]) -> None:
    assert client_key_rules.fault({"keys": keys}) is None


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "1 to 20"),
        ([EC] * 21, "1 to 20"),
        ("x", "JWK Set"),
        (["x"], "JWK Set"),
        ([PRIVATE], "private"),
        *[([{**EC, name: "AQAB"}], "private") for name in ("d", "p", "q", "dp", "dq", "qi", "k")],
        ([{"kty": "oct", "k": "AQAB", "kid": "1"}], "private"),
        ([{**EC, "kid": None}], "kid"),
        ([{**EC, "kid": ""}], "kid"),
        ([{**EC, "kid": 7}], "kid"),
        ([EC, EC], "kid of its own"),
        ([{**OKPKey.generate_key("Ed25519").as_dict(private=False), "kid": "1"}], "EC on P-256"),
        ([{**ECKey.generate_key("P-521").as_dict(private=False), "kid": "1"}], "EC on P-256"),
        ([{**EC, "kty": ["EC"]}], "EC on P-256"),
        ([{**EC, "crv": {}}], "EC on P-256"),
        ([P256], "Assertions"),
        ([{**RSA, "n": f"_{RSA['n'][1:171]}"}], "1024 bits"),
        ([{**RSA, "n": f"_{'A' * 2003}"}], "RSA has 2048 to 8192"),
        ([{**EC, "use": "enc"}], "use"),
        ([{**EC, "key_ops": ["sign"]}], "key_ops"),
        ([{**EC, "key_ops": "verify "}], "key_ops"),
        ([{**EC, "alg": "RS384"}], "alg"),
        ([{**RSA, "alg": "none"}], "alg"),
        ([{**RSA, "alg": ["RS384"]}], "alg"),
        ([{**EC, "x": EC["y"]}], "can't be read"),
        ([{**EC, "x": 7}], "can't be read"),
        ([{"kty": "RSA", "kid": "1"}], "can't be read"),
        ([{**RSA, "n": "*"}], "0 bits"),
        ([{**RSA, "e": "AA"}], "can't be read"),
    ],
)
def test_other_keys_are_refused_with_the_reason(keys: Any, said: str) -> None:
    assert said in (client_key_rules.fault({"keys": keys}) or "")


@pytest.mark.parametrize("jwks", [None, [], "x", {}, {"keys": {"a": 1}}])
def test_what_is_no_key_set_is_refused(jwks: Any) -> None:
    assert "JWK Set" in (client_key_rules.fault(jwks) or "")
