"""Opaque tokens: found while in force, never after; nothing secret is stored."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, delete, select

from auth import models, scopes, tokens

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
    caller = found.principal
    assert (caller.kind, caller.name, caller.organisation) == ("system", "Ward", "Organization/1")
    assert caller.scopes is None
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


def test_cache_knows_what_a_token_stands_for(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW)
    cache = tokens.TokenCache()

    found = [cache.find(connection, token, now=NOW + at) for at in (0, 500, 100_000)]

    assert found[0] is not None
    assert found[0] is found[1] is found[2]


def test_cache_never_outlives_a_revocation(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW)
    cache = tokens.TokenCache()
    assert cache.find(connection, token, now=NOW) is not None

    tokens.revoke(connection, token, now=NOW)

    assert cache.find(connection, token, now=NOW) is None


def test_cache_never_outlives_the_row(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW)
    cache = tokens.TokenCache()
    assert cache.find(connection, token, now=NOW) is not None

    connection.execute(delete(models.access_token))

    assert cache.find(connection, token, now=NOW) is None


def test_cache_ends_with_the_token(connection: Connection) -> None:
    token = tokens.create(connection, kind="system", name="x", now=NOW, expires=NOW + 300)
    cache = tokens.TokenCache()

    assert cache.find(connection, token, now=NOW) is not None
    assert cache.find(connection, token, now=NOW + 300) is None


def test_cache_does_not_remember_what_it_does_not_find(connection: Connection) -> None:
    cache = tokens.TokenCache()

    assert cache.find(connection, "secr_" + "x" * 43, now=NOW) is None
    assert cache.find(connection, "nothing", now=NOW) is None
    assert not cache._found


def test_cache_is_bounded(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_CACHE_LIMIT", 2)
    cache = tokens.TokenCache()
    made = [tokens.create(connection, kind="system", name="x", now=NOW) for _ in range(5)]

    assert all(cache.find(connection, token, now=NOW) for token in made)
    assert len(cache._found) <= 2


def test_a_token_that_a_client_was_given_says_for_whom(connection: Connection) -> None:
    context = {
        "person": "Patient/mary",
        "author": "Patient/mary",
        "patients": ["mary", "tom"],
        "role": "patient",
        "launch": {"patient": "tom"},
    }
    token = tokens.create(
        connection,
        kind="patient",
        name="Mary Murray",
        now=NOW,
        client_id="app",
        scope="openid patient/*.rs",
        context=json.dumps(context),
    )

    found = tokens.find(connection, token, now=NOW)

    assert found is not None
    assert found.principal.scopes == scopes.parse("openid patient/*.rs")
    assert found.principal.patient == "tom"
    assert found.principal.patients == ("mary", "tom")
    assert (found.principal.id, found.principal.client) == ("Patient/mary", "app")
