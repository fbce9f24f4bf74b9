"""Limits on guessing over days: who shares an address is not shut out, who guesses is."""

import random
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.models import attempt
from auth.sign_in import attempts
from auth.surroundings import Surroundings
from ehr.app import create_app
from ehr.record import Record
from ehr.settings import Settings
from tests.signing_in import csrf_in

HOUR = 3_600_000


class _Clock:
    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(around: Surroundings) -> _Clock:
    return _Clock(around.clock())


@pytest.fixture
def timed(around: Surroundings, clock: _Clock) -> Surroundings:
    return replace(around, clock=clock)


def _try(around: Surroundings, login: str, *, right: bool = False, place: str = "10.0.0.1") -> bool:
    """Tell whether an attempt may go on."""
    subjects = (attempts.of_login(around, login), attempts.of_address(around, place, login))
    if attempts.take(around, subjects):
        return False
    if right:
        attempts.succeeded(around, subjects)
    return True


def test_a_hospital_behind_one_address_is_never_shut_out(
    timed: Surroundings, clock: _Clock
) -> None:
    chance = random.Random(1)

    for _ in range(3):
        for _ in range(80):
            clock.now += 8 * HOUR // 80
            login = f"user {chance.randrange(100)}"
            if chance.random() < 0.05:
                mistyped = f"{login}{chance.randrange(1000)}" if chance.random() < 0.3 else login
                assert _try(timed, mistyped)
                clock.now += 5000
            assert _try(timed, login, right=True)
        clock.now += 16 * HOUR


def test_t24_who_tries_many_names_from_one_address_is_shut_out(
    timed: Surroundings, clock: _Clock
) -> None:
    tried = 0
    for n in range(24 * 60):
        clock.now += 60_000
        tried += _try(timed, f"user {n}")

    assert tried < 150
    assert _try(timed, "anybody", right=True, place="10.0.0.2")


def test_t24_an_account_of_their_own_gives_a_guesser_no_more(timed: Surroundings) -> None:
    tried = 0
    for n in range(60):
        tried += _try(timed, f"user {n}")
        _try(timed, "their own", right=True)

    assert tried == 50


def test_t24_a_name_that_is_tried_for_days_is_still_limited(
    timed: Surroundings, clock: _Clock
) -> None:
    tried = 0
    for _ in range(24 * 20):
        clock.now += HOUR // 10
        tried += _try(timed, "anna")

    assert tried < 5 + 2 * 24 + 10


def test_t24_all_addresses_of_an_ipv6_network_are_one(timed: Surroundings) -> None:
    tried = [_try(timed, f"user {n}", place=f"2001:db8:0:1::{n:x}") for n in range(60)]

    assert tried.count(True) == 50
    assert _try(timed, "anybody", place="2001:db8:0:2::1")


def test_what_was_not_judged_counts_for_nobody(timed: Surroundings) -> None:
    for n in range(120):
        subjects = (
            attempts.of_login(timed, "mary"),
            attempts.of_address(timed, "10.0.0.1", f"{n % 60}"),
        )
        assert attempts.take(timed, subjects) == 0
        attempts.take_back(timed, subjects)


def test_a_proxy_that_the_settings_name_tells_the_address(
    record: Record, around: Surroundings
) -> None:
    settings = replace(record.settings, trusted_proxies=("172.16.0.0/12", "2001:db8::1"))

    for peer, told in (("172.18.0.1", True), ("2001:db8::1", True), ("127.0.0.1", False)):
        seen = f"192.0.2.{len(peer)}"
        _sign_in(create_app(_with(record, settings)).test_client(), peer, seen)
        with around.store.read() as connection:
            kept = set(connection.execute(select(attempt.c.subject)).scalars())
        assert (attempts.of_address(around, seen, "").hash in kept) is told


def _with(record: Record, settings: Settings) -> Record:
    return replace(record, settings=settings)


def _sign_in(browser: FlaskClient, peer: str, told: str) -> None:
    form = {"csrf": csrf_in(browser.get("/auth/sign-in")), "login": "nobody", "password": "x"}
    browser.post(
        "/auth/sign-in",
        data=form,
        headers={"X-Real-IP": told},
        environ_base={"REMOTE_ADDR": peer},
    )
