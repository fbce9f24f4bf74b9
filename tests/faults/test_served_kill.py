"""kill -9 of a real server, of one worker, of PostgreSQL: what was acknowledged is there, exactly.

After each fall the server starts again on what is left, and by HTTP every acknowledged version is
read back byte for byte; no transaction is half there, history names every version once, and the
record agrees with itself in all that `ehr check --deep` compares.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ehr.bulk.checking import deep_check
from ehr.record import open_record
from ehr.settings import Settings
from ehr.store.bodies import strip
from tests import engines, postgres_pool, postgres_server
from tests.faults.serving import Caller, Server, is_free, serving
from tests.faults.stream import MEMBERS, SYSTEM, Written, write_until

KILLS = [
    pytest.param(5, id="five-times", marks=pytest.mark.slow),
    pytest.param(50, id="fifty-times", marks=pytest.mark.full),
]

# A worker that falls sooner after its start than this ends the server: it is taken for hopeless.
_CRASH_LOOP = 6.0


@pytest.mark.parametrize("kills", KILLS)
def test_a_killed_server_has_kept_all_that_it_acknowledged(database_url: str, kills: int) -> None:
    everything = Written()
    with serving(database_url) as server:
        for round in range(kills):
            written = Written()
            write_until(server, f"r{round}", written, lambda: _fall(server))
            server.start()
            _check(server, written)
            _add(everything, written)
        _check(server, everything)
        _check_history(server.caller(), everything)
    _check_deep(database_url)


def test_workers_end_with_the_server_that_started_them(database_url: str) -> None:
    written = Written()
    with serving(database_url) as server:
        write_until(server, "m", written, lambda: _lose_main(server))
        server.start()
        _check(server, written)
    _check_deep(database_url)


def _lose_main(server: Server) -> None:
    """Kill the main process alone; the port is free when the last worker has ended."""
    port = server.target.port
    _pause()
    server.kill_main()
    limit = time.monotonic() + 30  # of a busy machine
    while not is_free(port):
        assert time.monotonic() < limit, "workers serve on without the server"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_worker_takes_nothing_with_it(database_url: str) -> None:
    written = Written()
    with serving(database_url) as server:

        def lose_some() -> None:
            for _ in range(2):
                _pause()
                server.kill_worker()
                time.sleep(_CRASH_LOOP)
                _until_more(written)  # another worker took its place
            server.kill()

        write_until(server, "w", written, lose_some)
        server.start()
        _check(server, written)
        _check_history(server.caller(), written)
    assert written.interrupted
    _check_deep(database_url)


@pytest.mark.parametrize("kills", KILLS)
def test_a_killed_postgresql_has_kept_all_that_was_acknowledged(
    own_postgres: str, kills: int
) -> None:
    written = Written()
    with serving(own_postgres) as server:

        def lose_some() -> None:
            for _ in range(kills):
                _pause()
                _crash(own_postgres)
                _until_more(written)

        write_until(server, "p", written, lose_some)
        _check(server, written)
        _check_history(server.caller(), written)
    _check_deep(own_postgres)


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[str]:
    """Give a database on a server that may fall: nobody else's tests are on it."""
    if "postgresql" not in engines.chosen():
        pytest.skip("postgresql is not chosen")
    folder = Path(os.environ["TEST_RUN_FOLDER"]) / "falling"
    settings = {"fsync": "on", "full_page_writes": "on"}
    url = postgres_server.start(folder, os.getpid(), settings)
    try:
        postgres_pool.execute(url, "CREATE DATABASE falling")
        named = postgres_pool.in_database(url, "falling")
        open_record(Settings(database_url=named), migrate=True).database.close()
        yield named
    finally:
        postgres_server.stop(folder)


def _fall(server: Server) -> None:
    _pause()
    server.kill()


def _pause() -> None:
    time.sleep(random.uniform(0.05, 0.8))


def _until_more(written: Written) -> None:
    """Wait until writes are acknowledged again."""
    before, limit = len(written.versions), time.monotonic() + 300
    while len(written.versions) < before + 20:
        assert time.monotonic() < limit, "nothing is written any more"
        assert not written.faults, written.faults[0]
        time.sleep(0.02)


def _crash(url: str) -> None:
    """Kill -9 one of PostgreSQL's processes, so that it ends all sessions and recovers."""
    with _recovered(url) as connection:
        writer = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ehr-write' LIMIT 1"
        found = connection.execute(writer).fetchone()
    if found is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(found[0], signal.SIGKILL)


def _recovered(url: str) -> "psycopg.Connection[tuple[int]]":
    """Connect, when the server has recovered: it may still fall while answers come in."""
    limit = time.monotonic() + 300
    while True:
        try:
            return psycopg.connect(url)
        except psycopg.OperationalError:
            assert time.monotonic() < limit, "the server does not recover"
            time.sleep(0.02)


def _add(everything: Written, written: Written) -> None:
    everything.versions |= written.versions
    everything.contents |= written.contents
    everything.deleted |= written.deleted
    everything.transactions |= written.transactions
    everything.conditional |= written.conditional


def _check(server: Server, written: Written) -> None:
    assert not written.faults, written.faults[0]
    assert len(written.versions) > 5, "nothing was written before the fall"
    caller = server.caller()
    for (type, id, number), sent in written.versions.items():
        answer = caller.ask("GET", f"{type}/{id}/_history/{number}")
        assert answer.status == 200, f"{type}/{id} version {number} was acknowledged and is gone"
        assert strip(answer.body) == strip(sent), f"{type}/{id} version {number} has changed"
    for (type, id, number), content in written.contents.items():
        path = f"{type}/{id}/_history/{number}"
        assert caller.ask("GET", path, headers={"Accept": "*/*"}).body == content, path
    for type, id, _ in written.deleted:
        assert caller.ask("GET", f"{type}/{id}").status == 410, f"{type}/{id} came back"
    for name, acknowledged in written.transactions.items():
        there = _members(caller, name)
        assert there in ({MEMBERS} if acknowledged else {0, MEMBERS}), f"half of {name}"
    for value in written.conditional:
        found = caller.ask("GET", f"Patient?identifier={SYSTEM}|{value}").json
        assert len(found["entry"]) == 1, f"{value} was made twice"
    caller.close()


def _members(caller: Caller, name: str) -> int:
    names = [f"Patient/{name}", *(f"Observation/{name}-{n}" for n in range(1, MEMBERS))]
    return sum(caller.ask("GET", one).status == 200 for one in names)


def _check_history(caller: Caller, written: Written) -> None:
    """Walk the history of everything: each version once, and each acknowledged one among them."""
    seen: list[tuple[str, str, int]] = []
    path: str | None = "_history?_count=500"
    while path is not None:
        page = caller.ask("GET", path).json
        for entry in page.get("entry", []):
            type, id = entry["fullUrl"].split("/")[-2:]
            seen.append((type, id, int(entry["response"]["etag"].strip('W/"'))))
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        path = following[0].partition("/fhir/")[2] if following else None
    caller.close()
    assert len(seen) == len(set(seen)), "history names a version twice"
    told = written.versions.keys() | written.contents.keys() | written.deleted
    assert told <= set(seen), sorted(told - set(seen))[:5]


def _check_deep(url: str) -> None:
    record = open_record(Settings(database_url=url))
    try:
        report = deep_check.check(record, lambda _steps, _things: None)
        assert report.is_sound, [one for one in report.findings if one.count]
    finally:
        record.database.close()
