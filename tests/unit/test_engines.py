"""The test suite's own PostgreSQL and its database copies."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests import engines, postgres_server

ROOT = Path(__file__).resolve().parents[2]


def test_a_server_stops_and_cleans_up_when_its_test_run_is_killed(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"ehr-{os.getpid()}"
    code = (
        "import os; from pathlib import Path; from tests import postgres_server as p;"
        f"print(p.start(Path({str(folder)!r}), os.getpid()));"
        "os.kill(os.getpid(), 9)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == -9, done.stderr
    limit = time.monotonic() + 30
    while folder.exists() and time.monotonic() < limit:
        time.sleep(0.05)
    assert not folder.exists()


def test_the_runs_server_answers_and_keeps_acknowledged_writes() -> None:
    with psycopg.connect(engines.server_url()) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version_num')::int >= 140000,"
            " current_setting('synchronous_commit')"
        ).fetchone()

    assert row == (True, "on")


def test_stopping_a_server_that_never_ran_changes_nothing(tmp_path: Path) -> None:
    postgres_server.stop(tmp_path / "none")

    assert tmp_path.exists()
