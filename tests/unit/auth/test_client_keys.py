"""Keys of clients by address: kept no longer than allowed, asked for no more often than needed."""

import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from auth import scopes
from auth.apps.client_keys import ClientKeys, NoKey
from auth.apps.clients import Client
from auth.jose.safe_fetch import Fetched, FetchRefused

_EC = {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "1"}
_RSA = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "2"}
SECOND = 1000
NOW = 1_800_000_000_000


class Site:
    """What an address answers, and how often it was asked."""

    def __init__(self, *keys: dict[str, Any], max_age: int | None = None) -> None:
        self.keys: Any = list(keys)
        self.max_age = max_age
        self.asked = 0
        self.is_down = False

    def fetch(self, _uri: str) -> Fetched:
        """Answer once more."""
        self.asked += 1
        if self.is_down:
            raise FetchRefused("down")
        return Fetched({"keys": self.keys}, self.max_age)


def _client(**changes: Any) -> Client:
    values: dict[str, Any] = dict.fromkeys(Client.__slots__)
    values |= {"id": "lab", "scope": scopes.NONE, "jwks_uri": "https://lab.example/jwks"}
    return Client(**{**values, **changes})


def _times(keys: ClientKeys, kid: str, *seconds: float) -> Iterator[bool]:
    """Look for a key at several moments; tell each time whether it was found."""
    for second in seconds:
        try:
            keys.find(_client(), kid, "ES384", now=NOW + int(second * SECOND))
        except NoKey:
            yield False
        else:
            yield True


@pytest.mark.parametrize(
    ("max_age", "asked"),
    [(None, [1, 1, 2]), (60, [1, 2, 3]), (0, [1, 2, 3]), (31_536_000, [1, 1, 2])],
)
def test_t18_keys_are_kept_no_longer_than_their_sender_lets_them_be(
    max_age: int | None, asked: list[int]
) -> None:
    site = Site(_EC, max_age=max_age)
    keys = ClientKeys(site.fetch)
    seen = []

    assert all(_times(keys, "1", 0))
    for second in (1, 100, 3601):
        assert all(_times(keys, "1", second))
        seen.append(site.asked)

    assert seen == asked


def test_t18_a_new_key_is_looked_for_once_in_thirty_seconds() -> None:
    site = Site(_EC)
    keys = ClientKeys(site.fetch)
    list(_times(keys, "1", 0))
    site.keys = [{**_EC, "kid": "new"}]

    found = list(_times(keys, "new", 1, 10, 29, 31, 32))

    assert found == [False, False, False, True, True]
    assert site.asked == 2


@pytest.mark.parametrize("kid", ["1", "strange"])
def test_t18_what_may_not_be_kept_is_asked_for_once_in_thirty_seconds(kid: str) -> None:
    site = Site(_EC, max_age=0)
    keys = ClientKeys(site.fetch)

    list(_times(keys, kid, *range(61)))

    assert site.asked == 3


def test_t18_nobody_waits_for_a_slow_site() -> None:
    site, begun, answered = Site(_EC, max_age=0), threading.Event(), threading.Event()

    def fetch(uri: str) -> Fetched:
        begun.set()
        assert answered.wait(30)
        return site.fetch(uri)

    keys = ClientKeys(fetch)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(list, _times(keys, "1", 0))
        assert begun.wait(30)
        refused = list(_times(keys, "1", 0, 1))
        answered.set()
        assert first.result(30) == [True]
        begun.clear()
        answered.clear()
        again = pool.submit(list, _times(keys, "1", 31))
        assert begun.wait(30)
        served = list(_times(keys, "1", 31, 32))
        answered.set()
        assert again.result(30) == [True]

    assert (refused, served) == ([False, False], [True, True])
    assert site.asked == 2


def test_t18_strange_kids_do_not_make_us_ask() -> None:
    site = Site(_EC)
    keys = ClientKeys(site.fetch)

    for number in range(100):
        assert not any(_times(keys, f"strange-{number}", 1))

    assert site.asked == 1


def test_t18_who_does_not_answer_is_left_alone_for_a_while() -> None:
    site = Site(_EC)
    site.is_down = True
    keys = ClientKeys(site.fetch)

    assert not any(_times(keys, "1", 0, 1, 29))
    assert site.asked == 1
    site.is_down = False
    assert all(_times(keys, "1", 31))


def test_keys_that_are_gone_are_not_used_on() -> None:
    site = Site(_EC, max_age=60)
    keys = ClientKeys(site.fetch)
    list(_times(keys, "1", 0))
    site.keys = []

    assert list(_times(keys, "1", 61)) == [False]


@pytest.mark.parametrize(
    "document",
    [[_EC] * 21, "x", [7], [{**_EC, "x": "!"}], [{"kty": "EC", "kid": "1", "crv": "P-384"}]],
    ids=["too many", "no list", "no keys", "unreadable", "half a key"],
)
def test_t18_other_documents_are_no_keys(document: Any) -> None:
    site = Site()
    site.keys = document

    assert not any(_times(ClientKeys(site.fetch), "1", 0))


def _short() -> dict[str, Any]:
    """Return a key of 1024 bits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {**RSAKey.generate_key(1024).as_dict(private=False), "kid": "1"}


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (_EC, "RS384"),
        (_RSA, "ES384"),
        ({**_EC, "use": "enc"}, "ES384"),
        ({**_EC, "alg": "ES256"}, "ES384"),
        ({**ECKey.generate_key("P-256").as_dict(private=False), "kid": "1"}, "ES384"),
        ({"kty": "oct", "k": "c2VjcmV0", "kid": "1"}, "ES384"),
        (_short(), "RS384"),
    ],
    ids=["EC", "RSA", "to encrypt", "another algorithm", "another curve", "a secret", "short"],
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_t13_a_key_is_for_its_algorithm_alone(key: dict[str, Any], algorithm: str) -> None:
    client = _client(jwks={"keys": [key]})

    with pytest.raises(NoKey):
        ClientKeys(Site().fetch).find(client, str(key["kid"]), algorithm, now=NOW)


def test_keys_that_are_registered_themselves_are_never_asked_for() -> None:
    site = Site()
    client = _client(jwks={"keys": [_EC, _RSA]}, jwks_uri=None)
    keys = ClientKeys(site.fetch)

    assert keys.find(client, "1", "ES384", now=NOW).key_type == "EC"
    assert keys.find(client, "2", "RS256", now=NOW).key_type == "RSA"
    with pytest.raises(NoKey, match="exactly one"):
        keys.find(client, "3", "ES384", now=NOW)
    assert site.asked == 0


def test_a_client_without_keys_has_none() -> None:
    with pytest.raises(NoKey, match="no keys"):
        ClientKeys(Site().fetch).find(_client(jwks_uri=None), "1", "ES384", now=NOW)
