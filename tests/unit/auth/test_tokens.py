"""Opaque tokens: found while in force, never after; nothing secret is stored."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, select

from auth import models, tokens
from auth.principal import Principal

NOW = 1_700_000_000_000


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    models.metadata.create_all(engine)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def test_a_created_token_is_found(connection: Connection) -> None:
    token = tokens.create(
        connection, kind="system", name="Ward", organisation="Organization/1", now=NOW
    )

    found = tokens.find(connection, token, now=NOW)

    assert found is not None
    assert (found.kind, found.name, found.organisation) == ("system", "Ward", "Organization/1")
    assert token.startswith("secr_")
    assert len(token) == 48


def test_the_token_itself_is_not_stored(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="Ward", now=NOW)

    row = connection.execute(select(models.access_token)).one()

    assert token not in str(row)
    assert token.removeprefix("secr_") not in str(row)


def test_unknown_kind_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="choose from system, operator"):
        tokens.create(connection, kind="god", name="x", now=NOW)


@pytest.mark.parametrize("token", ["", "secr_", "secr_" + "x" * 43, "x" * 48, "secr_" + "é" * 43])
def test_strange_tokens_are_unknown(connection: Connection, token: str) -> None:
    assert tokens.find(connection, token, now=NOW) is None


def test_an_expired_token_is_unknown(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW, expires=NOW + 10)

    assert tokens.find(connection, token, now=NOW + 9) is not None
    assert tokens.find(connection, token, now=NOW + 10) is None


@pytest.mark.parametrize("by_id", [False, True], ids=["by token", "by id"])
def test_a_revoked_token_is_unknown(connection: Connection, by_id: bool) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW)
    (listed,) = tokens.issued(connection)

    assert tokens.revoke(connection, listed.id if by_id else token, now=NOW + 1)

    assert tokens.find(connection, token, now=NOW + 2) is None
    assert tokens.issued(connection)[0].revoked == NOW + 1
    assert not tokens.revoke(connection, token, now=NOW + 3)


@pytest.mark.parametrize("named", ["", "%", "________________", "abc", "secr_unknown"])
def test_revoking_what_is_not_there_changes_nothing(connection: Connection, named: str) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW)

    assert not tokens.revoke(connection, named, now=NOW)
    assert tokens.find(connection, token, now=NOW) is not None


class _CountingLookUp:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.count = 0

    def __call__(self, token: str, now: int) -> tokens.Found | None:
        self.count += 1
        return tokens.look_up(self.connection, token, now)


def test_cache_trusts_a_token_for_a_second(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW)
    cache, look_up = tokens.TokenCache(), _CountingLookUp(connection)

    found = [cache.find(token, now=NOW + at, look_up=look_up) for at in (0, 500, 1000, 1001)]

    assert all(isinstance(each, Principal) for each in found)
    assert look_up.count == 2


def test_cache_never_outlives_a_revocation(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW)
    cache, look_up = tokens.TokenCache(), _CountingLookUp(connection)
    assert cache.find(token, now=NOW, look_up=look_up) is not None

    tokens.revoke(connection, token, now=NOW)

    assert cache.find(token, now=NOW, look_up=look_up) is None


def test_cache_ends_with_the_token(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW, expires=NOW + 300)
    cache, look_up = tokens.TokenCache(), _CountingLookUp(connection)

    assert cache.find(token, now=NOW, look_up=look_up) is not None
    assert cache.find(token, now=NOW + 300, look_up=look_up) is None


def test_cache_looks_up_unknown_tokens_each_time(connection: Connection) -> None:
    cache, look_up = tokens.TokenCache(), _CountingLookUp(connection)

    assert cache.find("secr_" + "x" * 43, now=NOW, look_up=look_up) is None
    assert cache.find("secr_" + "x" * 43, now=NOW, look_up=look_up) is None
    assert look_up.count == 2


def test_cache_is_bounded(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_CACHE_LIMIT", 2)
    cache, look_up = tokens.TokenCache(), _CountingLookUp(connection)
    made = [tokens.create(connection, kind="system", name="x", now=NOW) for _ in range(5)]

    assert all(cache.find(token, now=NOW, look_up=look_up) for token in made)
    assert len(cache._found) <= 2
