"""load, export, db and check as people call them, on each engine."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ehr import cli
from ehr.cli.exits import Exit
from ehr.record import Record
from ehr.store import migrate
from ehr.store.engine import Database
from tests import engines, given

pytestmark = pytest.mark.usefixtures("on_database")

Printed = pytest.CaptureFixture[str]


def _run(capsys: Printed, *arguments: str, exit: Exit = Exit.OK) -> Any:
    assert cli.run([*arguments, "--json"]) == exit, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


def _ndjson(name: str, *resources: dict[str, Any]) -> str:
    Path(name).write_text("".join(json.dumps(one) + "\n" for one in resources), "utf-8")
    return name


def _observation(id: str, patient: str = "Patient/mary") -> dict[str, Any]:
    return given.observation(patient) | {"id": id}


def _population() -> list[str]:
    return [
        _ndjson("Observation.ndjson", *(_observation(f"o{n}") for n in range(5))),
        _ndjson("Patient.ndjson", given.patient(id="mary"), given.patient("Ann", id="ann")),
    ]


def test_ndjson_is_loaded_with_its_ids_whatever_the_order_of_files(capsys: Printed) -> None:
    figures = _run(capsys, "load", *_population())

    assert (figures["created"], figures["rejected"]) == (7, 0)
    assert cli.run(["get", "Observation/o3"]) == Exit.OK
    assert not list(Path().glob("*.state"))


def test_loading_again_changes_nothing(capsys: Printed) -> None:
    files = _population()
    _run(capsys, "load", *files)

    figures = _run(capsys, "load", *files)

    assert (figures["created"], figures["updated"]) == (0, 7)
    assert _run(capsys, "db", "status")["versions"] == 7


def test_the_database_is_named_as_it_was_given(
    capsys: Printed, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    given_url = database_url.replace("postgresql+psycopg://", "postgresql://")
    monkeypatch.setenv("EHR_DATABASE_URL", given_url)
    _run(capsys, "load", *_population())

    assert _run(capsys, "db", "status")["database"] == given_url


def test_rejects_name_file_line_resource_and_reason(capsys: Printed) -> None:
    wrong = _observation("o9") | {"status": "finished"}
    lost = _observation("o8", "Patient/nobody")
    file = _ndjson("mixed.ndjson", given.patient(id="mary"), wrong, _observation("o1"), lost)
    Path(file).write_text(Path(file).read_text("utf-8") + "{broken\n", "utf-8")

    figures = _run(capsys, "load", file, exit=Exit.REJECTS)

    lines = Path("ehr-load-rejects.ndjson").read_text("utf-8").splitlines()
    rejects = {one["line"]: one for one in map(json.loads, lines)}
    assert (figures["created"], figures["rejected"]) == (2, 3)
    assert sorted(rejects) == [2, 4, 5]
    assert (rejects[2]["resource"], rejects[2]["expression"]) == (
        "Observation/o9",
        "Observation.status",
    )
    assert (rejects[4]["code"], rejects[4]["file"]) == ("not-found", "mixed.ndjson")
    assert rejects[5]["reason"].startswith("The JSON can't be read at column 2: ")


def test_what_a_finished_load_has_taken_in_is_told(capsys: Printed) -> None:
    wrong = [_observation(f"w{n}") | {"status": "finished"} for n in range(5)]
    file = _ndjson("some.ndjson", given.patient(id="mary"), *wrong)
    patients = _ndjson("Patient.ndjson", given.patient(id="ann"), given.patient(id="bob"))
    assert cli.run(["load", file, patients]) == Exit.REJECTS
    assert "  … and 2 more\n" in capsys.readouterr().err

    assert cli.run(["load", file, patients]) == Exit.REJECTS

    printed = capsys.readouterr()
    assert "0 created, 0 updated" in printed.out
    assert "3 resources or Bundles are in since an earlier load" in printed.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["people.csv"], "people.csv can't be loaded: its name should end in .json"),
        (["--url", "http://127.0.0.1:1/fhir", "people.json"], "--url needs a token."),
    ],
)
def test_a_load_that_can_not_begin_says_why(
    arguments: list[str], says: str, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EHR_TOKEN", raising=False)
    for name in ("people.csv", "people.json"):
        Path(name).write_text("id,name\n1,Mary\n", "utf-8")

    assert cli.run(["load", *arguments]) == Exit.USAGE

    assert says in capsys.readouterr().err


def test_a_transaction_and_a_collection_are_taken_each_in_its_way(capsys: Printed) -> None:
    mary = {"fullUrl": "urn:uuid:4f8ba0a2-3f4e-4c67-8a52-17e6a9a2c5d1"}
    mary |= {"resource": given.patient(), "request": {"method": "POST", "url": "Patient"}}
    heart = given.observation(mary["fullUrl"])
    sent = {"resource": heart, "request": {"method": "POST", "url": "Observation"}}
    bundles = {
        "a.json": {"resourceType": "Bundle", "type": "transaction", "entry": [mary, sent]},
        "b.json": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": _observation("o1")}, {"resource": given.patient(id="mary")}],
        },
    }
    for name, bundle in bundles.items():
        Path(name).write_bytes(json.dumps(bundle).encode())

    figures = _run(capsys, "load", "a.json", "b.json")

    assert (figures["created"], figures["rejected"]) == (4, 0)


def test_what_is_exported_can_be_loaded_elsewhere(capsys: Printed, tmp_path: Path) -> None:
    _run(capsys, "load", *_population())

    figures = _run(capsys, "export", "out.ndjson.gz", "--patient", "mary")
    _run(capsys, "export", "out", "--compress", "zst")

    lines = gzip.decompress(Path("out.ndjson.gz").read_bytes()).splitlines()
    assert figures["types"] == {"Observation": 5, "Patient": 1}
    assert {json.loads(line)["id"] for line in lines} == {"mary", *(f"o{n}" for n in range(5))}
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["Observation.ndjson.zst", "Patient.ndjson.zst"]


def test_an_export_does_not_write_over_an_earlier_one_unasked(capsys: Printed) -> None:
    _run(capsys, "load", *_population())
    for target in ("out", "all.ndjson"):
        _run(capsys, "export", target)
        before = {path: path.read_bytes() for path in Path().rglob("*.ndjson")}

        assert cli.run(["export", target]) == Exit.USAGE

        assert "would be written over" in capsys.readouterr().err
        assert {path: path.read_bytes() for path in before} == before
        _run(capsys, "export", target, "--overwrite")
    _run(capsys, "export", "out", "--type", "Goal")


def test_an_unknown_type_is_refused_with_a_near_one(capsys: Printed) -> None:
    for type, says in (("Patiens", "Did you mean Patient?"), ("Foo", "written as in Patient")):
        assert cli.run(["export", "out", "--type", type]) == Exit.USAGE
        assert says in capsys.readouterr().err


def test_an_export_of_a_few_types_names_what_is_older(capsys: Printed) -> None:
    Path("out").mkdir()
    Path("out/Goal.ndjson").write_text("{}\n", "utf-8")

    assert cli.run(["export", "out", "--type", "Patient"]) == Exit.OK

    assert "from before: Goal.ndjson" in capsys.readouterr().err


def test_an_export_makes_no_folder_that_is_named_like_a_file(capsys: Printed) -> None:
    assert cli.run(["export", "mary.json"]) == Exit.USAGE

    assert ".ndjson" in capsys.readouterr().err
    assert not Path("mary.json").exists()


def test_an_export_of_an_unknown_patient_says_so(capsys: Printed) -> None:
    assert cli.run(["export", "out", "--patient", "nobody"]) == Exit.REFUSED
    assert "nobody" in capsys.readouterr().err


@pytest.mark.parametrize("target", engines.chosen())
def test_a_backup_is_restored_into_either_engine(
    capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    _run(capsys, "load", *_population())
    made = _run(capsys, "db", "backup", "b.ehr")
    before = _run(capsys, "db", "status")

    with engines.fresh_url(target, tmp_path) as url:
        monkeypatch.setenv("EHR_DATABASE_URL", url)
        restored = _run(capsys, "db", "restore", "b.ehr")
        after = _run(capsys, "db", "status")
        answers = _run(capsys, "check", "--deep")
        _run(capsys, "load", _ndjson("More.ndjson", _observation("o77")))

    assert made["tables"] == restored["tables"]
    assert after["versions"] == before["versions"]
    assert after["epoch"] != before["epoch"]
    assert all(one["passed"] for one in answers)


@pytest.mark.parametrize("target", engines.chosen())
def test_a_copy_agrees_and_refuses_a_full_target(
    capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    _run(capsys, "load", *_population())

    with engines.fresh_url(target, tmp_path) as url:
        copied = _run(capsys, "db", "copy", url)
        assert cli.run(["db", "copy", url]) == Exit.DATABASE
        refused = capsys.readouterr().err
        monkeypatch.setenv("EHR_DATABASE_URL", url)
        assert cli.run(["get", "Patient?_content=murray&_summary=count"]) == Exit.OK
        found = json.loads(capsys.readouterr().out)["total"]

    assert copied["tables"]["resource"]["rows"] == 7
    assert "not empty" in refused
    assert found > 0, "words did not come along"


def test_a_backup_that_was_changed_is_refused(
    capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(capsys, "load", *_population())
    _run(capsys, "db", "backup", "b.ehr")
    whole = Path("b.ehr").read_bytes()
    Path("cut.ehr").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setenv("EHR_DATABASE_URL", f"sqlite:///{tmp_path}/new.db")

    assert cli.run(["db", "restore", "cut.ehr"]) == Exit.USAGE
    assert "no backup" in capsys.readouterr().err


@pytest.mark.parametrize("target", engines.chosen())
@pytest.mark.parametrize("name", ["b.ehr", "b.db"])
def test_a_backup_of_another_secret_leaves_the_target_as_it_is(
    capsys: Printed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    target: str,
    name: str,
) -> None:
    if name == "b.db" and not database_url.startswith("sqlite"):
        pytest.skip("SQLite alone makes a backup of this kind")
    _run(capsys, "load", *_population())
    _run(capsys, "db", "backup", name)

    with engines.empty_url(target, tmp_path) as url:
        monkeypatch.setenv("EHR_DATABASE_URL", url)
        monkeypatch.setenv("EHR_SECRET", "another secret than that of the backup")
        assert cli.run(["db", "restore", name]) == Exit.SETTINGS
        said = capsys.readouterr().err
        empty = Database(url, pool_size=1)
        with empty.read() as connection:
            assert migrate.is_empty(connection)
        empty.close()
        monkeypatch.delenv("EHR_SECRET")
        _run(capsys, "db", "restore", name)

    assert "The backup's keys can't be opened." in said
    assert "nothing was restored" in said


def test_a_wrong_index_row_is_found_and_repaired(capsys: Printed, record: Record) -> None:
    _run(capsys, "load", *_population())
    record.database.write(lambda c: c.execute(text("DELETE FROM token")) and None)

    found = _run(capsys, "check", "--deep", exit=Exit.FAILED)
    _run(capsys, "check", "--deep", "--repair")

    [wrong] = [one for one in found if not one["passed"]]
    assert wrong["question"] == "Index rows are what the body gives"
    assert "Observation/o0: token" in wrong["examples"]


@pytest.mark.parametrize(
    ("damage", "question"),
    [
        pytest.param("DELETE FROM locator WHERE id = 'o1'", "found by its address", id="address"),
        pytest.param("DELETE FROM txn", "has its transaction", id="transaction"),
        pytest.param("UPDATE resource SET version = 2 WHERE id = 'o1'", "newest", id="version"),
        pytest.param("UPDATE txn SET commit_seq = 77", "dense", id="stamps"),
    ],
)
def test_damage_is_found(capsys: Printed, record: Record, damage: str, question: str) -> None:
    _run(capsys, "load", *_population())
    record.database.write(lambda c: c.execute(text(damage)) and None)

    found = _run(capsys, "check", "--deep", exit=Exit.FAILED)

    assert any(question in one["question"] and one["examples"] for one in found)


def test_check_without_a_database_says_what_to_do(
    capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EHR_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")

    answers = _run(capsys, "check", exit=Exit.FAILED)

    assert "ehr db upgrade" in str(answers)
    assert not (tmp_path / "none.db").exists()
