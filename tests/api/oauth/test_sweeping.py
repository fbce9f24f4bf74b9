"""What ended is removed after some time, and nothing that is still of use."""

from typing import TYPE_CHECKING

from flask.testing import FlaskClient
from sqlalchemy import select

from auth import sweeping, tokens
from auth.authorizing import kept_requests
from auth.jose import jwts
from auth.models import metadata, pushed_request
from auth.surroundings import Surroundings
from tests import token_flow as flow

if TYPE_CHECKING:
    from ehr.record import Record

DAY = 86_400_000
SWEPT = (
    "access_grant", "access_token", "authorization_code", "pushed_request", "refresh_token",
    "used_jti",
)  # fmt: skip


def _counts(around: Surroundings) -> dict[str, int]:
    with around.store.read() as connection:
        return {
            name: len(connection.execute(metadata.tables[name].select()).all()) for name in SWEPT
        }


def _fill(around: Surroundings, web: FlaskClient) -> flow.App:
    app = flow.app(around)
    flow.exchange(web, app, flow.code(around, app, flow.person(around)))
    service = flow.service(around)
    flow.token(web, service, "client_credentials", scope="system/*.rs")
    around.store.write(lambda c: tokens.create(c, kind="system", name="by hand", now=1, expires=2))
    return app


def test_nothing_that_is_of_use_is_removed(around: Surroundings, web: FlaskClient) -> None:
    _fill(around, web)
    before = _counts(around)

    around.store.write(lambda c: sweeping.sweep(c, now=around.clock()))

    assert _counts(around) == before


def test_what_ended_is_removed_but_tokens_made_by_hand(
    around: Surroundings, web: FlaskClient
) -> None:
    _fill(around, web)

    around.store.write(lambda c: sweeping.sweep(c, now=around.clock() + 300 * DAY))

    left = _counts(around)
    assert left.pop("access_token") == 1
    assert set(left.values()) == {0}


def test_who_gets_a_token_sweeps(around: Surroundings, record: "Record") -> None:
    around.store.write(lambda c: jwts.use_once(c, "lab", "old", expires=around.clock() - 1))
    service = flow.service(around)

    flow.token(flow.later(record, 0), service, "client_credentials", scope="system/*.rs")

    assert _counts(around)["used_jti"] == 1  # the one of this request


def test_who_asks_for_access_sweeps(around: Surroundings, record: "Record") -> None:
    app = flow.app(around)
    asked = flow.asked(around, app)
    for path in ("par", "authorize"):
        around.store.write(lambda c: jwts.use_once(c, "lab", "old", expires=around.clock() - 1))
        flow.later(record, 0).post(f"/auth/{path}", data=asked)
        assert _counts(around)["used_jti"] == 0


def test_only_what_is_known_of_a_request_is_kept_until_it_is_answered(
    around: Surroundings, record: "Record"
) -> None:
    """Anybody may ask: what they add must not fill the disk."""
    app = flow.app(around)
    for path in ("par", "authorize"):
        flow.later(record, 0).post(
            f"/auth/{path}", data={**flow.asked(around, app), "junk": "j" * 100_000}
        )
    assert [len(one) < 1000 for one in _parameters(around)] == [True, True]

    request = flow.request(around, app)
    around.store.write(lambda c: kept_requests.take(c, request.handle, now=around.clock()))

    assert "{}" in _parameters(around)


def _parameters(around: Surroundings) -> list[str]:
    with around.store.read() as connection:
        return list(connection.execute(select(pushed_request.c.parameters)).scalars())


def test_a_sweeper_waits_ten_minutes(around: Surroundings, web: FlaskClient) -> None:
    sweeper = sweeping.Sweeper()
    sweeper.sweep_if_due(around)
    around.store.write(
        lambda c: tokens.create(
            c, kind="system", name="old", now=1, expires=2, client_id="x", scope="system/*.rs"
        )
    )

    sweeper.sweep_if_due(around)
    kept = _counts(around)["access_token"]
    sweeping.Sweeper().sweep_if_due(around)

    assert (kept, _counts(around)["access_token"]) == (1, 0)
