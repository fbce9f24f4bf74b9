"""kill -9 in the middle of `ehr load`, then the same command again: all is in exactly once."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ehr import cli
from ehr.bulk.checking import deep_check
from ehr.cli.exits import Exit
from ehr.record import Record, open_record
from ehr.settings import Settings
from ehr.store.tables import resource
from ehr.store.tables import version as versions
from tests import given
from tests.faults.serving import ROOT

BUNDLES, OBSERVATIONS = 150, 20
SYSTEM = "https://example.org/loads"
EACH = 1 + OBSERVATIONS


def _put_bundle(number: int) -> dict[str, Any]:
    entries = [given.patient(id=f"p{number}")]
    entries += [
        given.observation(f"Patient/p{number}", value=n) | {"id": f"o{number}-{n}"}
        for n in range(OBSERVATIONS)
    ]
    return given.transaction(*(given.entry(one, method="PUT") for one in entries))


def _posted(number: int) -> list[dict[str, Any]]:
    identifier = {"identifier": [{"system": SYSTEM, "value": str(number)}]}
    mary = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
    observed = [given.observation(mary, value=n) for n in range(OBSERVATIONS)]
    for n, one in enumerate(observed):
        one["identifier"] = [{"system": SYSTEM, "value": f"{number}-{n}"}]
    return [given.entry(given.patient(**identifier), full_url=mary), *map(given.entry, observed)]


def _once_bundle(number: int) -> dict[str, Any]:
    entries = _posted(number)
    for entry in entries:
        value = entry["resource"]["identifier"][0]["value"]
        entry["request"]["ifNoneExist"] = f"identifier={SYSTEM}|{value}"
    return given.bundle("transaction", *entries)


def _post_bundle(number: int) -> dict[str, Any]:
    return given.bundle("transaction", *_posted(number))


def _files(folder: Path, make: Callable[[int], dict[str, Any]]) -> None:
    for number in range(BUNDLES):
        (folder / f"b{number:04d}.json").write_text(json.dumps(make(number)), "utf-8")


def _put_bundles(folder: Path) -> None:
    _files(folder, _put_bundle)


def _once_bundles(folder: Path) -> None:
    _files(folder, _once_bundle)


def _post_bundles(folder: Path) -> None:
    _files(folder, _post_bundle)


def _lines_with_ids(folder: Path) -> None:
    patients = (given.patient(id=f"p{number}") for number in range(BUNDLES))
    _lines(folder / "Patient.ndjson", list(patients))
    _lines(folder / "Observation.ndjson", [o for n in range(BUNDLES) for o in _observations(n)])


def _lines_without_ids(folder: Path) -> None:
    _lines_with_ids(folder)
    bare = [
        {k: v for k, v in o.items() if k != "id"} for n in range(BUNDLES) for o in _observations(n)
    ]
    _lines(folder / "Observation.ndjson", bare)


def _observations(number: int) -> list[dict[str, Any]]:
    return [
        given.observation(f"Patient/p{number}", value=n) | {"id": f"o{number}-{n}"}
        for n in range(OBSERVATIONS)
    ]


def _lines(path: Path, resources: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in resources), "utf-8")


SHAPES = [
    pytest.param(_put_bundles, id="transactions-of-puts"),
    pytest.param(_once_bundles, id="transactions-with-if-none-exist"),
    pytest.param(_post_bundles, id="transactions-of-posts"),
    pytest.param(_lines_with_ids, id="lines-with-ids"),
    pytest.param(_lines_without_ids, id="lines-without-ids"),
]


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, id="three-times", marks=pytest.mark.slow),
        pytest.param(20, id="twenty-times", marks=pytest.mark.full),
    ],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_killed_load_is_whole_and_exact_when_given_again(
    database_url: str, tmp_path: Path, shape: Callable[[Path], None], kills: int
) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    shape(folder)
    record = open_record(Settings(database_url=database_url))
    try:
        killed = 0
        while killed < kills and _load_and_kill(record, database_url, folder):
            killed += 1
        assert killed, "the load ended before it was killed"
        if killed == kills:  # else the last one was let finish
            with _load(database_url, folder) as last:
                assert last.wait(120) == 0

        assert _count(record, resource) == BUNDLES * EACH
        assert _count(record, versions) == BUNDLES * EACH
        report = deep_check.check(record, lambda _steps, _things: None)
        assert report.is_sound, [one for one in report.findings if one.count]
    finally:
        record.database.close()


def test_a_load_that_is_stopped_at_its_very_end_is_not_repeated(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.json").write_text(json.dumps(_post_bundle(1)), "utf-8")
    monkeypatch.setenv("EHR_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)

    def stop(_database: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ehr.store.upkeep.settle", stop)
        assert cli.run(["load", "b.json"]) == Exit.INTERRUPTED
    assert cli.run(["load", "b.json"]) == Exit.OK

    record = open_record(Settings(database_url=database_url))
    try:
        assert _count(record, versions) == EACH
    finally:
        record.database.close()


def _load_and_kill(record: Record, url: str, folder: Path) -> bool:
    """Load until something is in, and kill a moment later; tell whether that was in time.

    One that has told of its end was complete, whatever became of it then.
    """
    before = _count(record, versions)
    loading = _load(url, folder)
    while loading.poll() is None and _count(record, versions) == before:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.15))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(loading.pid, signal.SIGKILL)
    with loading:
        assert loading.stdout is not None
        told = loading.stdout.read()
    return loading.returncode != 0 and b"resources in" not in told


def _load(url: str, folder: Path) -> "subprocess.Popen[bytes]":
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EHR_")}
    command = [sys.executable, "-m", "ehr", "load", "--processes", "2", str(folder)]
    return subprocess.Popen(
        command,
        cwd=folder.parent,
        env=kept | {"EHR_DATABASE_URL": url, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _count(record: Record, table: Any) -> int:
    with record.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
