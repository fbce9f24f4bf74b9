"""`_explain=true` and `ehr explain`: what a search costs is told to operators and nobody else."""

import json
from typing import Any

import pytest

from auth import tokens
from ehr import cli
from ehr.app import create_app
from ehr.cli.exits import Exit
from ehr.store.statement_cost import cost
from ehr.store.trace import traced
from fhir_profiles.validator import validate
from tests import given
from tests.client import Client

SECRET_NAME = "Quetzalcoatl"


@pytest.fixture
def operator(record: Any) -> Client:
    token = record.database.write(
        lambda connection: tokens.create(
            connection, kind="operator", name="Night shift", now=record.clock()
        )
    )
    return Client(create_app(record).test_client(), token)


@pytest.fixture
def mary(client: Client) -> dict[str, Any]:
    made = client.create(given.patient(family=SECRET_NAME))
    for _ in range(3):
        client.create(given.observation(made))
    return made


def told(explanation: dict[str, Any], name: str) -> list[dict[str, list[Any]]]:
    """Return the parts of this name, each as its values by name."""
    found = []
    for part in explanation["parameter"]:
        if part["name"] == name:
            values: dict[str, list[Any]] = {}
            for inside in part["part"]:
                values.setdefault(inside.pop("name"), []).extend(inside.values())
            found.append(values)
    return found


def test_a_search_in_one_record_is_explained(operator: Client, mary: dict[str, Any]) -> None:
    found = operator.read(f"Observation?patient={mary['id']}&code=8867-4&_explain=true")

    assert validate(json.loads(json.dumps(found, default=float))) == []
    [request], [plan], [result] = (told(found, name) for name in ("request", "plan", "result"))
    assert request["types"] == ["Observation"]
    assert any("Observation.code (token)" in text for text in request["condition"])
    assert plan["scope"] == ["within one key"]
    assert result["matches"] == result["total"] == [3]
    statements = told(found, "statement")
    assert result["statements"] == [len(statements)]
    assert statements[-1]["purpose"] == ["find matches"]
    assert statements[-1]["rows"] == [3]
    assert "token" in statements[-1]["sql"][0]
    assert statements[-1]["asked-by"] == ["ehr/search/results/page_statement.py: page_rows"]
    assert all(one["query-plan"] and one["milliseconds"][0] >= 0 for one in statements)


def test_rows_read_or_work_done_and_indexes_are_told(
    operator: Client, mary: dict[str, Any], record: Any
) -> None:
    found = operator.read(f"Observation?patient={mary['id']}&_explain=true")

    last = told(found, "statement")[-1]
    if record.database.dialect == "postgresql":
        assert last["rows-read"][0] >= 3
    else:
        assert last["instructions"] == [0]  # by the thousand: this is little work
        assert any(name.startswith("v: ") for name in last["index"])


def test_every_step_and_round_is_told(operator: Client, mary: dict[str, Any]) -> None:
    path = "Observation?subject:Patient.gender=female&_include=Observation:subject"

    found = operator.read(f"{path}&_explain=true")

    purposes = [one["purpose"][0] for one in told(found, "statement")]
    assert purposes == [
        "step that leaves the key",
        "find matches",
        "round of includes",
        "fetch what is included",
    ]
    assert told(found, "plan")[0]["scope"] == ["over all patients"]
    assert told(found, "result")[0]["included"] == [1]


def test_what_is_stored_is_not_told(operator: Client, mary: dict[str, Any]) -> None:
    answer = operator.get(f"Patient?_id={mary['id']}&_sort=family&_explain=true")

    assert answer.status_code == 200
    assert SECRET_NAME.lower() not in answer.get_data(as_text=True).lower()


@pytest.mark.parametrize("way", ["get", "post", "batch"])
def test_others_are_refused(client: Client, mary: dict[str, Any], way: str) -> None:
    if way == "get":
        answer = client.get("Observation?_explain=true")
    elif way == "post":
        answer = client.request(
            "POST",
            "Observation/_search",
            "_explain=true",
            content_type="application/x-www-form-urlencoded",
        )
    else:
        entry = {"request": {"method": "GET", "url": "Observation?_explain=true"}}
        answer = client.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry]})
        assert answer.json["entry"][0]["response"]["status"].startswith("403")
        return

    assert answer.status_code == 403
    assert "statement" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("query", ["_explain=yes", "_explain=true&_explain=true", "_explain"])
def test_it_takes_true_once(operator: Client, query: str) -> None:
    answer = operator.get(f"Patient?{query}")

    assert answer.status_code == 400
    assert "`_explain` takes `true`" in answer.json["issue"][0]["diagnostics"]


def test_a_condition_is_not_explained(client: Client) -> None:
    answer = client.delete("Patient?name=x&_explain=true")

    assert answer.status_code == 400


def test_texts_are_left_out_of_plans(record: Any, mary: dict[str, Any]) -> None:
    from sqlalchemy import text

    with record.database.read() as connection:
        with traced(connection) as statements:
            connection.execute(
                text("SELECT * FROM string WHERE value >= 'quetz''al' AND value < 'quf'")
            ).all()
        found = cost(connection, statements[0])

    assert found.rows
    assert found.plan
    assert "quetz" not in str(found.plan)


def test_the_command_shows_tables(
    database_url: str,
    mary: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EHR_DATABASE_URL", database_url)

    assert cli.run(["explain", "Observation?code=8867-4&_summary=count"]) == Exit.OK

    text = capsys.readouterr().out
    assert "Observation.code (token)" in text
    assert "over all patients" in text
    [line] = [line for line in text.splitlines() if line.startswith("1 ")]
    assert "count matches" in line
    assert "SELECT" not in text

    assert cli.run(["explain", "--sql", "Observation?code=8867-4"]) == Exit.OK
    assert "SELECT" in capsys.readouterr().out
    assert cli.run(["explain", "--json", "Observation"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["resourceType"] == "Parameters"


def test_the_command_says_what_is_wrong(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EHR_DATABASE_URL", database_url)

    assert cli.run(["explain", "Observation?kode=1"]) == Exit.REFUSED
    text = capsys.readouterr().err
    assert "kode" in text
    assert "Prefer" not in text  # nobody sends headers here
    assert "Correct the search" in text
    for path in ("metadata", "Patient/mary", "Patient/mary/_history"):
        assert cli.run(["explain", path]) == Exit.USAGE
        text = capsys.readouterr().err
        assert "This is no search" in text
        assert "_explain" not in text
