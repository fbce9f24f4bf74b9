"""`ehr load --url`: the same files through a server, by HTTP, with a token."""

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from ehr import cli
from ehr.app import create_app
from ehr.cli.exits import Exit
from ehr.record import Record
from tests import given
from tests.client import Client

Printed = pytest.CaptureFixture[str]
ANN = "urn:uuid:4f8ba0a2-3f4e-4c67-8a52-17e6a9a2c5d1"


@pytest.fixture
def url(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    server = make_server("127.0.0.1", 0, create_app(record), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with contextlib.closing(server.socket):
        yield f"http://127.0.0.1:{server.port}/fhir"
        server.shutdown()
        thread.join()


def _load(capsys: Printed, *arguments: str, exit: Exit = Exit.OK) -> Any:
    assert cli.run(["load", *arguments, "--json"]) == exit, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


def _bundle(name: str, kind: str, *entries: dict[str, Any]) -> str:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    Path(name).write_text(json.dumps(bundle), "utf-8")
    return name


def _post(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"resource": resource, "request": request} | more


def _files() -> list[str]:
    people = [given.patient(id="mary"), given.patient(id="joe")]
    Path("Patient.ndjson").write_text("".join(json.dumps(one) + "\n" for one in people), "utf-8")
    wrong = given.observation("Patient/mary") | {"status": "finished"}
    early = given.observation("Patient/late")
    return [
        "Patient.ndjson",
        _bundle("a.json", "transaction", _post(given.patient(), fullUrl=ANN),
                _post(given.observation(ANN))),
        _bundle("b.json", "batch", _post(given.observation("Patient/joe")), _post(wrong),
                _post(early)),
        _bundle("c.json", "collection", {"resource": given.patient(id="late")}),
    ]  # fmt: skip


def test_every_kind_of_file_goes_through_the_server(
    capsys: Printed, url: str, client: Client
) -> None:
    figures = _load(capsys, *_files(), "--url", url, "--token", client.token, exit=Exit.REJECTS)

    assert (figures["created"], figures["rejected"]) == (7, 1)
    assert client.get("Observation?_total=accurate").json["total"] == 3
    assert client.get("Patient/late").status_code == 200
    (reject,) = map(json.loads, Path("ehr-load-rejects.ndjson").read_text("utf-8").splitlines())
    assert (reject["file"], reject["resource"]) == ("b.json", "Observation")
    assert reject["expression"] == "Observation.status"


def test_bundles_of_an_export_stay_whole(capsys: Printed, url: str, client: Client) -> None:
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [_post(given.patient())]}
    Path("Bundle.ndjson").write_text(json.dumps(bundle | {"id": "kept"}) + "\n", "utf-8")

    figures = _load(capsys, "Bundle.ndjson", "--url", url, "--token", client.token)

    assert (figures["created"], figures["rejected"]) == (1, 0)
    assert client.get("Bundle/kept").json["entry"] == bundle["entry"]
    assert client.get("Patient?_total=accurate").json["total"] == 0


def test_a_wrong_token_is_told_and_nothing_is_in(capsys: Printed, url: str, client: Client) -> None:
    assert cli.run(["load", *_files(), "--url", url, "--token", "wrong"]) == Exit.REFUSED

    said = capsys.readouterr().err
    assert "token" in said
    assert client.get("Patient?_total=accurate").json["total"] == 0


def test_an_address_without_the_base_is_told_once(capsys: Printed, url: str) -> None:
    Path("two.ndjson").write_text(
        "".join(json.dumps(given.patient(id=id)) + "\n" for id in ("ann", "ben")), "utf-8"
    )

    code = cli.run(["load", "two.ndjson", "--url", url.removesuffix("/fhir"), "--token", "any"])

    assert code == Exit.REFUSED
    assert "no FHIR server" in capsys.readouterr().err
    assert list(Path().glob("ehr-load-*")) == []


def test_entries_that_are_none_are_rejects(capsys: Printed, url: str, client: Client) -> None:
    for name, kind in (("a.json", "batch"), ("b.json", "transaction")):
        Path(name).write_text(
            json.dumps({"resourceType": "Bundle", "type": kind, "entry": [1]}), "utf-8"
        )

    figures = _load(
        capsys, "a.json", "b.json", "--url", url, "--token", client.token, exit=Exit.REJECTS
    )

    assert (figures["created"], figures["rejected"]) == (0, 2)
