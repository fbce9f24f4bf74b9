"""T28: demographics are not harvested. So many look-ups in an hour, found or not, and an alert."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ehr.store import patient_lookups
from ehr.store.patient_lookups import HOUR
from ehr.store.tables import patient_lookup
from tests import given as describe
from tests.client import Client, outcome
from tests.matching import BORN, BUDGET, CALLER, MARY, NOBODY, ask, number, question, wanted

if TYPE_CHECKING:
    from ehr.record import Record
    from ehr.store.engine import Database

App = Callable[..., Client]
ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = BUDGET + 2


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_MATCHES_PER_HOUR": f"{BUDGET}, {SYSTEMS}"}


@pytest.fixture
def record(record: "Record") -> "Record":
    """Stop the clock in the middle of an hour."""
    return replace(record, clock=lambda: NOON)


NOON = 1_800_000_000_000 // HOUR * HOUR + HOUR // 2 + 1


def _reid(client_with: App, **more: Any) -> Client:
    return client_with("user/Patient.s", kind="professional", person="Practitioner/reid", **more)


def _statuses(app: Client, times: int, body: Any = None) -> list[int]:
    return [app.post("Patient/$match", body or wanted()).status_code for _ in range(times)]


def test_t28_misses_count_as_well(client: Client, client_with: App) -> None:
    client.update(describe.patient(id="mary", identifier=[number()]))
    app = _reid(client_with)

    assert _statuses(app, BUDGET - 1, wanted(NOBODY)) == [200] * (BUDGET - 1)
    assert _statuses(app, 3) == [200, 429, 429]


def test_t28_what_can_t_find_anybody_is_not_counted(client_with: App) -> None:
    app = _reid(client_with)

    assert set(_statuses(app, 2 * BUDGET, wanted("9434765910"))) == {422}
    assert _statuses(app, BUDGET + 1) == [200] * BUDGET + [429]


def test_t28_what_comes_of_it_is_told(client: Client, client_with: App) -> None:
    client.update(describe.patient(id="mary", identifier=[number()]))
    app = _reid(client_with)
    _statuses(app, BUDGET)

    refused = app.post("Patient/$match", question())

    [issue] = outcome(refused)
    assert (refused.status_code, issue["code"]) == (429, "throttled")
    assert refused.headers["Retry-After"] == str(HOUR // 2000)
    assert "Wait 30 min" in issue["diagnostics"]
    assert "Murray" not in refused.text


def test_t28_a_person_is_one_caller_with_each_app_and_token(client_with: App) -> None:
    one, other = _reid(client_with), _reid(client_with, client_id="other")
    colleague = client_with("user/Patient.s", kind="professional", person="Practitioner/baird")

    assert _statuses(one, BUDGET) == [200] * BUDGET
    assert _statuses(other, 1) == [429]
    assert _statuses(colleague, 1) == [200]


def test_t28_a_system_has_a_budget_of_its_own(client_with: App) -> None:
    one, again = (client_with("system/Patient.s", kind="system") for _ in range(2))

    assert _statuses(one, SYSTEMS) == [200] * SYSTEMS
    assert _statuses(again, 1) == [429]


def test_t28_a_batch_gets_no_more(client_with: App) -> None:
    entry = describe.entry(question(), method="POST", url="Patient/$match")

    answers = _reid(client_with).transact(describe.batch(*[entry] * (BUDGET + 2)))["entry"]

    statuses = [one["response"]["status"][:3] for one in answers]
    assert statuses == ["200"] * BUDGET + ["429"] * 2
    assert answers[-1]["response"]["outcome"]["issue"][0]["code"] == "throttled"


def test_t28_the_alert_comes_once_and_names_no_patient(
    client_with: App, caplog: pytest.LogCaptureFixture
) -> None:
    app = client_with("user/Patient.s", kind="professional", person="Practitioner/reid")
    with caplog.at_level(logging.WARNING):
        _statuses(app, BUDGET + 5)

    [line] = [one for one in caplog.records if one.name == "ehr.match"]
    assert line.levelno == logging.WARNING
    assert line.getMessage() == (
        f"match_budget_spent caller=Practitioner/reid kind=professional limit={BUDGET}"
    )
    for told in caplog.messages:
        assert MARY not in told
        assert BORN not in told


def test_t28_many_at_once_get_no_more(record: "Record") -> None:
    with ThreadPoolExecutor(8) as pool:
        both = list(pool.map(lambda _: ask(record, CALLER, 5), range(8)))

    assert (sum(yes for yes, _ in both), sum(no for _, no in both)) == (BUDGET, 40 - BUDGET)


def test_t28_two_processes_get_no_more(record: "Record", database_url: str) -> None:
    """They run by the real clock, so that a new hour may begin in between."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.matching", database_url, "20"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ready = [one.stdout.readline() for one in started if one.stdout]
    told: list[str] = [""] * 2

    def go(number: int) -> None:
        told[number] = started[number].communicate("\n", timeout=60)[0]

    threads = [threading.Thread(target=go, args=(number,)) for number in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    answered = sum(int(line.split()[0]) for line in told)
    with record.database.read() as connection:
        [counted] = connection.execute(select(patient_lookup.c.lookups)).scalars()
    assert ready == ["ready\n"] * 2
    assert answered == min(40 - counted, BUDGET) + min(counted, BUDGET)


HOURS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(HOURS)
def test_each_hour_begins_anew_and_none_comes_back(
    database: "Database", calls: list[tuple[str, int]]
) -> None:
    """A clock that is behind counts in the newer hour."""
    database.write(lambda connection: connection.execute(patient_lookup.delete()))
    newest: dict[str, int] = {}
    counts: dict[str, int] = {}
    for caller, hour in calls:
        is_new = hour > newest.get(caller, -1)
        newest[caller] = max(hour, newest.get(caller, -1))
        counts[caller] = 1 if is_new else counts[caller] + 1
        at = hour * HOUR + 5

        counted = database.write(
            lambda connection, caller=caller, at=at: patient_lookups.count(connection, caller, at)
        )

        assert counted == counts[caller]
    with database.read() as connection:
        rows = connection.execute(select(patient_lookup.c.caller, patient_lookup.c.hour)).all()
    assert dict(map(tuple, rows)) == newest
