"""Statement budgets of audit: by journal a read costs none, a write one more than by itself.

SQLite runs one prepared statement for each table that is written, so that the one is two there.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ehr.record import Record
from tests import given
from tests.client import Client
from tests.counting import is_of_audit

Statements = Callable[[], Any]
ADDED = {"postgresql": 1, "sqlite": 2}


@pytest.fixture(params=["journal", "strict"])
def mode(request: pytest.FixtureRequest) -> str:
    """Give each way in which events are made safe."""
    return str(request.param)


@pytest.fixture
def record_settings(mode: str, tmp_path: Path) -> dict[str, str]:
    """Audit in that way."""
    return {"EHR_AUDIT": mode, "EHR_AUDIT_FOLDER": str(tmp_path / "journals")}


def _of_audit(ran: list[str]) -> int:
    return len([sql for sql in ran if is_of_audit(sql)])


def _moved(record: Record) -> None:
    """Wait until what was recorded is in the table: that is moved there by the clock."""
    time.sleep(0.3)
    assert record.trail.healthy()


@pytest.mark.parametrize(
    "path", ["Patient/mary", "Observation?patient=mary", "Patient/mary/_history"]
)
def test_a_read_has_no_statement_of_audit_by_journal_and_one_strictly(
    record: Record, client: Client, statements: Statements, mode: str, path: str
) -> None:
    client.put("Patient/mary", given.patient(id="mary"))
    client.read(path)
    _moved(record)

    added = []
    for _ in range(3):  # the least, since a slow machine meets the moment of moving
        with statements() as ran:
            client.read(path)
        added.append(_of_audit(ran))

    assert min(added) == (0 if mode == "journal" else ADDED[record.database.dialect])


def test_a_write_has_one_statement_of_audit(
    record: Record, client: Client, statements: Statements
) -> None:
    mary = client.create(given.patient())
    made = client.create(given.observation(mary))
    _moved(record)
    path = f"Observation/{made['id']}"
    patch = [{"op": "replace", "path": "/status", "value": "corrected"}]
    many = given.transaction(*[given.observation(mary) for _ in range(20)])

    for call in (
        lambda: client.create(given.observation(mary)),
        lambda: client.update(made | {"status": "amended"}),
        lambda: client.patch(path, patch),
        lambda: client.transact(many),
        lambda: client.delete(path),
    ):
        with statements() as ran:
            call()
        assert _of_audit(ran) == ADDED[record.database.dialect]


def test_many_patients_found_cost_no_statement_more(
    record: Record, client: Client, statements: Statements, mode: str
) -> None:
    for _ in range(30):
        client.create(given.patient())
    client.read("Patient?_count=1")
    _moved(record)
    counts = []
    for size in (1, 30):
        with statements() as ran:
            client.read(f"Patient?_count={size}")
        counts.append(_of_audit(ran))

    assert counts[0] == counts[1] <= ADDED[record.database.dialect]
