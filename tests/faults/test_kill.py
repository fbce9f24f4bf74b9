"""kill -9 during a stream of writes: what was acknowledged is there, and nothing is half there."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from ehr.bulk.checking import deep_check
from ehr.record import Record, open_record
from ehr.settings import Settings
from ehr.store.read import newest
from ehr.store.tables import txn
from ehr.store.tables import version as versions
from tests.faults.writing import OBSERVATIONS

ROOT = Path(__file__).resolve().parents[2]
WRITERS = 2


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(1, id="once"),
        pytest.param(5, id="five-times", marks=pytest.mark.slow),
        pytest.param(50, id="fifty-times", marks=pytest.mark.full),
    ],
)
def test_a_killed_writer_loses_nothing_and_leaves_nothing_half_done(
    database_url: str, kills: int
) -> None:
    acknowledged: dict[str, int] = {}
    for round in range(kills):
        for name, number in _write_and_kill(database_url, round):
            acknowledged[name] = max(number, acknowledged.get(name, 0))

    assert acknowledged, "nothing was written before the kill"
    record = open_record(Settings(database_url=database_url))
    try:
        _check_acknowledged(record, acknowledged)
        _check_transactions_are_whole(record)
        report = deep_check.check(record, lambda _steps, _things: None)
        assert report.is_sound, [one for one in report.findings if one.count]
    finally:
        record.database.close()


def _write_and_kill(url: str, round: int) -> Iterator[tuple[str, int]]:
    """Let writers write for a moment, kill them, and yield what they had told of."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.writing", url, f"r{round}w{n}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(WRITERS)
    ]
    told = [[writer.stdout.readline()] for writer in writers if writer.stdout]
    time.sleep(random.uniform(0.05, 0.5))
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    for writer, lines in zip(writers, told, strict=True):
        with writer:
            assert writer.stdout is not None
            lines += writer.stdout.readlines()
        for line in lines:
            name, _, number = line.strip().partition(" ")
            if line.endswith("\n"):  # cut off in the middle: nobody could have read it
                yield name, int(number)


def _check_acknowledged(record: Record, acknowledged: dict[str, int]) -> None:
    """Find each acknowledged mark, or a later one that was on its way when the kill came."""
    with record.database.read() as connection:
        for name, number in acknowledged.items():
            row = newest(connection, "Patient", name)
            assert row is not None, f"{name} was acknowledged and is gone"
            mark = int(row.stored.partition(b'"Mark ')[2].partition(b'"')[0])
            assert mark >= number, name
            for n in range(OBSERVATIONS):
                one = newest(connection, "Observation", f"{name}-{n}")
                assert one is not None
                assert f'"value": {mark}'.encode() in one.stored, "half a transaction"


def _check_transactions_are_whole(record: Record) -> None:
    with record.database.read() as connection:
        written = connection.execute(select(versions.c.txn_id)).scalars().all()
        numbers = connection.execute(select(txn.c.txn_id)).scalars().all()
    counts = dict.fromkeys(numbers, 0)
    for number in written:
        counts[number] += 1
    assert set(counts.values()) == {1 + OBSERVATIONS}
