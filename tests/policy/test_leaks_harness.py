"""The leak suite by itself: worlds are stored as they are, and what should be noticed is."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ehr.access.relationships import Kind
from ehr.store.tables import relationship
from tests.client import Client
from tests.policy import role_table
from tests.policy.leaks import mutations, written
from tests.policy.leaks.asking import Served, serve, without_repeats
from tests.policy.leaks.clauses import Clause
from tests.policy.leaks.disclosing import all_names
from tests.policy.leaks.paths import PATHS
from tests.policy.leaks.running import run_on
from tests.policy.leaks.stopping import stopped, would_be_committed
from tests.policy.leaks.tally import Tally
from tests.policy.world import make_world

if TYPE_CHECKING:
    from ehr.record import Record


pytestmark = pytest.mark.usefixtures("unlinted")


@pytest.fixture
def record_settings() -> dict[str, str]:
    return {"EHR_BASE_URL": "http://localhost/fhir"}


@pytest.fixture
def served(record: "Record") -> Served:
    return serve(record, make_world(3, seed=11))


def test_versions_are_as_they_were_sent(served: Served) -> None:
    for row in served.world.record.rows():
        for number, version in enumerate(row.versions, 1):
            if version.document is None:
                continue
            stored = served.everything.read(f"{row.name}/_history/{number}")
            at = version.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            assert stored["meta"]["lastUpdated"] == at, row.name
            assert stored["id"] == version.document["id"]
        status = served.everything.get(row.name).status_code
        assert status == (410 if row.is_deleted else 200)


def test_rows_know_who_sent_them(served: Served) -> None:
    """Unfiled rows are of the organisation that sent them: it alone finds them all."""
    for name, caller in served.world.callers.items():
        if caller.kind != "system" or caller.organisation is None:
            continue
        lists = served.clients[name].read("List?_lastUpdated=gt1900&_count=100")
        unfiled = {
            row.name
            for row in served.world.record.of(None, "List")
            if row.organisation == caller.organisation
        }
        found = {"/".join(one) for one in all_names(lists)}
        assert unfiled <= found
        assert not {row.name for row in served.world.record.of(None, "List")} - unfiled & found


def test_what_operations_noted_is_kept_and_no_task(served: Served) -> None:
    facts = served.world.record.facts
    with served.record.database.read() as connection:
        kinds = list(connection.scalars(select(relationship.c.kind)))

    for noted, kind in (
        ("delegated", Kind.DELEGATED), ("claimed", Kind.SELF_CLAIMED),
        ("broken glass", Kind.BREAK_GLASS),
    ):  # fmt: skip
        assert kinds.count(int(kind)) == sum(one.kind == noted for one in facts), noted
    tasks = served.everything.read("Task?_summary=count")["total"]
    assert tasks == sum(r.type == "Task" and not r.is_deleted for r in served.world.record.rows())


def test_versions_that_change_nothing_are_none() -> None:
    world = make_world(6, seed=1)
    repeats = [
        row
        for row in world.record.rows()
        for one, other in zip(row.versions, row.versions[1:], strict=False)
        if one.document == other.document
    ]
    assert repeats

    left = without_repeats(world).record
    for row in repeats:
        kept = left.row(row.name)
        assert kept is not None
        assert len(kept.versions) < len(row.versions)
        assert kept.versions[0] == row.versions[0]


def test_a_caller_who_should_see_nothing_is_noticed(served: Served) -> None:
    """A system is answered everything; if the policy gave it nothing, each path would tell."""
    run = run_on(served, seed=4, askers=99, turns=32)
    [everybody] = [one for one in run.askers if one.name == "system of none"]
    everybody.sight.caller = replace(everybody.sight.caller, role="analyst", kind="professional")
    run.askers[:] = [everybody]

    silent = set()
    for name, ask in PATHS.items():
        before = run.tally.differences
        ask(run)
        if run.tally.differences == before:
            silent.add(name)

    # A link is asked of two, words and what is contained are few here, analysts see no parts,
    # nothing whose labels changed, and neither who asks nor an analyst is told of the trail.
    few = {"page link", "text", "contained"}
    assert silent <= few | {"parts", "history relabelled", "audit"}


def test_a_run_of_one_kind_only_fails() -> None:
    tally = Tally(seed=1)
    for number in range(10):
        tally.row("read", "ann", f"Patient/{number}", is_seen=False, is_shown=False)

    assert "permitted" in tally.fails(least=5)
    assert "refused" not in tally.fails(least=5)
    assert "of 11" in tally.fails(least=11)


def test_differences_are_told_by_path_and_kind() -> None:
    tally = Tally(seed=1)
    tally.row("read", "ann", "Patient/1", is_seen=True, is_shown=False)
    tally.row("read", "ann", "Patient/2", is_seen=False, is_shown=True)
    tally.answer("search", "ann", "Patient?", found={"a", "b"}, expected={"b", "c"}, whole={"a"})
    tally.same("patch", "ann", "Patient/1", is_same=False)

    report = tally.fails(least=0)
    for told in ("Patient/1 LEAKS", "Patient/2 is not answered", "LEAKS a; lacks c;", "TELLS"):
        assert told in report
    assert tally.differences == 4


DEEP: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "batch-response",
    "entry": [
        {"resource": {"resourceType": "Bundle", "type": "searchset", "entry": [
            {"resource": {"resourceType": "Patient", "id": "a"}}]}},
        {"resource": {"resourceType": "Parameters", "parameter": [
            {"name": "return", "resource": {"resourceType": "Patient", "id": "b"}}]}},
        {"response": {"outcome": {"resourceType": "Patient", "id": "c"}}},
        {"response": {"outcome": {"resourceType": "OperationOutcome"}}},
        {"resource": {"resourceType": "Bundle", "id": "d", "type": "document", "entry": []}},
    ],
}  # fmt: skip


def test_everything_in_an_answer_is_found() -> None:
    expected = {("Patient", "a"), ("Patient", "b"), ("Patient", "c"), ("Bundle", "d")}
    assert all_names(DEEP) == expected


def test_a_clause_without_which_the_server_fails_is_not_noticed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(mutations.ALL, "broken", Clause("ehr.access.visible:_is_seen", fail))
    noticed = mutations.notices(run_on(served, seed=4, askers=20, turns=8), "broken")

    assert str(noticed).startswith("FAILS: GET")
    assert not noticed.is_right("broken")
    assert mutations.Noticed("LEAKS").is_right("broken")
    assert not mutations.Noticed().is_right("broken")


def test_no_word_narrows_a_deletion() -> None:
    """So that `writes: may be changed` decides nothing by itself (`DECIDED_ELSEWHERE`)."""
    deletions = [some for (_, _, letter), some in role_table.cells().items() if letter == "d"]

    assert deletions
    assert all(some == frozenset({frozenset()}) for some in deletions)


def test_each_word_that_narrows_a_write_is_taken_away() -> None:
    of_writing = {
        word
        for (_, _, letter), some in role_table.cells().items()
        for words in some
        for word in words
        if letter in "cud"
    }

    # The trail has tests of its own; what is granted is `writes: a grant to write`.
    tried = {*written.OF_ROWS, *written.OF_CHANGES}
    assert of_writing - tried == {"foreign", "grant"}
    assert tried - of_writing == {"lead"}


def test_writes_that_would_be_committed_are_taken_back(served: Served) -> None:
    row = next(one for one in served.world.record.rows() if one.type == "Patient")
    with stopped():
        response = served.clients["system of none"].put(row.name, row.document | {"language": "en"})

    assert would_be_committed(response)
    assert served.everything.get(row.name).headers["ETag"] == f'W/"{len(row.versions)}"'


def test_a_path_by_which_nothing_comes_through_fails() -> None:
    tally = Tally(seed=1)
    tally.write("writes", "ann", "Task/1", may=True, came=False, otherwise=True)
    assert "came through by writes" in tally.fails(least=0)

    tally.write("writes", "ann", "Task/1", may=True, came=True, otherwise=False)
    assert "came through" not in tally.fails(least=0)
    tally.write("writes", "ann", "Task/2", may=False, came=True, otherwise=False)
    tally.write("writes", "ann", "Task/3", may=True, came=False, otherwise=False)
    report = tally.fails(least=0)
    assert "Task/2 LEAKS" in report
    assert "Task/3 is refused" in report


def test_failures_are_kept(served: Served) -> None:
    assert isinstance(served.everything, Client)
    assert served.everything.get("Patient/nobody").status_code == 404
    assert served.failed == []
