"""What keys a client may register: public ones, of the kinds that assertions are checked by.

RFC 7517 and RFC 7518; SMART App Launch 2.2, *Registering a SMART app with asymmetric
authentication*. Said when a client is registered, so that nobody looks for it at the first sign-in.
"""

from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Mapping
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError

_MOST = 20
_LONGEST_KID = 128
_SHORTEST = 2048  # bits, of RSA
_LARGEST = 8192
_CURVES = ("P-256", "P-384")
_SECRET = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_ALGORITHMS = {"RSA": ("RS256", "RS384"), "P-384": ("ES384",), "P-256": ("ES256",)}
# Clients whose key set serves others too have keys on P-256; no assertion is checked by them here.
_CHECKED_BY = ("RSA", "P-384")
_PUBLIC = {"kty", "n", "e", "crv", "x", "y"}


def fault(jwks: Any) -> str | None:
    """Say what is wrong with a JWK Set, for who registers it; None where nothing is."""
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, list | tuple) or not all(isinstance(key, Mapping) for key in keys):
        return 'Keys are written as a JWK Set: {"keys": [ … ]}.'
    if not 0 < len(keys) <= _MOST:
        return f"A key set has 1 to {_MOST} keys."
    if any(_SECRET & key.keys() for key in keys):
        return "The keys are private. Register only public keys, and make new ones."
    for number, key in enumerate(keys):
        if (wrong := _fault_of(key)) is not None:
            return f"Key {number} of the set {wrong}."
    if max(Counter((key["kty"], key["kid"]) for key in keys).values()) > 1:
        return "Each key of a kty needs a kid of its own."
    if not any(_kind(key) in _CHECKED_BY for key in keys):
        return "Assertions are checked by RSA or EC on P-384. Register a key of these as well."
    return None


def _kind(key: Mapping[str, Any]) -> Any:
    return key.get("crv") if key.get("kty") == "EC" else key.get("kty")


def _fault_of(key: Mapping[str, Any]) -> str | None:
    kid = key.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID:
        return f"needs a kid: a text of at most {_LONGEST_KID} characters"
    kind = _kind(key)
    if not isinstance(kind, str) or kind not in _ALGORITHMS:
        return f"must be RSA of {_SHORTEST} bits or more, or EC on {' or '.join(_CURVES)}"
    return _fault_of_use(key, kind) or _fault_of_numbers(key, kind)


def _fault_of_use(key: Mapping[str, Any], kind: str) -> str | None:
    if key.get("use", "sig") != "sig":
        return "must be for signatures: use is sig, or left out"
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list | tuple) or "verify" not in operations:
        return "must be to verify by: key_ops is verify, or left out"
    if key.get("alg", _ALGORITHMS[kind][0]) not in _ALGORITHMS[kind]:
        return f"has an alg that it is not for: {' or '.join(_ALGORITHMS[kind])}"
    return None


def _fault_of_numbers(key: Mapping[str, Any], kind: str) -> str | None:
    try:
        if kind == "RSA":
            size = int.from_bytes(urlsafe_b64decode(f"{key['n']}==")).bit_length()
            if not _SHORTEST <= size <= _LARGEST:
                return f"has {size} bits: RSA has {_SHORTEST} to {_LARGEST}"
        found = jwk.import_key({name: key[name] for name in _PUBLIC & key.keys()})
        _ = found.raw_value  # which is made only now
    except (JoseError, ValueError, TypeError, KeyError):
        return "can't be read"
    return None
