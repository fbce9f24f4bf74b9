"""Commands that touch a database: tokens, get, demo and what serve prints before it starts."""

import json
import re
import socket
from pathlib import Path

import pytest

from auth.tokens import id_of
from ehr import cli
from ehr.cli import demo as demo_command
from ehr.cli import server
from ehr.cli.demo_access import PEOPLE
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.demo import bundles
from ehr.settings import Settings, own_base
from tests import engines

pytestmark = pytest.mark.usefixtures("folder_of_its_own")

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Collect the settings of each server instead of starting it."""
    seen: list[Settings] = []
    monkeypatch.setattr(server, "run", lambda settings, _environment: seen.append(settings))
    return seen


@pytest.mark.usefixtures("on_database")
def test_a_token_is_made_listed_and_revoked(capsys: Printed) -> None:
    made = ["token", "create", "--system", "--name", "GP system", "--expires", "8h", "--json"]
    assert cli.run(made) == Exit.OK
    token = json.loads(capsys.readouterr().out)["token"]

    assert cli.run(["token", "list", "--json"]) == Exit.OK
    text = capsys.readouterr().out
    [listed] = json.loads(text)
    assert (listed["name"], listed["kind"]) == ("GP system", "system")
    assert token not in text

    assert cli.run(["token", "revoke", listed["id"]]) == Exit.OK
    assert cli.run(["token", "revoke", token]) == Exit.REFUSED
    assert "No token was revoked" in capsys.readouterr().err


@pytest.mark.usefixtures("on_database")
def test_a_token_of_an_organisation_that_is_not_there_yet_is_made_with_a_note(
    capsys: Printed,
) -> None:
    Path("o.json").write_text('{"resourceType": "Organization", "id": "gp", "name": "GP"}', "utf-8")
    assert cli.run(["load", "o.json"]) == Exit.OK
    capsys.readouterr()
    said = []

    for id in ("gp", "Organization/gp", "pg"):
        made = ["token", "create", "--system", "--organisation", id, "--json"]
        assert cli.run(made) == Exit.OK
        said.append(capsys.readouterr().err)

    assert cli.run(["token", "list", "--json"]) == Exit.OK
    listed = json.loads(capsys.readouterr().out)
    assert sorted(one["organisation"] for one in listed) == ["gp", "gp", "pg"]
    assert said[:2] == ["", ""]
    assert "The record has no Organization/pg" in said[2]


@pytest.mark.usefixtures("on_database")
def test_get_answers_through_the_endpoint(capsys: Printed) -> None:
    assert cli.run(["get", "--headers", "metadata"]) == Exit.OK
    head, _, body = capsys.readouterr().out.partition("\n\n")
    assert head.startswith("200\n")
    assert json.loads(body)["resourceType"] == "CapabilityStatement"

    assert cli.run(["get", "Patient/nobody"]) == Exit.REFUSED
    assert json.loads(capsys.readouterr().out)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "address",
    ["metadata", "/metadata", "/fhir/metadata", "http://localhost:8000/fhir/metadata?_pretty=true"],
)
@pytest.mark.usefixtures("on_database")
def test_get_takes_an_address_with_its_base(address: str, capsys: Printed) -> None:
    assert cli.run(["get", address]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["resourceType"] == "CapabilityStatement"


@pytest.mark.usefixtures("on_database")
def test_get_takes_an_address_below_the_public_base(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setenv("EHR_BASE_URL", "https://record.example/care/r4")

    assert cli.run(["get", "https://record.example/care/r4/metadata"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["resourceType"] == "CapabilityStatement"


@pytest.mark.usefixtures("on_database")
def test_get_refuses_the_address_of_another_server(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setenv("EHR_BASE_URL", "https://record.example/care/r4")

    for address in (
        "https://other.example/care/r4/Patient/1",
        "https://record.example/care/r44/Patient/1",
        "https://record.example.org/care/r4/Patient/1?name=Murray",
    ):
        assert cli.run(["get", address]) == Exit.USAGE
        printed = capsys.readouterr()
        assert "is not an address of this record" in printed.err
        assert "https://record.example/care/r4." in printed.err
        assert printed.out == ""


@pytest.mark.parametrize("options", [[], ["--compact"]], ids=["pretty", "compact"])
@pytest.mark.usefixtures("on_database")
def test_get_ends_its_answer_with_a_line_feed(options: list[str], capsys: Printed) -> None:
    assert cli.run(["get", *options, "Patient/nobody"]) == Exit.REFUSED

    text = capsys.readouterr().out
    assert text.endswith("}\n")
    assert len(text.splitlines()) > 1 or options


def test_an_outdated_database_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    import sqlite3

    monkeypatch.setenv("EHR_DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
    assert cli.run(["db", "upgrade"]) == Exit.OK
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    connection.close()

    assert cli.run(["get", "metadata"]) == Exit.DATABASE
    assert "ehr db upgrade" in capsys.readouterr().err


def test_a_database_that_is_not_there_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setenv("EHR_DATABASE_URL", "sqlite:////nowhere/at/all/ehr.db")

    assert cli.run(["token", "list"]) == Exit.DATABASE
    text = capsys.readouterr().err
    assert "EHR_DATABASE_URL" in text
    assert "Traceback" not in text


def test_a_server_that_does_not_answer_is_a_fault_of_the_database(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed, port: int
) -> None:
    monkeypatch.setenv("EHR_DATABASE_URL", f"postgresql://ehr:hidden@127.0.0.1:{port}/ehr")

    assert cli.run(["db", "status"]) == Exit.DATABASE
    text = capsys.readouterr().err
    assert "refused" in text
    assert "EHR_DATABASE_URL" in text
    assert "hidden" not in text


@pytest.mark.parametrize(
    "command",
    [
        ["get", "metadata"],
        ["explain", "Patient"],
        ["export", "out"],
        ["db", "status"],
        ["db", "backup", "monday.ehr"],
        ["db", "copy", "sqlite:///other.db"],
        ["token", "list"],
        ["token", "revoke", "3f0c9a12e5b77d40"],
    ],
    ids=" ".join,
)
def test_a_command_that_reads_makes_nothing_at_a_mistyped_address(
    command: list[str], capsys: Printed, folder_of_its_own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EHR_DATABASE_URL", "sqlite:///erh.db")

    assert cli.run(command) == Exit.DATABASE

    assert "There is no database erh.db." in capsys.readouterr().err
    assert list(folder_of_its_own.iterdir()) == []


@pytest.mark.parametrize("engine", engines.chosen())
def test_serve_sets_up_an_empty_database_and_get_does_not(
    engine: str,
    started: list[Settings],
    capsys: Printed,
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with engines.empty_url(engine, tmp_path) as url:
        monkeypatch.setenv("EHR_DATABASE_URL", url)
        assert cli.run(["get", "metadata"]) == Exit.DATABASE
        assert "with `ehr serve`" in capsys.readouterr().err

        assert cli.run(["serve", "--port", str(port)]) == Exit.OK
        printed = capsys.readouterr()
        assert cli.run(["get", "metadata"]) == Exit.OK

    assert len(started) == 1
    assert "an empty record was made there" in printed.err
    assert "psycopg" not in printed.err
    assert "secr_" in printed.out


def test_an_empty_database_that_was_made_is_named(capsys: Printed) -> None:
    assert cli.run(["token", "create", "--system"]) == Exit.OK
    first = capsys.readouterr()
    assert cli.run(["token", "list"]) == Exit.OK
    second = capsys.readouterr()

    assert "an empty record was made there" in first.err
    assert "It opens the record in sqlite:///ehr.db" in first.err
    assert len(first.out.splitlines()) == 1
    assert "was made" not in second.err


@pytest.fixture
def port() -> int:
    """Find a port that nothing uses."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        number: int = found.getsockname()[1]
    return number


def test_serve_makes_an_embedded_database_and_its_first_token(
    started: list[Settings], capsys: Printed, port: int
) -> None:
    assert cli.run(["serve", "--port", str(port), "--workers", "1"]) == Exit.OK

    first = capsys.readouterr().out
    assert f"http://127.0.0.1:{port}/fhir" in first
    assert "secr_" in first
    assert (started[0].port, started[0].workers, started[0].threads) == (port, 1, 16)
    assert cli.run(["serve", "--port", str(port)]) == Exit.OK
    assert "secr_" not in capsys.readouterr().out


def test_serve_refuses_a_public_address_with_the_development_secret(
    started: list[Settings], capsys: Printed
) -> None:
    assert cli.run(["serve", "--host", "0.0.0.0"]) == Exit.SETTINGS

    assert "EHR_SECRET" in capsys.readouterr().err
    assert started == []


def test_a_port_in_use_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        settings = Settings(port=busy.getsockname()[1])

        with pytest.raises(CommandError) as caught:
            server.check_address(settings)

    assert caught.value.failure.exit == Exit.ADDRESS
    assert "--host" in caught.value.failure.remedy


def test_the_demo_names_only_options_that_it_has(capsys: Printed, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])

        assert cli.run(["demo", "--port", port, "--file", str(tmp_path / "d.db")]) == Exit.ADDRESS

    said = capsys.readouterr().err
    assert "--port or EHR_HOST" in said
    assert "--host" not in said


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/fhir"),
        ("0.0.0.0", "http://127.0.0.1:8000/fhir"),
        ("::1", "http://[::1]:8000/fhir"),
        ("::", "http://[::1]:8000/fhir"),
    ],
)
def test_the_printed_url_can_be_called(host: str, url: str) -> None:
    assert own_base(Settings(host=host)) == url


def test_demo_loads_its_people_once_and_keeps_them(
    started: list[Settings], capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    mary = list(bundles())[:1]
    monkeypatch.setattr("ehr.demo.bundles", lambda: iter(mary))

    assert cli.run(["demo"]) == Exit.OK
    first = capsys.readouterr()
    assert cli.run(["demo"]) == Exit.OK
    second = capsys.readouterr()

    assert "Mary Murray" in first.err
    assert "Mary Murray" not in second.err
    assert "TOKEN=secr_" in second.out
    assert sorted(path.name for path in Path().glob("*.part*")) == []
    monkeypatch.setenv("EHR_DATABASE_URL", "sqlite:///ehr-demo.db")
    assert cli.run(["get", "CareTeam/mary-murray-team"]) == Exit.OK
    assert len(started) == 2


def test_demo_says_how_each_of_its_people_signs_in(
    started: list[Settings], capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    mary = list(bundles())[:1]
    monkeypatch.setattr("ehr.demo.bundles", lambda: iter(mary))
    assert cli.run(["demo"]) == Exit.OK
    first = capsys.readouterr().out

    assert cli.run(["demo"]) == Exit.OK
    second = capsys.readouterr().out
    assert cli.run(["demo", "--codes"]) == Exit.OK
    codes = capsys.readouterr().out

    signing_in = [line for line in first.splitlines() if line.startswith("  Dr ")]
    assert len(signing_in) == 2
    assert all(line in second for line in signing_in)
    assert re.search(r"anna\.reid +[0-9]{6}", codes)
    assert "mary.murray" not in codes
    assert len(started) == 2
    for name in ("ehr-demo-access.json", "ehr-demo-key.json"):
        assert Path(name).stat().st_mode & 0o077 == 0
    monkeypatch.setenv("EHR_DATABASE_URL", "sqlite:///ehr-demo.db")
    assert cli.run(["client", "show", "demo-system"]) == Exit.OK
    assert '"d"' not in capsys.readouterr().out
    for person in PEOPLE:
        assert cli.run(["get", person.fhir_user]) == Exit.OK


def test_demo_gives_a_token_as_one_of_its_people(
    started: list[Settings], capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    mary = list(bundles())[:1]
    monkeypatch.setattr("ehr.demo.bundles", lambda: iter(mary))
    assert cli.run(["demo"]) == Exit.OK
    capsys.readouterr()

    assert cli.run(["demo", "--token", "tom.baird"]) == Exit.OK
    token = capsys.readouterr().out.strip()
    assert cli.run(["demo", "--token", "nobody"]) == Exit.USAGE
    refused = capsys.readouterr().err

    assert "Choose from anna.reid, priya.nair, tom.baird" in refused
    monkeypatch.setenv("EHR_DATABASE_URL", "sqlite:///ehr-demo.db")
    assert cli.run(["token", "list"]) == Exit.OK
    listed = capsys.readouterr().out
    assert re.search(rf"{id_of(token)} .*Tom Baird", listed)
    assert cli.run(["audit", "list"]) == Exit.OK
    assert "token-issued" in capsys.readouterr().out
    assert len(started) == 1


def test_a_demo_that_never_ran_has_no_codes(capsys: Printed) -> None:
    assert cli.run(["demo", "--codes"]) == Exit.USAGE
    said = capsys.readouterr().err
    assert "ehr-demo-access.json, which says how, is not in its folder." in said
    assert "Start `python3 -m ehr demo` once" in said


def test_a_reset_asks_first(started: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ehr-demo.db").write_text("precious", "utf-8")
    monkeypatch.setattr(demo_command.click, "confirm", _refuse)

    assert cli.run(["demo", "--reset"]) == Exit.INTERRUPTED

    assert Path("ehr-demo.db").read_text("utf-8") == "precious"
    assert started == []


def _refuse(*_said: object, **_how: object) -> None:
    raise demo_command.click.Abort
