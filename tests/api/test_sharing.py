"""Writes of several callers in one PostgreSQL transaction: nobody notices but the clock."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from auth.principal import Principal
from ehr.errors import Busy, FhirError, PreconditionFailed, Unprocessable
from ehr.interactions import applying
from ehr.messages import Document, Interaction, Preconditions, Result
from ehr.pipeline import handle
from ehr.store.together import write_parts
from tests import given

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.record import Record

Ask = Callable[[], Result]


@dataclass(frozen=True)
class _Held:
    names: tuple[str, ...] = ("held",)


class Callers:
    """Asks several things of the record in such a way that their writes go together."""

    def __init__(self, record: "Record") -> None:
        self.record = record
        self._pool = ThreadPoolExecutor(16)

    def ask(self, name: str, body: given.Resource, who: str = "tests", **asked: Any) -> Ask:
        raw = json.dumps(body).encode()
        method = "POST" if name == "create" else "PUT"
        interaction = Interaction(
            name=name,
            type=body["resourceType"],
            id=body.get("id") if name == "update" else None,
            method=method,
            document=Document(raw, json.loads(raw)),
            **asked,
        )
        return lambda: handle(self.record, Principal(who, "system", who), interaction)

    def together(self, *asks: Ask) -> list[Future[Result]]:
        """Ask while another write is under way, which ends when all of these wait for it."""
        gathering = self.record.database._writer._gathering  # type: ignore[union-attr]  # PostgreSQL's
        is_led, go_on = threading.Event(), threading.Event()

        def hold(_connection: Any, _parts: Sequence[Any]) -> list[None]:
            is_led.set()
            assert go_on.wait(10)
            return [None]

        self._pool.submit(self.record.database.write_shared, _nothing, _Held(), hold)
        assert is_led.wait(10)
        done = []
        for number, ask in enumerate(asks, 1):
            done.append(self._pool.submit(ask))
            limit = time.monotonic() + 10
            while gathering.waiting < number and time.monotonic() < limit:
                time.sleep(0.001)
        go_on.set()
        return done

    def close(self) -> None:
        self._pool.shutdown()


def _nothing(_connection: "Connection") -> None: ...


@pytest.fixture
def callers(record: "Record") -> Iterator[Callers]:
    if record.database.dialect != "postgresql":
        pytest.skip("SQLite has one writer, where waiting writes share a COMMIT")
    made = Callers(record)
    made.ask("update", given.patient(id="mary"))()
    yield made
    made.close()


def _rows(record: "Record", sql: str) -> list[tuple[Any, ...]]:
    with record.database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def _statuses(done: Sequence[Future[Result]]) -> list[int]:
    found = []
    for one in done:
        try:
            found.append(one.result(30).status)
        except FhirError as error:
            found.append(error.status)
    return found


def test_creates_of_several_callers_share_a_transaction(callers: Callers) -> None:
    asks = [callers.ask("create", given.observation("Patient/mary"), who=name) for name in "abcd"]

    assert _statuses(callers.together(*asks)) == [201] * 4

    rows = _rows(
        callers.record,
        "SELECT v.author, v.author_organisation, v.txn_id FROM version v WHERE author <> 'tests'",
    )
    assert sorted(row[0] for row in rows) == ["a", "b", "c", "d"]
    assert len({row[2] for row in rows}) == 1


def test_a_refused_one_leaves_the_others_alone(callers: Callers) -> None:
    made = callers.ask("update", given.observation("Patient/mary") | {"id": "one"})
    made()
    stale = callers.ask(
        "update",
        given.observation("Patient/mary", value=5) | {"id": "one"},
        preconditions=Preconditions(if_match=("7",)),
    )
    fine = callers.ask("create", given.observation("Patient/mary"))

    done = callers.together(fine, stale, fine)

    assert _statuses(done) == [201, 412, 201]
    with pytest.raises(PreconditionFailed):
        done[1].result()
    assert len(_rows(callers.record, "SELECT 1 FROM txn")) == 3  # patient, observation, both


def test_one_refused_late_leaves_the_others_alone(callers: Callers) -> None:
    lost = callers.ask("create", given.observation("Patient/nobody"))
    fine = callers.ask("create", given.observation("Patient/mary"))

    done = callers.together(fine, lost, fine)

    assert _statuses(done) == [201, 422, 201]
    with pytest.raises(Unprocessable):
        done[1].result()


def test_updates_of_one_resource_all_count(callers: Callers) -> None:
    callers.ask("update", given.observation("Patient/mary", value=0) | {"id": "one"})()
    asks = [
        callers.ask("update", given.observation("Patient/mary", value=n) | {"id": "one"})
        for n in (1, 2, 3)
    ]

    done = callers.together(*asks)

    assert _statuses(done) == [200] * 3
    assert [one.result().version for one in done] == [2, 3, 4]


def test_the_same_new_id_is_created_once(callers: Callers) -> None:
    asks = [
        callers.ask("update", given.observation("Patient/mary", value=n) | {"id": "new"})
        for n in (1, 2)
    ]

    assert _statuses(callers.together(*asks)) == [201, 200]


def test_one_may_refer_to_what_another_creates(callers: Callers) -> None:
    done = callers.together(
        callers.ask("update", given.patient(id="ann")),
        callers.ask("create", given.observation("Patient/ann")),
    )

    assert _statuses(done) == [201, 201]


def test_who_waits_for_a_lock_keeps_nobody(callers: Callers) -> None:
    callers.ask("update", given.observation("Patient/mary", value=0) | {"id": "one"})()
    url = callers.record.database.url.set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as other:
        other.execute("SELECT 1 FROM resource WHERE id = 'one' FOR UPDATE")
        waits = callers.ask("update", given.observation("Patient/mary", value=1) | {"id": "one"})
        fine = callers.ask("create", given.observation("Patient/mary"))
        done = callers.together(waits, fine, fine)

        assert _statuses(done[1:]) == [201, 201]
        assert not done[0].done()

    assert _statuses(done) == [200, 201, 201]


def test_a_session_that_ends_before_the_commit_is_made_up_for(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []

    def ends(connection: "Connection", parts: Sequence[Any]) -> Any:
        if not ended:
            ended.append(1)
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return write_parts(connection, parts)

    monkeypatch.setattr(applying, "write_parts", ends)
    fine = callers.ask("create", given.observation("Patient/mary"))

    assert _statuses(callers.together(fine, fine)) == [201, 201]
    assert _statuses(callers.together(fine, fine)) == [201, 201]


def test_a_commit_without_an_answer_is_never_repeated(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(connection: "Connection", parts: Sequence[Any]) -> Any:
        outcomes = write_parts(connection, parts)
        session = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        url = callers.record.database.url.set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (session,))
        return outcomes

    monkeypatch.setattr(applying, "write_parts", ends)
    fine = callers.ask("create", given.observation("Patient/mary"))

    done = callers.together(fine, fine)

    assert _statuses(done) == [503, 503]
    with pytest.raises(Busy):
        done[0].result()
    assert _rows(callers.record, "SELECT count(*) FROM version") == [(1,)]  # mary


def test_other_writes_go_by_themselves(callers: Callers) -> None:
    def bundle() -> Result:
        body = given.transaction(given.observation("Patient/mary"))
        raw = json.dumps(body).encode()
        interaction = Interaction(
            name="transaction", method="POST", document=Document(raw, json.loads(raw))
        )
        return handle(callers.record, Principal("tests", "system", "tests"), interaction)

    is_led, is_done = threading.Event(), threading.Event()

    def hold(_connection: Any, _parts: Sequence[Any]) -> list[None]:
        is_led.set()
        assert is_done.wait(10)
        return [None]

    leader = threading.Thread(
        target=callers.record.database.write_shared, args=(_nothing, _Held(), hold)
    )
    leader.start()
    assert is_led.wait(10)

    assert bundle().status == 200  # while the shared transaction is under way

    is_done.set()
    leader.join()
