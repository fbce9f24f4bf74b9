"""kill -9 of a real server under load: every answer that came has its event, in a sound chain."""

import http.client
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from ehr.audit.trail import Trail
from ehr.audit.verifying import verify
from ehr.record import now
from ehr.settings import DEVELOPMENT_SECRET, Settings
from ehr.store.opening import open_database
from ehr.store.tables import audit_event
from tests import given
from tests.faults.serving import Server, serving

CALLERS = 6


@pytest.mark.parametrize("mode", ["journal", "strict"])
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(1, id="once", marks=pytest.mark.slow),
        pytest.param(50, id="fifty-times", marks=pytest.mark.full),
    ],
)
def test_every_answer_has_its_event(
    database_url: str, tmp_path: Path, mode: str, kills: int
) -> None:
    folder = tmp_path / "journals"
    settings = {"EHR_AUDIT": mode, "EHR_AUDIT_FOLDER": str(folder)}
    answered: list[str] = []
    with serving(database_url, **settings) as server:
        for round in range(kills):
            answered += _load_and_kill(server, round)
            server.start()
    assert len(answered) > kills, "nothing was answered before the kill"

    database = open_database(database_url, secret=DEVELOPMENT_SECRET)
    try:
        # The next start replays and seals what a worker left that ended before it was whole.
        trail = Trail(database, Settings(audit=mode, audit_folder=str(folder)), now)
        trail.start()
        trail.close()
        with database.read() as connection:
            asked = select(audit_event.c.request_id, audit_event.c.outcome)
            found = Counter(tuple(row) for row in connection.execute(asked))
        report = verify(database, None, lambda _seals, _rows: None)
    finally:
        database.close()

    lost = [name for name in answered if not found[name, 0]]
    assert not lost, f"{len(lost)} of {len(answered)} were answered and have no event"
    assert max(found[name, 0] for name in answered) == 1, "an event is there twice"
    assert report.is_sound, report.faults
    assert report.unsealed == 0
    assert not folder.exists() or not list(folder.iterdir())


def _load_and_kill(server: Server, round: int) -> list[str]:
    """Call from several threads, kill the server in mid-flight; return what was answered."""
    answered: list[list[str]] = [[] for _ in range(CALLERS)]
    first = server.caller()
    first.ask("PUT", "Patient/mary", given.patient(id="mary"))
    first.close()
    threads = [
        threading.Thread(target=_call, args=(server, f"r{round}c{n}", mine))
        for n, mine in enumerate(answered)
    ]
    for thread in threads:
        thread.start()
    time.sleep(random.uniform(0.3, 1.5))
    server.kill()
    for thread in threads:
        thread.join(60)
    return [name for mine in answered for name in mine]


def _call(server: Server, name: str, answered: list[str]) -> None:
    """Read, search and write until the server is gone; note each request that was answered."""
    caller = server.caller()
    try:
        for number in range(1_000_000):
            request = f"{name}n{number}"
            headers = {"X-Request-Id": request}
            path = "Patient?_id=mary" if number % 3 else "Patient/mary"
            if number % 5:
                answer = caller.ask("GET", path, headers=headers)
            else:
                pulse = given.observation("Patient/mary", value=number)
                answer = caller.ask("POST", "Observation", pulse, headers=headers)
            assert answer.ok, answer.body
            answered.append(request)
    except (OSError, http.client.HTTPException):
        return  # it fell
    finally:
        caller.close()
