"""The chain: what is committed is sealed once, and whatever is done to it afterwards is told."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, and_, select

from ehr.audit import rows, seals
from ehr.audit.chain import PURPOSE, Range, Seal, Signer, merged, packed, unpacked
from ehr.audit.event import Place, numbered
from ehr.audit.sealing import Sealer, note, signer
from ehr.audit.verifying import Report, verify
from ehr.settings import Settings
from ehr.store.engine import Database
from ehr.store.tables import audit_batch, audit_event, audit_seal
from tests.given_events import event_row

pytestmark = pytest.mark.damages
Change = Callable[[Connection], Any]


def _clock() -> int:
    return 1_800_000_000_000


@pytest.fixture
def sealer(database: Database) -> Iterator[Sealer]:
    """Give a sealer that seals when it is told."""
    one = Sealer(database, _clock)
    yield one
    one.close()


def _add(database: Database, writer: int, first: int, count: int, epoch: int = 1) -> None:
    added = [event_row(named=f"{writer}/{epoch}/{first + n}") for n in range(count)]
    database.write(lambda c: rows.add(c, numbered(added, Place(writer, epoch, first))))


def _verified(database: Database, checkpoint: Path | None = None) -> Report:
    return verify(database, checkpoint, lambda _seals, _rows: None)


def _texts(report: Report) -> str:
    return "\n".join(one.text for one in report.faults)


@pytest.fixture
def sealed(database: Database, sealer: Sealer) -> Database:
    """Give a database with three seals over ten rows of two writers and of transactions."""
    _add(database, 1, 1, 2)
    sealer.seal_all()
    _add(database, 2, 1, 3)
    _add(database, 1, 3, 2)
    _add(database, -1, 1, 1, epoch=7)
    sealer.seal_all()
    _add(database, -1, 1, 1, epoch=5)  # committed after a later one
    _add(database, 2, 4, 1)
    sealer.seal_all()
    return database


def _damaged(database: Database, change: Change) -> None:
    """Do what nobody may: rows are taken away and put back changed."""

    def work(connection: Connection) -> None:
        with rows.retention(connection):
            change(connection)

    database.write(work)


def _at(place: Place) -> Any:
    c = audit_event.c
    return and_(c.writer == place.writer, c.epoch == place.epoch, c.n == place.n)


def _replaced(connection: Connection, place: Place, **changed: Any) -> None:
    row = connection.execute(select(audit_event).where(_at(place))).one()._asdict()
    connection.execute(audit_event.delete().where(_at(place)))
    connection.execute(audit_event.insert().values(**(row | changed)))


def test_a_whole_trail_is_sound(sealed: Database) -> None:
    report = _verified(sealed)

    assert (report.seals, report.rows, report.unsealed) == (3, 10, 0)
    assert report.is_sound, _texts(report)


def test_what_waits_for_a_seal_is_counted(sealed: Database) -> None:
    _add(sealed, 2, 5, 4)

    report = _verified(sealed)

    assert (report.rows, report.unsealed, report.is_sound) == (10, 4, True)


def test_nothing_waiting_makes_no_seal(sealed: Database, sealer: Sealer) -> None:
    assert sealer.seal_once() is None


def test_the_first_seal_follows_nothing(database: Database, sealer: Sealer) -> None:
    _add(database, 1, 1, 1)
    seal = sealer.seal_once()

    assert seal is not None
    assert (seal.seq, seal.size, seal.previous) == (1, 1, bytes(32))
    with database.read() as connection:
        assert seals.head(connection) == seals.seal_at(connection, 1) == seal


def test_of_two_that_seal_at_once_one_does(database: Database) -> None:
    sealers = [Sealer(database, _clock) for _ in range(4)]
    for first in range(1, 60, 3):
        _add(database, 1, first, 3)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(Sealer.seal_all, sealers))

    report = _verified(database)
    assert (report.rows + report.unsealed, report.is_sound) == (60, True), _texts(report)


def test_many_batches_take_several_seals(database: Database, sealer: Sealer) -> None:
    for number in range(3):
        _add(database, 1, 1 + number * 2_600, 2_600)

    assert sealer.seal_all() == 3
    assert _verified(database).is_sound


@pytest.mark.parametrize("column", ["at", "patient_key", "agent", "outcome", "version", "named"])
def test_a_changed_row_is_noticed(sealed: Database, column: str) -> None:
    value = "x" if column in ("agent", "named") else 3
    _damaged(sealed, lambda c: _replaced(c, Place(2, 1, 2), **{column: value}))

    report = _verified(sealed)

    assert report.first_broken == 2
    assert "Rows of seal 2 were changed" in _texts(report)


def test_a_removed_row_is_noticed(sealed: Database) -> None:
    _damaged(sealed, lambda c: c.execute(audit_event.delete().where(_at(Place(2, 1, 2)))))

    report = _verified(sealed)

    assert report.first_broken == 2
    assert "2/1/2 (writer/epoch/number) is missing" in _texts(report)


def test_swapped_rows_are_noticed(sealed: Database) -> None:
    def swap(connection: Connection) -> None:
        _replaced(connection, Place(1, 1, 1), n=99)
        _replaced(connection, Place(1, 1, 2), n=1)
        _replaced(connection, Place(1, 1, 99), n=2)

    _damaged(sealed, swap)

    assert "Rows of seal 1 were changed" in _texts(_verified(sealed))


def test_an_added_row_is_noticed(sealed: Database) -> None:
    values = {"writer": 1, "epoch": 1, "n": 5, "at": 1, "kind": 1, "outcome": 0}
    row = values | {"patient_key": 0, "behind": 0}
    sealed.write(lambda c: c.execute(audit_event.insert().values(**row)))

    assert "1 rows are in no seal and wait for none" in _texts(_verified(sealed))


def test_a_row_that_goes_before_it_is_sealed_is_noticed(sealed: Database, sealer: Sealer) -> None:
    _add(sealed, 2, 5, 3)
    _damaged(sealed, lambda c: c.execute(audit_event.delete().where(_at(Place(2, 1, 6)))))
    assert "1 rows that wait for a seal are missing" in _texts(_verified(sealed))

    sealer.seal_all()

    assert "2/1/6 (writer/epoch/number) is missing. It was so" in _texts(_verified(sealed))


def test_a_batch_that_goes_with_its_rows_leaves_a_gap(sealed: Database, sealer: Sealer) -> None:
    _add(sealed, 2, 5, 2)

    def remove(connection: Connection) -> None:
        connection.execute(audit_event.delete().where(_at(Place(2, 1, 5))))
        connection.execute(audit_event.delete().where(_at(Place(2, 1, 6))))
        connection.execute(audit_batch.delete())

    _damaged(sealed, remove)
    _add(sealed, 2, 7, 1)
    assert "Writer 2, epoch 1: 5 to 6 are missing" in _texts(_verified(sealed))

    sealer.seal_all()
    assert "Writer 2, epoch 1: 5 to 6 are missing" in _texts(_verified(sealed))


def test_a_seal_made_without_the_key_is_noticed(sealed: Database, sealer: Sealer) -> None:
    forged = Sealer(sealed, _clock)
    forged._signer = Signer([b"f" * 32])
    _add(sealed, 2, 5, 1)
    forged.seal_once()

    report = _verified(sealed)

    assert report.first_broken == 4
    assert _texts(report) == "Seal 4 is not signed by this record."


def test_a_seal_taken_from_the_middle_is_noticed(sealed: Database) -> None:
    _damaged(sealed, lambda c: c.execute(audit_seal.delete().where(audit_seal.c.seq == 2)))

    assert "Before seal 3, 2 is missing" in _texts(_verified(sealed))


@pytest.mark.parametrize("column", ["at", "size", "covers", "previous", "hash", "signature"])
def test_a_changed_seal_is_noticed(sealed: Database, column: str) -> None:
    def change(connection: Connection) -> None:
        row = connection.execute(select(audit_seal).where(audit_seal.c.seq == 2)).one()._asdict()
        connection.execute(audit_seal.delete().where(audit_seal.c.seq == 2))
        value = row[column]
        row[column] = value + 1 if isinstance(value, int) else bytes(reversed(bytes(value)))
        connection.execute(audit_seal.insert().values(**row))

    _damaged(sealed, change)

    assert _verified(sealed).first_broken == 2


def _head(database: Database) -> Seal:
    with database.read() as connection:
        found = seals.head(connection)
    assert found is not None
    return found


def test_a_removed_end_is_noticed_by_the_checkpoint(sealed: Database, tmp_path: Path) -> None:
    file = tmp_path / "heads"
    note(file, _head(sealed))
    assert _verified(sealed, file).is_sound

    def remove(connection: Connection) -> None:
        connection.execute(audit_seal.delete().where(audit_seal.c.seq == 3))
        for place in (Place(-1, 5, 1), Place(2, 1, 4)):
            connection.execute(audit_event.delete().where(_at(place)))

    _damaged(sealed, remove)

    assert _verified(sealed).is_sound, "without the file nobody could know"
    report = _verified(sealed, file)
    assert report.first_broken == 3
    assert "notes seal 3, and the last one here is 2" in _texts(report)


def test_a_chain_made_again_is_noticed_by_the_checkpoint(
    sealed: Database, sealer: Sealer, tmp_path: Path
) -> None:
    file = tmp_path / "heads"
    note(file, _head(sealed))

    def remove(connection: Connection) -> None:
        connection.execute(audit_seal.delete().where(audit_seal.c.seq == 3))
        _replaced(connection, Place(2, 1, 4), agent="Practitioner/innocent")
        for batch in ((-1, 5, 1, 1), (2, 1, 4, 4)):
            connection.execute(audit_batch.insert().values(batch))

    _damaged(sealed, remove)
    sealer.seal_all()  # whoever holds EHR_SECRET too

    assert _verified(sealed).is_sound
    assert "Seal 3 is another than line 1" in _texts(_verified(sealed, file))


def test_lines_of_others_in_the_checkpoint_are_noticed(sealed: Database, tmp_path: Path) -> None:
    file = tmp_path / "heads"
    note(file, _head(sealed))
    forged = json.loads(file.read_text("utf-8")) | {"signature": "00" * 64}
    file.write_text(file.read_text("utf-8") + f"rubbish\n{json.dumps(forged)}\n", "utf-8")

    report = _verified(sealed, file)

    assert "Line 2 of the checkpoint file can't be read" in _texts(report)
    assert "Line 3 of the checkpoint file is not signed" in _texts(report)


def test_heads_are_noted_once_in_a_while_and_at_the_end(database: Database, tmp_path: Path) -> None:
    file, time = tmp_path / "heads", [100_000]
    sealer = Sealer(database, lambda: time[0], file, checkpoint_every=1_000)
    for n, later in enumerate((0, 500, 1_000, 100), 1):
        time[0] += later
        _add(database, 1, n, 1)
        sealer.seal_all()
        sealer._note()
    sealer.close()

    noted = [json.loads(line)["seq"] for line in file.read_text("utf-8").splitlines()]
    assert noted == [1, 3, 4]
    assert _verified(database, file).checkpoints == 3


def test_older_keys_still_verify(sealed: Database) -> None:
    """`EHR_SECRET` opens all keys of the ring, whichever signs now."""
    from ehr.store.tables import key_ring

    def older(connection: Connection) -> None:
        row = connection.execute(select(key_ring).where(key_ring.c.purpose == PURPOSE)).one()
        values = row._asdict() | {"created": row.created + 1_000}
        other = connection.execute(select(key_ring).where(key_ring.c.purpose == "hash")).one()
        connection.execute(key_ring.insert().values(**(values | {"secret": other.secret})))

    before = signer(sealed)
    sealed.write(older)
    after = signer(sealed)

    assert before.key_id != after.key_id
    assert _verified(sealed).is_sound
    Sealer(sealed, _clock).close()


def test_ranges_come_back_and_neighbours_become_one() -> None:
    ranges = [Range(2, 1, 4, 6), Range(-3, 900, 1, 1), Range(2, 1, 1, 3), Range(2, 2, 1, 1)]

    found = merged(ranges)

    assert found == [Range(-3, 900, 1, 1), Range(2, 1, 1, 6), Range(2, 2, 1, 1)]
    assert list(unpacked(packed(found))) == found


def test_settings_name_no_checkpoint_unless_told() -> None:
    assert Settings().audit_checkpoint == ""
