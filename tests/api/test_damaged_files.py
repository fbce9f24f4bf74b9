"""An SQLite file that is damaged, or none: commands say so, and that a backup helps."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ehr import cli
from ehr.cli.exits import Exit
from tests import engines

pytestmark = [
    pytest.mark.usefixtures("folder_of_its_own"),
    pytest.mark.skipif("sqlite" not in engines.chosen(), reason="sqlite is not chosen"),
]

Printed = pytest.CaptureFixture[str]


def _a_letter(path: Path) -> None:
    path.write_text("Dear Mary, " * 1000, "utf-8")


def _without_its_head(path: Path) -> None:
    path.write_bytes(bytes(200) + path.read_bytes()[200:])


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _with_wrong_pages(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xa7" * (len(data) - 4096))


DAMAGE = [
    (_a_letter, "The file is no SQLite database."),
    (_without_its_head, "The file is no SQLite database."),
    (_cut_off, "The SQLite file is damaged."),
    (_with_wrong_pages, "The SQLite file is damaged."),
]


@pytest.fixture(params=DAMAGE, ids=lambda one: one[0].__name__)
def said(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let commands find a damaged file; return what they should say of it."""
    damage: Callable[[Path], None]
    damage, said = request.param
    with engines.fresh_url("sqlite", tmp_path) as url:
        monkeypatch.setenv("EHR_DATABASE_URL", url)
    damage(Path(url.removeprefix("sqlite:///")))
    return str(said)


@pytest.mark.parametrize(
    "command",
    [["get", "Patient"], ["db", "status"], ["db", "upgrade"], ["export", "out"]],
    ids=" ".join,
)
def test_a_damaged_file_is_called_so(said: str, command: list[str], capsys: Printed) -> None:
    assert cli.run(command) == Exit.DATABASE

    text = capsys.readouterr().err
    assert said in text
    assert "ehr db restore" in text
    assert "is running" not in text


def test_a_check_calls_it_so(said: str, capsys: Printed) -> None:
    assert cli.run(["check"]) == Exit.FAILED

    assert said in capsys.readouterr().out
