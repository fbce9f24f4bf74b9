"""The command line's manners: help, exit codes, failures in three parts, quick start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ehr import cli
from ehr.cli import output
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError, describe
from ehr.errors import Busy, Unprocessable
from ehr.settings import SettingsError

pytestmark = pytest.mark.usefixtures("folder_of_its_own")

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("command", list(cli.COMMANDS))
def test_each_command_has_help_with_examples_on_one_screen(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([command, "--help"]) == Exit.OK

    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 30
    groups = ("audit", "client", "db", "keys", "token", "user")
    assert command in groups or "For instance:\n  " in text  # these have their own


@pytest.mark.parametrize(
    "command", [["load"], ["export"], ["serve"], ["token", "create"]], ids=" ".join
)
def test_each_example_stands_whole_on_a_line_of_its_own(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*command, "--help"]) == Exit.OK

    lines = capsys.readouterr().out.partition("For instance:\n")[2].splitlines()
    assert len(lines) >= 2
    assert all(f"ehr {' '.join(command)}" in line for line in lines)


@pytest.mark.parametrize("group", ["db", "token"])
def test_what_a_command_does_is_not_cut_off(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([group, "--help"]) == Exit.OK

    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


def test_the_overview_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == Exit.USAGE

    text = capsys.readouterr().err
    assert all(name in text for name in cli.COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["setings"], "Did you mean settings?"),
        (["settings", "--jsno"], "--json"),
        (["token", "create"], "--system or --operator"),
        (["token", "create", "--system", "--operator"], "one of them"),
        (["get"], "PATH"),
    ],
    ids=["command", "option", "choice", "both", "argument"],
)
def test_wrong_usage_is_explained(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == Exit.USAGE
    assert says in capsys.readouterr().err


def test_settings_are_listed_with_their_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EHR_PORT", "9000")
    monkeypatch.setenv("EHR_SECRET", "a-secret-nobody-may-see")

    assert cli.run(["settings", "--json"]) == Exit.OK

    text = capsys.readouterr().out
    found = {row["variable"]: row for row in json.loads(text)}
    assert (found["EHR_PORT"]["value"], found["EHR_PORT"]["source"]) == ("9000", "environment")
    assert found["EHR_HOST"]["source"] == "default"
    assert found["EHR_BODY_LIMIT"]["value"] == "5 MiB, 64 MiB"  # as it may be written again
    assert found["EHR_REQUEST_TIMEOUT"]["value"] == "60 s"
    assert "nobody-may-see" not in text


def test_a_misspelt_setting_is_refused_in_three_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EHR_PROT", "9000")

    assert cli.run(["settings"]) == Exit.SETTINGS

    text = capsys.readouterr().err
    assert "Error: There is no setting EHR_PROT." in text
    assert "Do:" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError("what", "why", "do", exit=Exit.ADDRESS), Exit.ADDRESS),
        (SettingsError("what", "where", "remedy"), Exit.SETTINGS),
        (Unprocessable("what", expression="Patient.name"), Exit.REFUSED),
        (Busy("The database went away."), Exit.DATABASE),
        (ZeroDivisionError("oops"), Exit.INTERNAL),
    ],
    ids=["command", "setting", "record", "database", "fault"],
)
def test_each_kind_of_failure_has_its_own_exit_code(error: Exception, code: Exit) -> None:
    failure = describe(error)

    assert failure.exit == code
    assert failure.text().startswith("Error: ")


def test_a_missing_password_is_asked_for() -> None:
    gone = Busy("The database went away.")
    gone.__cause__ = OSError("connection failed: fe_sendauth: no password supplied")

    assert "postgresql://role:password@host/name" in describe(gone).remedy


def test_a_demo_beside_a_database_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["get", "Patient/mary-murray"]) == Exit.DATABASE
    assert "ehr-demo.db" not in capsys.readouterr().err
    Path("ehr-demo.db").touch()

    assert cli.run(["get", "Patient/mary-murray"]) == Exit.DATABASE
    assert "EHR_DATABASE_URL=sqlite:///ehr-demo.db." in capsys.readouterr().err


def test_a_traceback_comes_with_debug_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EHR_PORT", "none")

    with pytest.raises(SettingsError):
        cli.run(["--debug", "settings"])


def test_exit_codes_are_listed_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    listed = readme.partition("exit codes:")[2].partition("\n")[0]

    assert [part.split()[0] for part in listed.strip().rstrip(".").split(", ")] == [
        str(code.value) for code in Exit
    ]


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 resources"), (1, "1 resource"), (1200, "1,200 resources")]
)
def test_one_is_singular(number: int, text: str) -> None:
    assert output.counted(number, "resource") == text


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    output.put_table(("Name", "Value"), [("a", "1"), ("longer", "2")])

    assert capsys.readouterr().out == "Name    Value\na       1\nlonger  2\n"


def test_start_up_imports_no_heavy_library() -> None:
    code = (
        "import sys; from ehr import cli; cli.run(['--version']);"
        "heavy = {'sqlalchemy', 'flask', 'granian', 'lxml', 'rich', 'fhir.resources', 'alembic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"
