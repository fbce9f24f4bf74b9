"""Where `ehr load` writes what it refused: never over what an earlier load has written."""

import json
from pathlib import Path
from typing import Any

import pytest

from ehr import cli
from ehr.cli.exits import Exit
from tests import given

pytestmark = pytest.mark.usefixtures("on_database")

Printed = pytest.CaptureFixture[str]


def _wrong(id: str) -> str:
    Path(f"{id}.json").write_text(json.dumps(given.patient(id=id) | {"gender": "f"}), "utf-8")
    return f"{id}.json"


def _ids(name: str) -> list[Any]:
    return [json.loads(line)["resource"] for line in Path(name).read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ([], [f"ehr-load-rejects{end}.ndjson" for end in ("", "-2", "-3")]),
        (["--rejects", "bad"], ["bad", "bad-2", "bad-3"]),
    ],
    ids=["default", "named"],
)
def test_the_rejects_of_earlier_loads_are_kept(
    options: list[str], files: list[str], capsys: Printed
) -> None:
    for id, file in zip(("a", "b", "c"), files, strict=True):
        assert cli.run(["load", _wrong(id), *options]) == Exit.REJECTS
        assert f"1 refused, all in {file}:" in capsys.readouterr().err

    assert [_ids(file) for file in files] == [["Patient/a"], ["Patient/b"], ["Patient/c"]]


def test_the_file_of_the_rejects_is_named_for_scripts_too(capsys: Printed) -> None:
    Path("ehr-load-rejects.ndjson").write_text("mine", "utf-8")

    assert cli.run(["load", _wrong("a"), "--json"]) == Exit.REJECTS

    assert json.loads(capsys.readouterr().out)["rejects"] == "ehr-load-rejects-2.ndjson"


def test_rejects_may_go_to_what_is_no_file() -> None:
    assert cli.run(["load", _wrong("a"), "--rejects", "/dev/null"]) == Exit.REJECTS
