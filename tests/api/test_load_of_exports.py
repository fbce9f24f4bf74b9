"""What `ehr export` wrote is loaded as it was: Bundles that the record stores stay resources."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ehr import cli
from ehr.cli.exits import Exit
from tests import engines, given

pytestmark = pytest.mark.usefixtures("on_database")

Printed = pytest.CaptureFixture[str]
KINDS = ("batch", "transaction", "collection", "searchset", "history", "document")


def _run(capsys: Printed, *arguments: str) -> Any:
    assert cli.run([*arguments, "--json"]) == Exit.OK, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


def _bundle(kind: str, **more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"fullUrl": "http://elsewhere.example/fhir/Patient/inner"}
    entry["resource"] = given.patient(id="inner")
    if kind in ("batch", "transaction", "history"):
        entry["request"] = {"method": "PUT", "url": "Patient/inner"}
    if kind == "history":
        entry["response"] = {"status": "200"}
    if kind == "document":
        entry["resource"] = {
            "resourceType": "Composition", "id": "letter", "status": "final", "title": "Letter",
            "type": {"text": "Letter"}, "date": "2026-11-22", "author": [{"display": "Dr Bo"}],
        }  # fmt: skip
        more |= {"timestamp": "2026-11-22T10:00:00Z"}
        more |= {"identifier": {"system": "urn:x", "value": "1"}}
    return {"resourceType": "Bundle", "type": kind, "entry": [entry]} | more


def _file(name: str, *resources: dict[str, Any]) -> str:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("".join(json.dumps(one) + "\n" for one in resources), "utf-8")
    return name


def _exported(folder: str) -> dict[str, Any]:
    """Return what an export holds, by type and id, without versions and times."""
    lines = [line for path in Path(folder).iterdir() for line in path.read_text().splitlines()]
    found = [json.loads(line) for line in lines]
    return {f"{one['resourceType']}/{one['id']}": one | {"meta": None} for one in found}


@pytest.fixture
def full(capsys: Printed) -> dict[str, Any]:
    """Store Bundles of each kind and a patient; export them in each form; return the resources."""
    stored = [_bundle(kind, id=kind) for kind in KINDS]
    _run(capsys, "load", _file("in/Bundle.ndjson", *stored), _file("p.json", given.patient(id="p")))
    _run(capsys, "export", "out")
    _run(capsys, "export", "all.ndjson")
    _run(capsys, "export", "packed", "--compress", "gz")
    _run(capsys, "export", "dense", "--compress", "zst")
    shutil.make_archive("whole", "gztar", "out")
    return _exported("out")


@pytest.mark.parametrize("source", ["out", "all.ndjson", "packed", "dense", "whole.tar.gz"])
@pytest.mark.parametrize("target", engines.chosen())
def test_a_record_goes_round_by_an_export_unchanged(
    full: dict[str, Any],
    source: str,
    target: str,
    capsys: Printed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with engines.fresh_url(target, tmp_path) as url:
        monkeypatch.setenv("EHR_DATABASE_URL", url)
        first = _run(capsys, "load", source)
        again = _run(capsys, "load", source, "--again")
        versions = _run(capsys, "db", "status")["versions"]
        _run(capsys, "export", "back")

    assert set(full) == {*(f"Bundle/{kind}" for kind in KINDS), "Patient/p"}
    assert _exported("back") == full
    assert (first["created"], again["created"], versions) == (7, 0, 7)


@pytest.mark.parametrize("name", ["Bundle.ndjson", "Bundle.000.ndjson", "Bundle-2.ndjson"])
def test_a_file_named_for_bundles_holds_them_as_resources(name: str, capsys: Printed) -> None:
    figures = _run(capsys, "load", _file(name, _bundle("transaction"), _bundle("collection")))

    counted = _run(capsys, "export", "out")["types"]
    assert figures["created"] == 2
    assert counted == {"Bundle": 2}


def test_bundles_in_another_file_are_acted_on(capsys: Printed) -> None:
    transaction = _bundle("transaction", id="t", meta={"lastUpdated": "2026-11-22T10:00:00Z"})
    _run(capsys, "load", _file("bundles.ndjson", transaction, _bundle("collection")))

    assert _run(capsys, "export", "out")["types"] == {"Patient": 1}
