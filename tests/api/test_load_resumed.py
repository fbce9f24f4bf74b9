"""A load that stops half-way: what is in stays in once, the rest follows, on each engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from ehr import cli
from ehr.bulk.loading.progress import NotedInDatabase
from ehr.cli.exits import Exit
from tests import given

pytestmark = pytest.mark.usefixtures("on_database")

Printed = pytest.CaptureFixture[str]
LATE = "urn:uuid:4f8ba0a2-3f4e-4c67-8a52-17e6a9a2c5d1"


def _load(capsys: Printed, *arguments: str, exit: Exit = Exit.OK) -> Any:
    assert cli.run(["load", *arguments, "--json"]) == exit, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


def _resources(capsys: Printed) -> int:
    assert cli.run(["db", "status", "--json"]) == Exit.OK
    found: int = json.loads(capsys.readouterr().out)["versions"]
    return found


def _post(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"resource": resource, "request": request} | more


def _put(resource: dict[str, Any]) -> dict[str, Any]:
    address = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": address}}


def _bundle(name: str, kind: str, *entries: dict[str, Any]) -> str:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    Path(name).write_text(json.dumps(bundle), "utf-8")
    return name


def _people() -> list[str]:
    """Return files whose resources get new ids, so that each load of them makes others."""
    Path("Patient.ndjson").write_text(json.dumps(given.patient(id="mary")) + "\n", "utf-8")
    heart = _post(given.observation(LATE))
    return [
        "Patient.ndjson",
        _bundle("a.json", "transaction", _post(given.patient(), fullUrl=LATE), heart),
        _bundle("b.json", "batch", *[_post(given.observation("Patient/mary"))] * 3),
    ]


@pytest.mark.parametrize("units", [1, 2])
def test_a_killed_load_goes_on_and_does_nothing_twice(
    capsys: Printed, monkeypatch: pytest.MonkeyPatch, units: int
) -> None:
    files = _people()
    seen: list[str] = []

    def die(_noted: NotedInDatabase, unit: str) -> None:
        seen.append(unit)
        if len(seen) == units:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(NotedInDatabase, "add", die)
        cli.run(["load", *files])
    capsys.readouterr()

    figures = _load(capsys, *files)

    assert figures["skipped"] >= 1
    assert figures["created"] == (5 if units == 1 else 0)
    assert _resources(capsys) == 6
    # It was complete, so a third load is a new one.
    assert _load(capsys, *files)["created"] == 5


def test_after_rejects_only_the_rest_is_tried_again(capsys: Printed) -> None:
    wrong = given.observation("Patient/mary") | {"status": "finished"}
    fine = given.observation("Patient/mary")
    files = [*_people(), _bundle("c.json", "batch", _post(fine), _post(wrong), _post(fine))]
    _load(capsys, *files, exit=Exit.REJECTS)
    assert _resources(capsys) == 8

    again = _load(capsys, *files, exit=Exit.REJECTS)

    assert (again["created"], again["updated"], again["rejected"]) == (0, 0, 1)
    assert _resources(capsys) == 8


def test_what_came_too_early_is_tried_again_alone(capsys: Printed) -> None:
    heart = given.observation("Patient/mary")
    early = given.observation("Patient/late")
    files = [
        *_people(),
        _bundle("d.json", "batch", _post(heart), _post(early), _post(heart)),
        _bundle("e.json", "transaction", _put(given.patient(id="late"))),
    ]

    figures = _load(capsys, *files)

    assert (figures["created"], figures["rejected"]) == (10, 0)
    assert _resources(capsys) == 10


def test_a_slice_with_a_fault_is_in_but_for_the_fault(capsys: Printed) -> None:
    some = [given.observation("Patient/mary") for _ in range(9)]
    some[4] |= {"status": "finished"}
    some[7] = given.observation("Patient/nobody")
    Path("Observation.ndjson").write_text("".join(json.dumps(o) + "\n" for o in some), "utf-8")
    files = [*_people(), "Observation.ndjson"]

    figures = _load(capsys, *files, exit=Exit.REJECTS)
    again = _load(capsys, *files, exit=Exit.REJECTS)

    assert (figures["created"], figures["rejected"]) == (13, 2)
    assert (again["created"], again["rejected"]) == (0, 2)


def test_again_loads_all_of_it_again(capsys: Printed) -> None:
    bad = Path("Bad.ndjson")
    bad.write_text('{"resourceType":"Nothing"}\n', "utf-8")
    files = [*_people(), str(bad)]
    _load(capsys, *files, exit=Exit.REJECTS)

    figures = _load(capsys, *files, "--again", exit=Exit.REJECTS)

    assert (figures["created"], figures["updated"], figures["skipped"]) == (5, 1, 0)


def test_a_state_file_is_for_servers(capsys: Printed) -> None:
    assert cli.run(["load", *_people(), "--state", "state"]) == Exit.USAGE
    assert "--url" in capsys.readouterr().err
