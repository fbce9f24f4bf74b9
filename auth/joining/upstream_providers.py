"""Other OpenID providers that people may sign in with, as an operator's file names them.

A JSON list of objects:

    id             part of addresses here: nhs-login        name     as the button says: NHS login
    issuer         exactly as it stands in its tokens       client_id
    key            private JWK, with kid and alg: authenticates us at the token endpoint (RFC 7523)
    scope          what is asked for: openid profile …      kinds    whom it may sign in
    levels         vot or acr that are good enough          full     those that are the highest
    vtr            vectors of trust to ask for, or none     acr      the same by acr_values
    second_factor  vot or acr that count as two factors     private  origins in our own network
    passkey        those that can't be phished either: a smartcard, a security key, a passkey
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey, import_key

from auth.sign_in.users import KINDS

_NEEDED = ("id", "name", "issuer", "client_id", "key")
_ALGORITHMS = {"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256"}


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider and how we are known there."""

    id: str
    name: str
    issuer: str
    client_id: str
    key: Key
    algorithm: str
    scope: str = "openid profile"
    kinds: tuple[str, ...] = KINDS
    levels: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    second_factor: tuple[str, ...] = ()
    passkey: tuple[str, ...] = ()
    vtr: tuple[str, ...] = ()
    acr: tuple[str, ...] = ()
    private: tuple[str, ...] = ()


def read(path: str) -> tuple[Provider, ...]:
    """Read the file of providers; none where no file is named. Raises ValueError."""
    if not path:
        return ()
    try:
        listed = json.loads(Path(path).read_text("utf-8"))
    except OSError:
        raise ValueError("the file can't be read") from None
    except ValueError:
        raise ValueError("the file is no JSON") from None
    if not isinstance(listed, list):
        raise ValueError("the file holds no list")
    found = tuple(_provider(each) for each in listed)
    if len({each.id for each in found}) < len(found):
        raise ValueError("two providers have the same id")
    return found


def _provider(said: Any) -> Provider:
    if not isinstance(said, Mapping) or not all(said.get(name) for name in _NEEDED):
        raise ValueError(f"a provider lacks one of {', '.join(_NEEDED)}")
    name = str(said["id"])
    unknown = set(said) - set(Provider.__dataclass_fields__) - {"algorithm"}
    if unknown:
        raise ValueError(f"provider {name} has {sorted(unknown)[0]}, which means nothing")
    if not name.isascii() or not name.replace("-", "").isalnum():
        raise ValueError("the id of a provider has only letters, digits and -")
    key, algorithm = _key(name, said["key"])
    words = ("kinds", "levels", "full", "second_factor", "passkey", "vtr", "acr", "private")
    lists = {word: tuple(map(str, said[word])) for word in words if word in said}
    issuer = str(said["issuer"])
    origin = f"{urlsplit(issuer).scheme}://{urlsplit(issuer).netloc}"
    if not issuer.startswith("https://") and origin not in lists.get("private", ()):
        raise ValueError(f"the issuer of {name} is not https")
    return Provider(
        name,
        str(said["name"]),
        issuer,
        str(said["client_id"]),
        key,
        algorithm,
        str(said.get("scope", "openid profile")),
        **lists,
    )


def _key(name: str, said: Any) -> tuple[Key, str]:
    try:
        key = import_key(said)
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValueError(f"the key of {name} is no JWK") from None
    algorithm = str(said.get("alg", ""))
    if not isinstance(key, RSAKey | ECKey) or not key.is_private:
        raise ValueError(f"the key of {name} is no private RSA or EC key")
    if algorithm not in _ALGORITHMS or not said.get("kid"):
        raise ValueError(f"the key of {name} needs kid and alg, one of {sorted(_ALGORITHMS)}")
    return key, algorithm
