"""Events become rows: by one COMMIT or by a journal, once each, in numbers without gaps."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from ehr.audit import rows
from ehr.audit.event import Place, event_of
from ehr.audit.failing import AuditFailed
from ehr.audit.trail import Trail
from ehr.record import now
from ehr.settings import Settings
from ehr.store.engine import Database
from ehr.store.tables import audit_batch, audit_event, audit_seal
from tests.given_events import event_row

THREADS, EACH = 8, 25
Opener = Callable[..., Trail]


@pytest.fixture
def opened(database: Database, tmp_path: Path) -> Iterator[Opener]:
    """Give what opens trails on the database; they are closed when the test ends."""
    trails: list[Trail] = []

    def open_trail(mode: str, *, is_sealed: bool = False) -> Trail:
        settings = Settings(audit=mode, audit_folder=str(tmp_path / "journals"))
        trails.append(Trail(database, settings, now, is_sealed=is_sealed))
        return trails[-1]

    yield open_trail
    for trail in trails:
        trail.close()


def _all(database: Database) -> list[Any]:
    with database.read() as connection:
        columns = audit_event.c
        asked = select(audit_event).order_by(columns.writer, columns.epoch, columns.n)
        return [event_of(row) for row in connection.execute(asked)]


@pytest.mark.parametrize("mode", ["strict", "journal"])
def test_what_many_threads_record_is_there_without_a_gap(
    database: Database, opened: Opener, mode: str
) -> None:
    trail = opened(mode)
    trail.start()

    def record(thread: int) -> None:
        for number in range(EACH):
            trail.record([event_row(named=f"{thread}/{number}"), event_row(patient_key=thread)])

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(record, range(THREADS)))
    trail.close()

    events = _all(database)
    assert [event.place.n for event in events] == list(range(1, 2 * THREADS * EACH + 1))
    assert len({(event.place.writer, event.place.epoch) for event in events}) == 1
    names = [event.row.named for event in events[::2]]
    assert sorted(names) == sorted(f"{t}/{n}" for t in range(THREADS) for n in range(EACH))
    assert all(event.row.patient_key < THREADS for event in events[1::2]), "requests were torn"


def test_each_column_comes_back_as_it_was(database: Database, opened: Opener) -> None:
    full = event_row(
        outcome=8,
        behind=0,
        token_id="t",
        on_behalf_of="Patient/9",
        named="Observation/x",
        query="a=ü",
        found=3,
        items=b"\x00\xff",
        source="Device/other",
        body=b"{}",
    )
    opened("strict").record([full, event_row(type=None, rid=None, version=None, agent=None)])

    first, second = _all(database)
    assert first.row == full
    assert (second.row.type, second.row.rid, second.row.agent) == (None, None, None)


@pytest.mark.parametrize("mode", ["strict", "journal"])
def test_each_start_is_a_writer_of_its_own(database: Database, opened: Opener, mode: str) -> None:
    for trail in (opened(mode), opened(mode)):
        trail.record([event_row()])
        trail.close()

    assert [event.place for event in _all(database)] == [Place(1, 1, 1), Place(2, 1, 1)]


def test_events_of_a_write_are_there_if_and_only_if_it_is(
    database: Database, opened: Opener
) -> None:
    trail = opened("strict")
    trail.start()

    def write(connection: Any, fails: bool) -> None:
        trail.within(connection, [event_row(kind=5), event_row(kind=5)])
        if fails:
            raise KeyError

    with pytest.raises(KeyError):
        database.write(lambda connection: write(connection, True))
    database.write(lambda connection: write(connection, False))
    trail.record([event_row()])

    places = [event.place for event in _all(database)]
    assert places == [Place(-1, 2, 1), Place(-1, 2, 2), Place(1, 1, 1)]
    with database.read() as connection:
        batches = connection.execute(select(audit_batch).order_by(audit_batch.c.writer)).all()
    assert [tuple(batch) for batch in batches] == [(-1, 2, 1, 2), (1, 1, 1, 1)]


def test_where_it_cannot_be_committed_the_request_fails(
    database: Database, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = opened("strict")
    trail.record([event_row(named="before")])

    def fail(_work: Any) -> None:
        raise OSError("no more room")

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", fail)
        with pytest.raises(AuditFailed):
            trail.record([event_row(named="lost")])
        assert not trail.healthy()

    trail.record([event_row(named="after")])
    assert trail.healthy()
    found = [(event.place, event.row.named) for event in _all(database)]
    assert found == [(Place(1, 1, 1), "before"), (Place(1, 2, 1), "after")]


def test_waiting_requests_share_a_commit(
    database: Database, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = opened("strict")
    trail.start()
    write, begun, go = database.write, threading.Event(), threading.Event()
    commits: list[None] = []

    def slow(work: Any) -> Any:
        commits.append(None)
        begun.set()
        go.wait()
        return write(work)

    monkeypatch.setattr(database, "write", slow)
    with ThreadPoolExecutor(10) as threads:
        first = threads.submit(trail.record, [event_row()])
        begun.wait()
        others = [threads.submit(trail.record, [event_row()]) for _ in range(9)]
        gathering = trail._recorder._gathering  # type: ignore[union-attr]
        while gathering.waiting < len(others):
            pass
        go.set()
        for each in (first, *others):
            each.result()

    assert len(commits) == 2
    assert len(_all(database)) == 10


@pytest.mark.damages
@pytest.mark.parametrize("table", [audit_event, audit_seal])
def test_rows_and_seals_are_only_added(database: Database, opened: Opener, table: Any) -> None:
    opened("strict", is_sealed=True).record([event_row()])
    sealer = opened("strict", is_sealed=True)
    sealer.record([event_row()])
    sealer.close()

    for change in (table.update().values(at=1), table.delete()):
        with pytest.raises(DBAPIError, match="only added"):
            database.write(lambda connection, change=change: connection.execute(change))

    def retain(connection: Any) -> int:
        with rows.retention(connection):
            return int(connection.execute(table.delete()).rowcount)

    assert database.write(retain) > 0
    if database.dialect == "postgresql":
        with pytest.raises(DBAPIError, match="only added"):
            database.write(lambda connection: connection.execute(text(f"TRUNCATE {table.name}")))


def test_events_are_listed_newest_first(database: Database, opened: Opener) -> None:
    trail = opened("strict")
    for at in (10, 20, 30):
        trail.record([event_row(at=at, patient_key=at % 20, agent=f"Practitioner/{at}")])

    with database.read() as connection:
        assert [event.row.at for event in rows.listed(connection)] == [30, 20, 10]
        of_patient = rows.listed(connection, patient_keys=[10])
        by_agent = rows.listed(connection, agent="Practitioner/20", since=5)
        late = rows.listed(connection, since=20, limit=1)
    assert [event.row.at for event in of_patient] == [30, 10]
    assert [event.row.at for event in by_agent] == [20]
    assert [event.row.at for event in late] == [30]
