"""Journals: what they hold reaches the table once; they are bounded; faults fail the request."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ehr.audit.event import Place, Values, event_of, numbered
from ehr.audit.failing import AuditFailed
from ehr.audit.journal import moving
from ehr.audit.journal.files import HEADER, Segment, own_lock, segments
from ehr.audit.journal.frames import framed
from ehr.audit.journal.journal import Journal
from ehr.audit.journal.moving import Replayed
from ehr.audit.journal.recent import RECENT
from ehr.store.engine import Database
from ehr.store.tables import audit_batch, audit_event
from tests.given_events import event_row

IDENTITY = b"i" * 16
WRITER = 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of journals."""
    made = tmp_path / "journals"
    made.mkdir()
    return made


@pytest.fixture
def journal_of(database: Database, folder: Path) -> Iterator[Callable[..., Journal]]:
    """Give what opens journals; each is closed when the test ends."""
    opened: list[Journal] = []

    def open_journal(writer: int = WRITER, **given: Any) -> Journal:
        opened.append(Journal(database, writer, folder, IDENTITY, **given))
        return opened[-1]

    yield open_journal
    for one in opened:
        if not one._is_over.is_set():
            one.close()


def _events(first: int, last: int) -> list[Values]:
    named = [event_row(named=f"e{n}") for n in range(first, last + 1)]
    return numbered(named, Place(WRITER, 1, first))


def _left(folder: Path, *parts: bytes, number: int = 1, identity: bytes = IDENTITY) -> Path:
    """Leave a segment as a killed process would."""
    lock = own_lock(folder, WRITER)
    segment = Segment(folder, WRITER, number, identity)
    segment.append(b"".join(parts))
    segment.close()
    lock.release(remove=False)
    return segment.path


def _there(database: Database) -> list[int]:
    with database.read() as connection:
        found = connection.execute(select(audit_event).order_by(audit_event.c.n)).all()
        events = [event_of(row) for row in found]
    assert all(event.row.named == f"e{event.place.n}" for event in events)
    return [event.place.n for event in events]


def _batches(database: Database) -> list[tuple[int, int]]:
    c = audit_batch.c
    with database.read() as connection:
        found = connection.execute(select(c.first_n, c.last_n).order_by(c.first_n))
        return [(first, last) for first, last in found]


def test_what_was_left_is_replayed_once(database: Database, folder: Path) -> None:
    _left(folder, framed(_events(1, 2)), framed(_events(3, 3)))
    _left(folder, framed(_events(4, 5)), number=2)

    told = moving.replay(database, folder, IDENTITY)
    again = moving.replay(database, folder, IDENTITY)

    assert (told.events, told.cut_off, told.damaged, again.events) == (5, 0, (), 0)
    assert _there(database) == [1, 2, 3, 4, 5]
    assert _batches(database) == [(1, 3), (4, 5)]
    assert not list(folder.iterdir())


def test_what_was_moved_before_the_kill_is_not_moved_again(
    database: Database, folder: Path
) -> None:
    moving.move(database, _events(1, 3))
    _left(folder, framed(_events(1, 2)), framed(_events(3, 4)))

    moving.replay(database, folder, IDENTITY)

    assert _there(database) == [1, 2, 3, 4]
    assert _batches(database) == [(1, 3), (4, 4)]


def test_a_tail_that_was_cut_off_is_passed_over(database: Database, folder: Path) -> None:
    _left(folder, framed(_events(1, 2)), framed(_events(3, 3))[:-1])

    told = moving.replay(database, folder, IDENTITY)

    assert (told.events, told.damaged) == (2, ())
    assert told.cut_off == len(framed(_events(3, 3))) - 1
    assert _there(database) == [1, 2]


def test_a_damaged_middle_is_told_and_kept(database: Database, folder: Path) -> None:
    second = bytearray(framed(_events(3, 3)))
    second[-1] ^= 1
    path = _left(folder, framed(_events(1, 2)), bytes(second), framed(_events(4, 4)))

    told = moving.replay(database, folder, IDENTITY)

    assert (told.events, told.damaged) == (3, (path.name,))
    assert _there(database) == [1, 2, 4]
    assert _batches(database) == [(1, 2), (4, 4)]
    assert [one.name for one in folder.iterdir()] == [path.name + ".damaged"]


def test_a_journal_of_another_database_is_left_and_told_once(
    database: Database,
    folder: Path,
    journal_of: Callable[..., Journal],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = _left(folder, framed(_events(1, 1)), identity=b"o" * 16)

    with caplog.at_level(logging.ERROR, "ehr.audit"):
        journal = journal_of(6)
        journal._replay()

    assert path.exists()
    assert _there(database) == []
    assert len([one for one in caplog.records if "another_database" in one.message]) == 1


def test_the_journal_of_a_living_process_is_left_alone(
    database: Database, folder: Path, journal_of: Callable[..., Journal]
) -> None:
    journal = journal_of()
    journal._moving.acquire()  # it has no time to move
    journal.add([event_row(named="e1")])

    assert moving.replay(database, folder, IDENTITY).events == 0
    assert _there(database) == []

    journal._moving.release()
    journal.close()
    assert _there(database) == [1]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("recent", [0, 300, RECENT])
def test_segments_follow_one_another_and_go_when_moved(
    database: Database, folder: Path, journal_of: Callable[..., Journal], recent: int
) -> None:
    journal = journal_of(segment=500, recent=recent)
    with journal._moving:
        for n in range(1, 31):
            journal.add([event_row(named=f"e{n}")])
        assert len(segments(folder, WRITER)) > 3

    journal.move()

    assert len(segments(folder, WRITER)) == 1
    assert _there(database) == list(range(1, 31))


def test_a_segment_that_was_moved_before_the_next_begins_is_no_obstacle(
    database: Database, folder: Path, journal_of: Callable[..., Journal]
) -> None:
    journal = journal_of(segment=200)
    for n in range(1, 6):
        journal.add([event_row(named=f"e{n}")])
        journal.move()

    assert _there(database) == [1, 2, 3, 4, 5]
    assert len(segments(folder, WRITER)) == 1


def test_a_frame_larger_than_what_is_read_at_once_is_moved(
    database: Database, journal_of: Callable[..., Journal]
) -> None:
    journal = journal_of(recent=0)
    journal.add([event_row(named=f"e{n}", body=b"x" * 1_200_000) for n in (1, 2)])
    journal.move()

    assert _there(database) == [1, 2]


@given(
    steps=st.lists(st.one_of(st.integers(1, 4), st.none(), st.just("fails")), max_size=30),
    recent=st.sampled_from([0, 200, 500, RECENT]),
    size=st.sampled_from([300, 1000, 1 << 20]),
)
def test_every_event_is_moved_once_whatever_was_kept_of_it(
    steps: list[int | str | None], recent: int, size: int
) -> None:
    """A number adds a frame of so many events, None moves; what fails is moved another time."""
    moved: list[str | None] = []
    is_down = False

    def into_the_table(_database: object, events: Sequence[Values]) -> None:
        if is_down:
            raise OSError("the database is gone")
        moved.extend(event_of(values).row.named for values in events)

    with (
        TemporaryDirectory() as name,
        patch.object(Journal, "_thread"),
        patch.multiple(
            "ehr.audit.journal.journal",
            move=into_the_table,
            replay=lambda *_: Replayed(),
            AT_ONCE=3,
        ),
    ):
        journal = Journal(
            cast("Database", None), WRITER, Path(name), IDENTITY, segment=size, recent=recent
        )
        added = 0
        for step in [*steps, None]:
            if isinstance(step, int):
                journal.add([event_row(named=f"e{added + n}") for n in range(1, step + 1)])
                added += step
                continue
            is_down = step == "fails"
            with suppress(OSError):
                journal.move()
        assert moved == [f"e{n}" for n in range(1, added + 1)]
        assert not journal._waiting


def test_a_full_journal_waits_for_room_and_then_refuses(
    database: Database, journal_of: Callable[..., Journal]
) -> None:
    journal = journal_of(most=300, patience=0.2)
    journal._moving.acquire()
    journal.add([event_row(named="e1", query="x" * 400)])
    assert not journal.healthy()
    with pytest.raises(AuditFailed):
        journal.add([event_row(named="e2")])

    journal._patience = 30
    later = threading.Thread(target=journal.add, args=([event_row(named="e2")],))
    later.start()
    journal._moving.release()
    later.join(20)

    assert journal.healthy()
    journal.close()
    assert _there(database) == [1, 2]


@pytest.mark.parametrize("fault", ["refused", "short"])
def test_what_cannot_be_written_fails_and_leaves_no_gap(
    database: Database,
    journal_of: Callable[..., Journal],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    journal = journal_of()
    journal.add([event_row(named="e1")])
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if fault == "refused":
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:10])

    with monkeypatch.context() as patch:
        patch.setattr("ehr.audit.journal.files.os.write", full)
        with pytest.raises(AuditFailed):
            journal.add([event_row(named="lost")])
    assert not journal.healthy()

    journal.add([event_row(named="e2")])
    assert journal.healthy()
    journal.close()
    assert _there(database) == [1, 2]


def test_what_the_disk_does_not_take_fails_until_it_does(
    journal_of: Callable[..., Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_of()
    failed = threading.Event()

    def fail(_descriptor: int) -> None:
        failed.set()
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("ehr.audit.journal.files.os.fdatasync", fail)
        journal.add([event_row(named="e1")])
        assert failed.wait(10)
        while journal._sync_fault is None:
            pass
        assert not journal.healthy()
        with pytest.raises(AuditFailed):
            journal.add([event_row(named="lost")])

    while journal._sync_fault is not None:
        pass
    journal.add([event_row(named="e2")])
    assert journal.healthy()


def test_where_the_database_is_gone_events_stay_in_the_journal(
    database: Database,
    folder: Path,
    journal_of: Callable[..., Journal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = journal_of()

    def gone(_work: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", gone)
        journal.add([event_row(named="e1")])
        journal.close()
    assert len(segments(folder, WRITER)) == 1

    journal_of(WRITER + 1)
    assert _there(database) == [1]


def test_files_are_for_their_owner_only(folder: Path, journal_of: Callable[..., Journal]) -> None:
    journal_of()

    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert segments(folder, WRITER)[0].stat().st_size == HEADER


def test_nothing_is_taken_after_the_end(journal_of: Callable[..., Journal]) -> None:
    journal = journal_of()
    journal.close()

    with pytest.raises(AuditFailed):
        journal.add([event_row()])
    assert not journal.healthy()
