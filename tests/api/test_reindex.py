"""`$reindex`: online, resumable, alone, and proven by counts on both sides."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from auth.principal import Principal
from ehr.bulk.checking import deep_check
from ehr.messages import Interaction, Preferences
from ehr.operations.reindexing import job, proof, sweep
from ehr.operations.reindexing.asked import Asked, asked
from ehr.operations.reindexing.job import take
from ehr.pipeline import handle
from ehr.record import open_record
from ehr.store import reindex_runs, reindexing
from ehr.store.engine import execute_raw
from tests.client import Client, expect, outcome
from tests.conftest import _token
from tests.given_parameters import eyed, facts, ids, reindexed, search_parameter

if TYPE_CHECKING:
    from ehr.record import Record

EVERYTHING = Asked()
_COLOURS = ("blue", "green")


@pytest.fixture
def operator(record: "Record") -> Client:
    """Give an operator of the record."""
    from ehr.app import create_app

    return Client(create_app(record).test_client(), _token(record, "operator"))


@pytest.fixture
def many(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Give a record of nine patients with eyes, older than the parameter that asks for them."""
    monkeypatch.setattr(sweep, "BATCH", 2)
    for n in range(9):
        client.update(eyed(f"p{n}", _COLOURS[n % 2]))
    client.update(search_parameter("eye"))
    return client


def _is_sound(record: "Record") -> bool:
    faults = list(deep_check.check(record, lambda *_: None).faults)
    assert not faults, [(one.name, one.examples) for one in faults]
    return True


class Stopped(Exception):
    """The process ends here."""


def _stops_after(batches: int) -> job.Phase:
    left = batches

    def tell(_: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Stopped

    return lambda _: tell


def test_it_tells_its_counts_from_both_sides(many: Client, operator: Client) -> None:
    told = reindexed(operator)

    run = facts(told, "run")[0]
    assert (run["visited"], run["changed"]) == (10, 9)
    assert facts(told, "type") == [
        {"type": "Patient", "resources": 9, "indexed": 9},
        {"type": "SearchParameter", "resources": 1, "indexed": 1},
    ]
    tables = {one["table"]: one for one in facts(told, "table")}
    assert tables["token"]["expected"] == tables["token"]["counted"] > 9
    (eye,) = facts(told, "parameter")
    assert (eye["state"], eye["expected"], eye["counted"]) == ("ready", 9, 9)
    assert facts(told, "disagreement") == []


def test_it_goes_on_where_it_was_stopped(many: Client, record: "Record") -> None:
    with pytest.raises(Stopped):
        take(record, EVERYTHING).run(_stops_after(3))

    assert _is_sound(record)  # some rows are of the old making, some of the new
    assert many.get("Patient?eye=blue").status_code == 400
    many.update(eyed("p0", "brown"))  # visited already
    many.update(eyed("p8", "brown"))  # not yet
    assert _is_sound(record)
    again = take(record, EVERYTHING)
    assert again.begun.resumed
    done = again.run()

    assert done["state"] == "done"
    assert done["visited"] == 10  # none of them twice
    assert ids(many.read("Patient?eye=brown")) == {"p0", "p8"}
    assert _is_sound(record)


def test_another_process_goes_on_with_it(many: Client, record: "Record", operator: Client) -> None:
    with pytest.raises(Stopped):
        take(record, EVERYTHING).run(_stops_after(2))
    other = open_record(record.settings)
    try:
        outcome_there = take(other, EVERYTHING).run()
    finally:
        other.database.close()

    assert outcome_there["visited"] == 10
    assert facts(operator.read("$reindex-status"), "run")[0]["state"] == "done"
    record.definitions.refresh()
    assert len(ids(many.read("Patient?eye=blue"))) == 5


@pytest.mark.parametrize("is_lenient", [False, True])
def test_all_processes_search_by_it_when_it_is_done(
    many: Client, record: "Record", is_lenient: bool
) -> None:
    other = open_record(record.settings)
    asked_there = Interaction(
        name="search-type",
        type="Patient",
        params=(("eye", "blue"),),
        base="http://here/fhir",
        preferences=Preferences(lenient=is_lenient),
    )
    take(record, EVERYTHING).run()

    found = handle(other, Principal("me", "system", "Me"), asked_there)

    other.database.close()
    assert len(ids(json.loads(found.body or b""))) == 5


def test_one_that_asks_for_more_does_both(many: Client, record: "Record") -> None:
    many.update(search_parameter("hair", base=["Practitioner"], expression="Practitioner.gender"))
    with pytest.raises(Stopped):
        take(record, asked([], ["eye"])).run(_stops_after(2))

    done = take(record, asked([], ["hair"])).run()

    assert {one["code"]: one["state"] for one in done["parameters"]} == {
        "eye": "ready",
        "hair": "ready",
    }
    assert _is_sound(record)


def test_two_at_once_are_refused(many: Client, record: "Record", operator: Client) -> None:
    with reindex_runs.alone(record.database) as taken:
        refused = operator.post("$reindex")

    assert taken
    assert refused.status_code == 409
    assert "$reindex-status" in outcome(refused)[0]["diagnostics"]
    reindexed(operator)


def test_who_lost_its_lock_stops(many: Client, record: "Record") -> None:
    left = take(record, EVERYTHING)
    with record.database.read() as connection:
        run = reindex_runs.newest(connection)
    assert run is not None
    record.database.write(lambda connection: reindex_runs.take(connection, run, "another"))

    with pytest.raises(reindex_runs.TakenOver):
        left.run()


def test_a_long_one_answers_202_and_tells_where_to_ask(
    many: Client, record: "Record", operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    prove = job.prove

    def waits(*arguments: Any) -> Any:
        goes_on.wait(30)
        return prove(*arguments)

    monkeypatch.setattr(job, "prove", waits)
    monkeypatch.setattr(sys.modules["ehr.operations.reindex"], "_PATIENCE", 0.2)

    answer = operator.post("$reindex")

    assert answer.status_code == 202
    where = answer.headers["Content-Location"]
    assert where.endswith("/fhir/$reindex-status")
    running = facts(operator.read("$reindex-status"), "run")[0]
    assert running["state"] == "running"
    assert operator.post("$reindex", Prefer="respond-async").status_code == 409
    goes_on.set()
    for thread in threading.enumerate():
        if thread.name == "reindex":
            thread.join(30)
    assert facts(operator.read("$reindex-status"), "run")[0]["state"] == "done"


def _damage(record: "Record", sql: str) -> None:
    record.database.write(lambda connection: connection.execute(text(sql)))


DAMAGES = [
    "DELETE FROM token WHERE patient_key > 0",
    "UPDATE string SET value = 'xx'",
    "UPDATE resource SET index_version = 1",
    "INSERT INTO date VALUES (1, 987654, 1, 0, 1, 2)",
    "UPDATE resource SET index_version = 1; DELETE FROM string",
]


@pytest.mark.damages
@pytest.mark.parametrize("damage", DAMAGES)
def test_it_repairs_what_a_check_found_wrong(
    client: Client, record: "Record", operator: Client, damage: str
) -> None:
    client.update(eyed("anna", "blue", name=[{"family": "Murray"}]))
    client.update({"resourceType": "Organization", "id": "ward", "name": "Ward"})
    for sql in damage.split(";"):
        _damage(record, sql)
    assert not deep_check.check(record, lambda *_: None).is_sound

    reindexed(operator)

    assert _is_sound(record)
    assert ids(client.read("Patient?family=murray")) == {"anna"}


@pytest.mark.damages
def test_it_repairs_one_type_alone(client: Client, record: "Record", operator: Client) -> None:
    client.update(eyed("anna", "blue", name=[{"family": "Murray"}]))
    client.update({"resourceType": "Organization", "id": "ward", "name": "Ward"})
    _damage(record, "UPDATE string SET value = 'xx'")

    told = reindexed(operator, "?type=Patient")

    assert [one["type"] for one in facts(told, "type")] == ["Patient"]
    assert ids(client.read("Patient?family=murray")) == {"anna"}
    assert ids(client.read("Organization?name=ward")) == set()


def test_counts_that_disagree_make_nothing_ready(
    many: Client, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = proof.reindexing.counted

    def one_more(*arguments: Any) -> Any:
        found = counted(*arguments)
        found["token", None] += 1
        return found

    monkeypatch.setattr(proof.reindexing, "counted", one_more)

    told = expect(operator.post("$reindex"), 200)

    assert facts(told, "run")[0]["state"] == "failed"
    assert facts(told, "disagreement")[0]["counted"] == 1
    assert facts(told, "definition")[0]["state"] == "indexing"
    assert many.get("Patient?eye=blue").status_code == 400


def test_what_does_not_fit_an_expression_is_counted(client: Client, operator: Client) -> None:
    two = [{"family": "A"}, {"family": "B"}]
    client.update({"resourceType": "Patient", "id": "two", "name": two})
    client.update({"resourceType": "Patient", "id": "one", "name": two[:1]})
    client.update(search_parameter("single", "string", expression="Patient.name.single().family"))

    told = reindexed(operator)

    assert [one["resources"] for one in facts(told, "unfit")] == [1]
    assert ids(client.read("Patient?single=a")) == {"one"}


@pytest.mark.parametrize(
    ("query", "text"),
    [("?type=Nothing", "no resource type"), ("?parameter=none", "neither url nor code"),
     ("?since=1", "no parameter")],
)  # fmt: skip
def test_what_nobody_knows_is_refused(operator: Client, query: str, text: str) -> None:
    response = operator.post(f"$reindex{query}")

    assert response.status_code == 400
    assert text in outcome(response)[0]["diagnostics"]
    assert operator.get("$reindex").status_code == 405


def test_its_definitions_can_be_read(client: Client) -> None:
    for name in ("reindex", "reindex-status"):
        definition = client.read(f"OperationDefinition/{name}")
        assert definition["code"] == name
        checked = client.post("OperationDefinition/$validate", definition)
        issues = json.loads(checked.get_data())["issue"]
        assert not [one for one in issues if one["severity"] in ("error", "fatal")], issues


@pytest.fixture
def stale(record: "Record") -> Iterator[Client]:
    """Give a client of another process that does not hear of new definitions by itself."""
    from ehr.app import create_app

    other = open_record(record.settings)
    client = Client(create_app(other).test_client(), _token(record, "system"))
    client.get("Patient/nobody")
    yield client
    other.database.close()


def test_nothing_that_is_written_meanwhile_is_missed(
    many: Client, stale: Client, record: "Record"
) -> None:
    asked_for: list[int] = []

    def writes(_: int) -> None:
        n = len(asked_for)
        asked_for.append(n)
        if n > 3:
            return
        for which, client in (("a", many), ("b", stale)):
            client.update(eyed(f"new-{which}{n}", "grey"))
            client.update(eyed(f"p{n}", "grey"))
            client.update(eyed(f"p{8 - n % 9}", "grey" if which == "a" else "pink"))
        if n == 2:
            assert many.delete("Patient/p7").status_code == 204
            assert _is_sound(record)

    done = take(record, EVERYTHING).run(lambda _phase: writes)

    assert done["state"] == "done"
    assert _is_sound(record)
    every = many.read("Patient?eye=grey,pink,blue,green&_count=100")
    assert ids(every) == ids(many.read("Patient?_count=100"))


def test_a_write_that_had_begun_before_is_awaited(many: Client, record: "Record") -> None:
    holds, goes_on = threading.Event(), threading.Event()

    def old(record: "Record") -> None:
        from ehr.bulk.loading.writing import LOADER, LOADING
        from ehr.interactions.applying import apply
        from ehr.interactions.changes import Change
        from ehr.messages import Document
        from ehr.store.drafts import Method
        from fhir_profiles import json_format

        raw = json.dumps(eyed("late", "violet")).encode()
        change = Change(
            Method.PUT, "Patient", id="late", document=Document(raw, json_format.parse(raw))
        )

        def wait(_: Any) -> None:
            holds.set()
            goes_on.wait(30)

        apply(record, LOADER, [change], wait, asked=LOADING)

    other = open_record(record.settings)
    writer = threading.Thread(target=old, args=(other,))
    writer.start()
    assert holds.wait(30)
    threading.Timer(1.0, goes_on.set).start()
    try:
        done = take(record, EVERYTHING).run()
    finally:
        writer.join(30)
        other.database.close()

    assert done["state"] == "done"
    assert ids(many.read("Patient?eye=violet")) == {"late"}
    assert _is_sound(record)


def _counted(seen: list[str]) -> int:
    frame = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")
    return len([sql for sql in seen if not sql.lstrip().upper().startswith(frame)])


def _rebuild(record: "Record", names: Any, connection: Any, *, compares: bool) -> int:
    return sweep.rebuild(record, connection, names, compares=compares)


@pytest.mark.parametrize("compares", [False, True])
def test_a_batch_costs_the_same_however_large(
    client: Client, record: "Record", statements: Callable[[], Any], compares: bool
) -> None:
    names = [("Organization", f"o{n}") for n in range(60)]
    for type, id in names:
        client.update({"resourceType": type, "id": id, "name": id, "language": "de"})
    spoken = search_parameter("spoken", base=["Organization"], expression="Organization.language")
    client.update(spoken)
    left = take(record, asked([], ["spoken"]))
    costs = []
    for some in (names[:10], names[10:]):
        with statements() as seen:
            record.database.write(partial(_rebuild, record, some, compares=compares))
        costs.append(_counted(seen))

    assert costs[0] == costs[1]
    assert costs[0] <= (12 if record.database.dialect == "postgresql" else 30) + 10 * compares
    assert left.run()["state"] == "done"


def test_rows_come_by_the_key_without_being_sorted(
    client: Client, record: "Record", statements: Callable[[], Any]
) -> None:
    if record.database.dialect != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are")
    condition = f"{reindexing.affected_by(['Patient'])} AND {reindexing.behind({'Patient': 1})}"
    with record.database.read() as connection:
        with statements() as seen:
            reindexing.following(connection, reindexing.START, condition, 10)
        explained = f"EXPLAIN QUERY PLAN {seen[-1]}"
        plan = [row[-1] for row in execute_raw(connection, explained, reindexing.START).fetchall()]

    assert plan[0] == "SEARCH r USING PRIMARY KEY ((patient_key,rid)>(?,?))"
    assert not [line for line in plan if "TEMP B-TREE" in line]


def test_what_a_parameter_of_the_record_costs(
    client: Client, operator: Client, statements: Callable[[], Any]
) -> None:
    client.update(eyed("anna", "blue", gender="female"))
    costs = []
    for code, members in (("hair", {"description": "Other"}), ("eye", {"status": "active"})):
        draft = search_parameter(code, status="draft")
        client.update(draft)
        with statements() as seen:
            client.update(draft | members)
        costs.append(_counted(seen))
    reindexed(operator)
    searches = []
    for query in ("Patient?gender=female", "Patient?eye=blue"):
        client.read(query)
        with statements() as seen:
            client.read(query)
        searches.append(_counted(seen))

    assert costs[1] - costs[0] <= 5
    assert searches[0] == searches[1]


def test_the_check_says_what_waits_for_it(
    many: Client,
    record: "Record",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from ehr import cli

    monkeypatch.setenv("EHR_DATABASE_URL", record.settings.database_url)

    assert cli.run(["check", "--deep"]) == 0

    lines = capsys.readouterr().out.splitlines()
    at = lines.index("! All search parameters can be searched by: not so for 1")
    assert lines[at + 2].strip() == "Do: Run `ehr reindex`, or `POST [base]/$reindex`."


def test_the_command_does_the_same(
    many: Client,
    record: "Record",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from ehr import cli

    url = record.settings.database_url
    monkeypatch.setenv("EHR_DATABASE_URL", url)

    assert cli.run(["reindex", "--parameter", "eye"]) == 0
    told = capsys.readouterr().out
    assert cli.run(["reindex", "--json", "--type", "Patient"]) == 0
    data = json.loads(capsys.readouterr().out)

    assert "Visited: 9 resources, of which 9 had other rows." in told
    assert "eye        9                      9           ready" in told
    assert (data["state"], data["visited"], data["changed"]) == ("done", 9, 0)
    with reindex_runs.alone(record.database):
        assert cli.run(["reindex"]) == 5
    assert "under way" in capsys.readouterr().err
    assert cli.run(["reindex", "--parameter", "none"]) == 5
