"""`ehr audit`: on both engines, for people and programs."""

import json
import os
import time
from pathlib import Path

import pytest

from ehr import cli
from ehr.audit import rows
from ehr.audit.sealing import Sealer
from ehr.audit.telling.commands import ROLE
from ehr.audit.trail import Trail
from ehr.audit.verifying import verify
from ehr.cli.exits import Exit
from ehr.cli.opening import opened_database
from ehr.record import Record, now
from ehr.settings import Settings
from tests.client import Client
from tests.given_events import event_row


@pytest.fixture
def trail(record: Record, monkeypatch: pytest.MonkeyPatch) -> Trail:
    """Give the trail of the record, which the commands find too."""
    monkeypatch.setenv("EHR_DATABASE_URL", record.settings.database_url)
    return Trail(record.database, record.settings, record.clock, is_sealed=False)


def _verified(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, object]]:
    exit = cli.run(["audit", "verify", "--json", *options])
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return exit, told


def test_a_trail_is_verified(
    record: Record, trail: Trail, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trail.record([event_row(), event_row()])
    file = tmp_path / "heads"
    sealer = Sealer(record.database, now, file)
    sealer.close()
    trail.record([event_row()])

    exit, told = _verified(capsys, "--checkpoint", str(file))

    assert exit == Exit.OK
    assert told == {
        "sound": True,
        "seals": 1,
        "rows": 2,
        "unsealed": 1,
        "checkpoints": 1,
        "first_broken_seal": None,
        "fault_count": 0,
        "faults": [],
    }
    assert cli.run(["audit", "verify"]) == Exit.OK
    assert "The audit trail is whole" in capsys.readouterr().out


@pytest.mark.damages
def test_what_is_wrong_is_told_and_fails(
    record: Record, trail: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    from ehr.store.tables import audit_event

    trail.record([event_row(), event_row()])
    Sealer(record.database, now).close()

    def remove(connection: object) -> None:
        with rows.retention(connection):  # type: ignore[arg-type]
            connection.execute(audit_event.delete().where(audit_event.c.n == 2))  # type: ignore[attr-defined]

    record.database.write(remove)

    exit, told = _verified(capsys)
    assert (exit, told["sound"], told["first_broken_seal"]) == (Exit.FAILED, False, 1)
    assert cli.run(["audit", "verify"]) == Exit.FAILED
    shown = capsys.readouterr().out
    assert "The first seal that is wrong: 1" in shown
    assert "1/1/2 (writer/epoch/number) is missing" in shown


def test_a_checkpoint_file_that_is_not_there_is_told(
    trail: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    trail.record([event_row()])

    assert cli.run(["audit", "verify", "--checkpoint", "/nowhere/heads"]) == Exit.FAILED
    assert "/nowhere/heads can't be read" in capsys.readouterr().err


def test_events_of_a_patient_are_listed(
    record: Record, trail: Trail, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.put("Patient/mary", {"resourceType": "Patient", "id": "mary"})
    from ehr.store.locator import locate

    with record.database.read() as connection:
        key = locate(connection, [("Patient", "mary")])["Patient", "mary"].patient_key
    recent = int(time.time() * 1000)
    trail.record([event_row(patient_key=key, at=recent), event_row(patient_key=key, at=5)])
    trail.record([event_row(patient_key=key + 1, at=recent)])

    assert cli.run(["audit", "list", "--patient", "mary", "--since", "1d", "--json"]) == Exit.OK
    found = json.loads(capsys.readouterr().out)
    [listed] = [one for one in found if one["event"] != "update"]  # that she was put there
    assert (listed["event"], listed["patient"], listed["place"]) == ("read", "mary", "2/1/1")

    assert cli.run(["audit", "list", "--agent", "Practitioner/1"]) == Exit.OK
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert cli.run(["audit", "list", "--patient", "nobody"]) == Exit.REFUSED


def test_a_restored_record_has_its_trail_and_goes_on_with_it(
    record: Record, trail: Trail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail.record([event_row(), event_row()])
    Sealer(record.database, now).close()
    trail.record([event_row()])
    file = str(tmp_path / "backup.tar")
    assert cli.run(["db", "backup", file]) == Exit.OK
    monkeypatch.setenv("EHR_DATABASE_URL", f"sqlite:///{tmp_path}/restored.db")
    assert cli.run(["db", "restore", file]) == Exit.OK

    with opened_database(os.environ) as database:
        later = Trail(database, Settings(), now, is_sealed=False)
        later.record([event_row()])
        Sealer(database, now).close()
        with database.read() as connection:
            found = rows.listed(connection)
            places = sorted(event.place for event in found if event.row.role != ROLE)
        report = verify(database, None, lambda _seals, _rows: None)

    assert [(place.writer, place.n) for place in places] == [(1, 1), (1, 2), (1, 3), (4, 1)]
    assert (report.seals, report.rows, report.is_sound) == (2, 6, True)
