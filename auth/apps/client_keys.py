"""The public keys of clients: registered themselves, or by the address where they are kept.

SMART App Launch 2.2, *Registering a SMART app with asymmetric authentication*: both are supported,
and an answer is kept no longer than its sender lets it be, but for 30 seconds: anybody may name a
client, and would make us ask its address without end. A key that is not there is looked for again
after as long, and so is an address that did not answer. Only one asks an address at a time: others
have what is known, and where nothing is they are refused, so that no slow site holds them all.
"""

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError

from auth.apps.clients import Client
from auth.jose.safe_fetch import Fetched, FetchRefused, fetch_json

_LOG = logging.getLogger("auth.apps.client_keys")
_MOST_KEYS = 20
_LONGEST_KEPT = 3600_000
_USUALLY_KEPT = 300_000
_PAUSE = 30_000
_MOST_SETS = 1000
_TYPES = {"RS256": "RSA", "RS384": "RSA", "ES384": "EC"}

Fetch = Callable[[str], Fetched]


class NoKey(Exception):
    """Why a client has no key to check by, for developers."""


@dataclass(slots=True)
class _Kept:
    """What an address answered; times are milliseconds."""

    keys: tuple[Mapping[str, Any], ...] = ()
    fetched: int = 0
    ends: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def needs(self, kid: str, now: int) -> bool:
        """Tell whether the address must be asked, and may be."""
        is_there = any(key.get("kid") == kid for key in self.keys)
        return now >= self.ends or (not is_there and now >= self.fetched + _PAUSE)


class ClientKeys:
    """Finds the one key that a JWT of a client names; remembers what addresses answered."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._sets: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def find(self, client: Client, kid: str, algorithm: str, *, now: int) -> jwk.Key:
        """Return the key of a client with this kid and for this algorithm. Raises NoKey."""
        if client.jwks is not None:
            return _one(_keys(client.jwks), kid, algorithm)
        if client.jwks_uri is None:
            raise NoKey("The client has no keys registered.")
        kept = self._kept(client.jwks_uri)
        if kept.needs(kid, now) and kept.lock.acquire(blocking=False):
            try:
                if kept.needs(kid, now):
                    self._renew(kept, client.jwks_uri, now)
            finally:
                kept.lock.release()
        return _one(kept.keys, kid, algorithm)

    def _kept(self, uri: str) -> _Kept:
        with self._lock:
            if uri not in self._sets and len(self._sets) >= _MOST_SETS:
                self._sets.clear()
            return self._sets.setdefault(uri, _Kept())

    def _renew(self, kept: _Kept, uri: str, now: int) -> None:
        kept.fetched = now
        try:
            answer = self._fetch(uri)
            kept.keys = _keys(answer.document)
        except (FetchRefused, NoKey) as fault:
            _LOG.warning("client_keys_unread reason=%s", fault)
            kept.keys, kept.ends = (), now + _PAUSE
            return
        life = _USUALLY_KEPT if answer.max_age is None else answer.max_age * 1000
        kept.ends = now + min(max(life, _PAUSE), _LONGEST_KEPT)


def fetching(allowed: Collection[str]) -> Fetch:
    """Return what fetches key sets; `allowed` origins need be neither public nor https."""
    return lambda uri: fetch_json(uri, allowed=allowed)


def _keys(document: Any) -> tuple[Mapping[str, Any], ...]:
    found = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(found, list | tuple) or not all(isinstance(key, Mapping) for key in found):
        raise NoKey("The client's keys are no JWK Set.")
    if len(found) > _MOST_KEYS:
        raise NoKey(f"The client's key set has more than {_MOST_KEYS} keys.")
    return tuple(found)


def _one(keys: Collection[Mapping[str, Any]], kid: str, algorithm: str) -> jwk.Key:
    """Return the one key that fits: none, or several, are no key at all."""
    fitting = [key for key in keys if key.get("kid") == kid and _fits(key, algorithm)]
    if len(fitting) != 1:
        raise NoKey("kid must name exactly one key of the client that is for alg.")
    public = {name: value for name, value in fitting[0].items() if name in _PUBLIC}
    try:
        found = jwk.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        raise NoKey("The key that kid names can't be read.") from None
    if isinstance(found, jwk.RSAKey) and found.public_key.key_size < 2048:
        raise NoKey("The key that kid names is shorter than 2048 bits.")
    return found


_PUBLIC = {"kty", "n", "e", "crv", "x", "y"}


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    return (
        key.get("kty") == _TYPES[algorithm]
        and (algorithm != "ES384" or key.get("crv") == "P-384")
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
    )
