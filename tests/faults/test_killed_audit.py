"""kill -9 of processes that record: every acknowledged event is there, once, in a sound chain."""

import random
import signal
import subprocess
import sys
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

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 2


@pytest.mark.parametrize("mode", ["strict", "journal"])
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(1, id="once"),
        pytest.param(5, id="five-times", marks=pytest.mark.slow),
        pytest.param(50, id="fifty-times", marks=pytest.mark.full),
    ],
)
def test_what_was_acknowledged_is_in_the_trail(
    database_url: str, tmp_path: Path, mode: str, kills: int
) -> None:
    folder = tmp_path / "journals"
    acknowledged: list[str] = []
    for round in range(kills):
        acknowledged += _record_and_kill(database_url, mode, folder, round)
    assert acknowledged, "nothing was recorded before the kill"

    database = open_database(database_url, secret=DEVELOPMENT_SECRET)
    try:
        # The next start replays what was left, and seals it.
        trail = Trail(database, Settings(audit=mode, audit_folder=str(folder)), now)
        trail.start()
        trail.close()
        with database.read() as connection:
            c = audit_event.c
            found = Counter(map(tuple, connection.execute(select(c.request_id, c.behind))))
        report = verify(database, None, lambda _seals, _rows: None)
    finally:
        database.close()

    assert set(found.values()) == {1}, "an event is there twice"
    lost = [name for name in acknowledged if (name, 0) not in found or (name, 1) not in found]
    assert not lost, f"{len(lost)} of {len(acknowledged)} were acknowledged and are gone"
    assert {name for name, _ in found} == {name for name, behind in found if behind}, "half a one"
    assert report.is_sound, report.faults
    assert report.rows == len(found)
    assert report.unsealed == 0
    assert not folder.exists() or not list(folder.iterdir())


def _record_and_kill(url: str, mode: str, folder: Path, round: int) -> list[str]:
    """Let processes record for a moment, kill them, and return what they had told of."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.recording", url, mode, folder, f"r{round}p{n}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    told = [[process.stdout.readline()] for process in processes if process.stdout]
    time.sleep(random.uniform(0.05, 0.5))
    for process in processes:
        process.send_signal(signal.SIGKILL)
    for process, lines in zip(processes, told, strict=True):
        with process:
            assert process.stdout is not None
            lines += process.stdout.readlines()
    return [line.strip() for lines in told for line in lines if line.endswith("\n")]
