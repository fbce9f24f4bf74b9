"""The file of other providers: what is read, and what is refused with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from auth.joining import upstream_providers

KEY = ECKey.generate_key("P-256", {"kid": "ours", "alg": "ES256"})
GOOD: dict[str, Any] = {
    "id": "nhs-login",
    "name": "NHS login",
    "issuer": "https://auth.login.example.org",
    "client_id": "record",
    "key": KEY.as_dict(private=True),
}


def read(folder: Path, *providers: Any) -> tuple[upstream_providers.Provider, ...]:
    """Write the file and read it."""
    file = folder / "upstream.json"
    file.write_text(json.dumps(providers), "utf-8")
    return upstream_providers.read(str(file))


def test_no_file_names_no_provider() -> None:
    assert upstream_providers.read("") == ()


def test_what_is_left_out_has_a_safe_default(tmp_path: Path) -> None:
    (found,) = read(tmp_path, GOOD)

    assert (found.scope, found.algorithm) == ("openid profile", "ES256")
    assert found.full == found.second_factor == found.private == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"issuer": ""}, "lacks one of"),
        ({"issuer": "http://auth.login.example.org"}, "is not https"),
        ({"id": "../nhs"}, "only letters, digits and -"),
        ({"fulll": ["P9"]}, "fulll, which means nothing"),
        ({"key": {"kty": "EC"}}, "is no JWK"),
        ({"key": KEY.as_dict(private=False)}, "no private RSA or EC key"),
        ({"key": OctKey.generate_key(256).as_dict(private=True)}, "no private RSA or EC key"),
        ({"key": {**KEY.as_dict(private=True), "alg": "none"}}, "needs kid and alg"),
        ({"key": {**KEY.as_dict(private=True), "kid": ""}}, "needs kid and alg"),
    ],
)
def test_what_can_t_be_used_is_refused_with_its_reason(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        read(tmp_path, {**GOOD, **change})

    assert str(KEY.as_dict(private=True)["d"]) not in str(refused.value)


def test_two_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="same id"):
        read(tmp_path, GOOD, GOOD)


@pytest.mark.parametrize("text", ["", "{", "{}", "7"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "upstream.json"
    file.write_text(text, "utf-8")

    with pytest.raises(ValueError, match=r"JSON|list"):
        upstream_providers.read(str(file))
