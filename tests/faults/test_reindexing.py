"""`$reindex` beside a server in use, and killed in the middle: nothing is missed, nothing lost."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ehr.bulk.checking import deep_check
from ehr.bulk.loading.writing import LOADER, LOADING
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.messages import Document
from ehr.operations.reindexing.asked import Asked
from ehr.operations.reindexing.job import take
from ehr.record import Record, open_record
from ehr.settings import Settings
from ehr.store import reindex_runs
from ehr.store.drafts import Method
from fhir_profiles import json_format
from tests.faults.serving import ROOT, Answer, Server, serving
from tests.given_parameters import eyed, ids, search_parameter

pytestmark = pytest.mark.slow
MANY = 3_000
_SLICE = 500


def _put(record: Record, resources: list[dict[str, Any]]) -> None:
    for first in range(0, len(resources), _SLICE):
        changes = []
        for one in resources[first : first + _SLICE]:
            raw = json.dumps(one).encode()
            document = Document(raw, json_format.parse(raw))
            changes.append(Change(Method.PUT, one["resourceType"], one["id"], document=document))
        apply(record, LOADER, changes, asked=LOADING)


def _is_sound(record: Record) -> bool:
    report = deep_check.check(record, lambda _steps, _things: None)
    assert report.is_sound, [(one.name, one.examples) for one in report.faults]
    return True


def test_a_killed_run_goes_on_and_is_whole(database_url: str, tmp_path: Path) -> None:
    record = open_record(Settings(database_url=database_url))
    try:
        _put(record, [eyed(f"p{n}", "blue", active=True) for n in range(MANY)])
        _put(record, [search_parameter("eye")])
        kills = 0
        while kills < 3 and _reindex_and_kill(record, database_url, tmp_path):
            kills += 1
            assert _is_sound(record)
        assert kills, "the run ended before it was killed"

        with _reindex(database_url, tmp_path) as last:
            told = json.loads(last.communicate(timeout=300)[0])

        assert last.returncode == 0
        if kills == 3:  # else the last one was let finish, and this one was another
            assert told["visited"] == MANY + 1
        assert told["parameters"][0] == {
            "url": search_parameter("eye")["url"],
            "code": "eye",
            "state": "ready",
            "expected": MANY,
            "counted": MANY,
        }
        assert _is_sound(record)
    finally:
        record.database.close()


def _reindex_and_kill(record: Record, url: str, folder: Path) -> bool:
    """Reindex until some is done, and kill then; tell whether that was in the middle."""
    before = _visited(record)
    running = _reindex(url, folder)
    while running.poll() is None and _visited(record) == before:
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    with running:
        running.wait(30)
    run = _newest(record)
    return run is not None and run.state == reindex_runs.RUNNING


def _visited(record: Record) -> int:
    run = _newest(record)
    return run.visited if run is not None and run.state == reindex_runs.RUNNING else 0


def _newest(record: Record) -> reindex_runs.Run | None:
    with record.database.read() as connection:
        return reindex_runs.newest(connection)


def _reindex(url: str, folder: Path) -> "subprocess.Popen[bytes]":
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EHR_")}
    return subprocess.Popen(
        [sys.executable, "-m", "ehr", "reindex", "--json"],
        cwd=folder,
        env=kept | {"EHR_DATABASE_URL": url, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_writers_of_several_processes_miss_nothing(database_url: str) -> None:
    record = open_record(Settings(database_url=database_url))
    try:
        _put(record, [eyed(f"p{n}", "blue") for n in range(MANY // 5)])
        with serving(database_url) as server:
            stop, failures = threading.Event(), list[Any]()

            def write(which: int) -> None:
                caller, n = server.caller(), 0
                while not stop.is_set():
                    n += 1
                    known, new = f"p{(which * 97 + n * 13) % (MANY // 5)}", f"n{which}-{n}"
                    for id in (known, new):
                        body = eyed(id, "green", active=n % 2 == 0)
                        answer = caller.ask("PUT", f"Patient/{id}", body)
                        if not answer.ok:
                            failures.append((answer.status, answer.body))
                    caller.ask("DELETE", f"Patient/n{which}-{n - 3}")
                caller.close()

            writers = [threading.Thread(target=write, args=(n,)) for n in range(6)]
            for one in writers:
                one.start()
            defined = _ask(server, "PUT", "SearchParameter/eye", search_parameter("eye"))
            assert defined.status == 201, defined.body
            done = take(record, Asked()).run()
            time.sleep(1.5)  # every worker has looked by then
            asked = [_ask(server, "GET", "Patient?eye=green&_count=5") for _ in range(12)]
            stop.set()
            for one in writers:
                one.join(60)

            assert done["state"] == "done", done["disagreements"]
            assert not failures, failures[:3]
            assert {one.status for one in asked} == {200}
            by_eye = _ask(server, "GET", "Patient?eye=blue,green&_summary=count").json
            every = _ask(server, "GET", "Patient?_summary=count").json
            assert by_eye["total"] == every["total"]
            assert ids(_ask(server, "GET", "Patient?eye=pink").json) == set()
        assert _is_sound(record)
    finally:
        record.database.close()


def _ask(server: Server, method: str, path: str, body: Any = None) -> Answer:
    """Ask over a connection of its own, which any of the workers may take."""
    caller = server.caller()
    try:
        return caller.ask(method, path, body)
    finally:
        caller.close()
