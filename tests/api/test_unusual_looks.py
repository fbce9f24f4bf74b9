"""`ehr audit unusual`: looks of staff into records that deserve a second look (T38)."""

import json
from typing import Any

import pytest

from ehr import cli
from ehr.access.unusual.alike import OWN_RECORD, SAME_ADDRESS, SAME_NAME
from ehr.access.unusual.listing import EMERGENCIES, ONLY_CLAIMED, TOLD_LATE
from ehr.audit.kinds import Kind
from ehr.audit.trail import Trail
from ehr.cli.exits import Exit
from ehr.record import Record
from tests import audited, given
from tests.client import expect
from tests.given_events import event_row
from tests.policy.house import House, open_house
from tests.policy.staff import REID, emergency, parameters, put_ward, staff

HOME = {"line": ["4 High  Street"], "postalCode": "EH1 1AA"}
BEN = {"family": "Murray", "given": ["Ben"]}


@pytest.fixture
def house(record: Record, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("EHR_DATABASE_URL", record.settings.database_url)
    return open_house(record)


def _unusual(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, tuple[str, ...]]:
    """Return why whose looks are unusual, by person and patient."""
    capsys.readouterr()
    assert cli.run(["audit", "unusual", "--json", *options]) == Exit.OK
    told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return {f"{one['agent']} {one['patient']}": tuple(one["why"].split("; ")) for one in told}


def test_usual_looks_are_not_listed(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.gp.read("Patient/mary")
    house.consultant.read("Observation?patient=mary")

    assert _unusual(capsys) == {}
    assert cli.run(["audit", "unusual"]) == Exit.OK
    assert "Nothing is unusual." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("person", "patient", "why"),
    [
        ({"name": [BEN]}, {}, (SAME_NAME,)),
        ({"name": [BEN | {"family": "MURRAY"}]}, {}, (SAME_NAME,)),
        ({"address": [HOME | {"line": ["4 high street"], "postalCode": "eh11aa"}]},
         {"address": [HOME]}, (SAME_ADDRESS,)),
        ({"name": [BEN], "birthDate": "1950-03-02"}, {"birthDate": "1950-03-02"},
         (OWN_RECORD, SAME_NAME)),
        ({"identifier": [{"system": "urn:n", "value": "mary"}]}, {}, (OWN_RECORD,)),
    ],
)  # fmt: skip
def test_t38_staff_who_look_up_themselves_family_and_neighbours_are_listed(
    house: House,
    capsys: pytest.CaptureFixture[str],
    person: dict[str, Any],
    patient: dict[str, Any],
    why: tuple[str, ...],
) -> None:
    mary = house.everything.read("Patient/mary")
    house.everything.update(mary | patient)
    house.everything.update({"resourceType": "Practitioner", "id": "ben", **person})
    house.consultant.read("Observation/mary-pulse")
    house.gp.read("Observation/mary-pulse")

    assert _unusual(capsys) == {"Practitioner/ben mary": why}
    assert _unusual(capsys, "--since", "0m") == {}


def test_t38_who_has_only_claimed_a_record_is_listed(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    locum = house.staff("gp", "ann", "other")
    house.everything.update(given.patient("Jo", "Sinclair", id="jo"))
    text = ("String", "She came to the surgery with a fever.")
    expect(locum.post("Patient/jo/$claim-relationship", parameters(text=text)), 201)
    locum.read("Patient/jo")

    assert _unusual(capsys) == {"Practitioner/ann jo": (ONLY_CLAIMED,)}


@pytest.mark.parametrize(("times", "why"), [(2, None), (3, (EMERGENCIES,))])
def test_t38_who_opens_many_records_in_emergencies_is_listed(
    house: House,
    capsys: pytest.CaptureFixture[str],
    times: int,
    why: tuple[str, ...] | None,
) -> None:
    record = house.record
    trail = Trail(record.database, record.settings, record.clock, is_sealed=False)
    opened = event_row(
        kind=Kind.BREAK_GLASS, agent="Practitioner/ann", at=record.clock(), patient_key=0
    )
    trail.record([opened] * times)

    assert _unusual(capsys).get("Practitioner/ann None") == why


@pytest.mark.parametrize(("hours", "why"), [(24, None), (25, 25), (720, 720)])
def test_an_emergency_of_which_the_patient_is_told_late_is_listed(
    house: House, capsys: pytest.CaptureFixture[str], hours: int, why: int | None
) -> None:
    """Until the patient is told, the feed shows none of the looks: somebody else has to ask."""
    put_ward(house.everything)
    asked = emergency(
        delayNotice=("UnsignedInt", hours), delayReason=("String", "He may be in danger at home.")
    )
    expect(staff(house.record).post("Patient/mary/$break-glass", asked), 201)

    late = (TOLD_LATE.format(why),) if why else None
    assert _unusual(capsys).get(f"{REID} mary") == late


def test_who_asks_is_in_the_trail(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    with audited.since(house.record) as told:
        _unusual(capsys)

    assert [(one.kind, one.found) for one in told] == [(Kind.AUDIT_READ, 0)]
