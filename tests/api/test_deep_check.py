"""`ehr check --deep` on a record that was damaged by hand: it names what, where and what to do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from ehr import cli
from ehr.bulk.checking import deep_check, repair
from ehr.bulk.checking.findings import Finding, Report
from ehr.cli.exits import Exit
from ehr.record import Record
from ehr.store import integrity
from ehr.store.rows import MARKED
from ehr.store.scan import snapshot
from ehr.store.tables import audit_event, locator, member, metadata, resource
from fhir_profiles.definitions import type_number
from tests import given
from tests.client import Client

pytestmark = pytest.mark.damages

LARGE = b"0123456789" * 60_000  # three chunks


@pytest.fixture(autouse=True)
def population(client: Client) -> None:
    """A little of everything that the check knows rules for."""
    client.update(given.patient(id="mary", identifier=[{"system": "urn:n", "value": "1"}]))
    client.update(given.patient("Ann", id="ann"))
    client.update(given.organisation(id="surgery"))
    client.update({"resourceType": "Group", "id": "group", "type": "person", "actual": True})
    for value in (70, 71, 72):
        client.update(_pulse(value=value))
    about_ann = given.observation("Patient/mary", focus=[{"reference": "Patient/ann"}])
    client.update(about_ann | {"id": "about"})
    restricted = {"security": [{"system": "urn:c", "code": "R"}]}
    client.update(given.condition("Patient/mary", meta=restricted) | {"id": "secret"})
    client.update(given.goal("Patient/mary", meta=restricted) | {"id": "gone"})
    client.delete("Goal/gone")
    kind = "application/octet-stream"
    assert client.request("PUT", "Binary/scan", LARGE, content_type=kind).status_code == 201


def _pulse(value: int = 72, subject: str = "Patient/mary") -> dict[str, Any]:
    return given.observation(subject, value=value) | {"id": "pulse"}


def _check(record: Record) -> Report:
    return deep_check.check(record, lambda _steps, _versions: None)


def _damage(record: Record, sql: str, **values: Any) -> None:
    record.database.write(lambda connection: connection.execute(text(sql), values) and None)


def _found(record: Record, name: str) -> Finding:
    """Return the one broken rule that is named so."""
    faults = {one.name: one for one in _check(record).faults}
    [found] = [one for each, one in faults.items() if name in each] or [None]
    assert found is not None, faults
    return found


def test_a_record_in_use_is_sound(record: Record) -> None:
    report = _check(record)

    assert report.is_sound, list(report.faults)
    assert (report.resources, report.versions) == (8, 12)


def test_progress_is_told_to_the_last_step(record: Record) -> None:
    told: list[tuple[int, int]] = []

    deep_check.check(record, lambda steps, versions: told.append((steps, versions)))

    assert sum(steps for steps, _ in told) == deep_check.steps(record)
    assert sum(versions for _, versions in told) == 12


_PULSE = "(SELECT rid FROM locator WHERE id = 'pulse')"
_GONE = "(SELECT rid FROM locator WHERE id = 'gone')"
_MARY = "(SELECT patient_key FROM locator WHERE id = 'mary')"
# what is done -> the rule that breaks, the example, what to do
DAMAGES: dict[str, tuple[str, str, str, str]] = {
    "body of an old version": (
        f"UPDATE version SET body = :junk WHERE version = 1 AND rid = {_PULSE}",
        "every version can be read",
        "Observation/pulse version 1: ",
        "backup",
    ),
    "body of the current version": (
        f"UPDATE version SET body = :junk WHERE version = 3 AND rid = {_PULSE}",
        "every version can be read",
        "Observation/pulse version 3: ",
        "backup",
    ),
    "body of a tombstone": (
        f"UPDATE version SET body = :junk WHERE version = 2 AND rid = {_GONE}",
        "tombstones are empty",
        "Goal/gone version 2: it is a tombstone and has a body",
        "backup",
    ),
    "labels of a tombstone": (
        f"UPDATE version SET conf = 3 WHERE version = 2 AND rid = {_GONE}",
        "labels are those of the body",
        "Goal/gone version 2: it has not the labels of the version before it",
        "labels say",
    ),
    "labels taken off": (
        "UPDATE version SET conf = 3 WHERE id = 'secret'",
        "labels are those of the body",
        "Condition/secret version 1: columns say 3 and 0, the body (4, 0)",
        "labels say",
    ),
    "release put off": (
        "UPDATE version SET release_at = 7 WHERE id = 'secret'",
        "labels are those of the body",
        "Condition/secret version 1: the column says 7 for its release, the body None",
        "labels say",
    ),
    "release of a tombstone": (
        f"UPDATE version SET release_at = 7 WHERE version = 2 AND rid = {_GONE}",
        "labels are those of the body",
        "Goal/gone version 2: it has not the labels of the version before it",
        "labels say",
    ),
    "mark that the role table goes by": (
        f"DELETE FROM token WHERE param = {MARKED} AND rid = {_PULSE}",
        "index rows are what the body gives",
        "Observation/pulse: token",
        "--repair",
    ),
    "labels of the row alone": (
        "UPDATE resource SET conf = 3 WHERE id = 'secret'",
        "current row is the newest version",
        "Condition/secret (key ",
        "backup",
    ),
    "author of the row alone": (
        "UPDATE resource SET author = 'nobody' WHERE id = 'pulse'",
        "a resource is of who entered its first version",
        "Observation/pulse (key ",
        "backup",
    ),
    "care date": (
        "UPDATE resource SET care_date = 7 WHERE id = 'pulse'",
        "care dates are those of the body",
        "Observation/pulse version 3: the column says 7, the body 17",
        "backup",
    ),
    "care date of a tombstone": (
        "UPDATE resource SET care_date = 7 WHERE id = 'gone'",
        "care dates are those of the body",
        "Goal/gone version 2: it is a tombstone and has one",
        "backup",
    ),
    "number of the current version": (
        "UPDATE resource SET version = 9 WHERE id = 'pulse'",
        "current row is the newest version",
        "Observation/pulse (key ",
        "backup",
    ),
    "gap in the history": (
        f"DELETE FROM version WHERE version = 2 AND rid = {_PULSE}",
        "versions count from 1 up",
        "Observation/pulse (key ",
        "backup",
    ),
    "history without its beginning": (
        f"DELETE FROM version WHERE version = 1 AND rid = {_PULSE}",
        "versions count from 1 up",
        "Observation/pulse (key ",
        "backup",
    ),
    "another resource's version": (
        f"UPDATE version SET id = 'other' WHERE version = 1 AND rid = {_PULSE}",
        "of one resource, all its life",
        "Observation/pulse (key ",
        "backup",
    ),
    "time that goes back": (
        f"UPDATE version SET last_updated = 9999999999999 WHERE version = 1 AND rid = {_PULSE}",
        "times never go back",
        "Observation/pulse (key ",
        "backup",
    ),
    "tombstone in the beginning": (
        f"UPDATE version SET method = 3, body = :none WHERE version = 1 AND rid = {_PULSE}",
        "none comes first",
        "Observation/pulse (key ",
        "backup",
    ),
    "deletion taken back": (
        "UPDATE resource SET deleted = false WHERE id = 'gone'",
        "current row is the newest version",
        "Goal/gone (key ",
        "backup",
    ),
    "address lost": (
        "DELETE FROM locator WHERE id = 'pulse'",
        "every resource is found by its address",
        "Observation/pulse (key ",
        "backup",
    ),
    "address of another row": (
        "UPDATE locator SET rid = 424242 WHERE id = 'pulse'",
        "every address leads to its resource",
        "Observation/pulse (key ",
        "backup",
    ),
    "address said to be reserved": (
        "UPDATE locator SET reserved = true WHERE id = 'pulse'",
        "only patients who are mentioned",
        "Observation/pulse (key ",
        "backup",
    ),
    "two addresses of one row": (
        f"UPDATE locator SET rid = {_PULSE} WHERE id = 'about'",
        "no two addresses share a row",
        "Observation/",
        "Stop the servers",
    ),
    "counter of rows": (
        "UPDATE counter SET next = 2 WHERE name = 'rid'",
        "counter of rid numbers",
        "rid number ",
        "Stop the servers",
    ),
    "counter of patients": (
        "DELETE FROM counter WHERE name = 'patient'",
        "counter of patient numbers",
        "patient number ",
        "Stop the servers",
    ),
    "counter of transactions": (
        "UPDATE counter SET next = 2 WHERE name = 'txn'",
        "counter of txn numbers",
        "txn number ",
        "Stop the servers",
    ),
    "transaction lost": (
        "DELETE FROM txn WHERE txn_id = (SELECT txn_id FROM resource WHERE id = 'pulse')",
        "every version has its transaction",
        "(of Observation/pulse version 3)",
        "backup",
    ),
    "transaction of nothing": (
        "INSERT INTO txn (txn_id, at, xid, commit_seq) VALUES (4000, 1, NULL, NULL)",
        "every transaction wrote something",
        "transaction 4000",
        "backup",
    ),
    "transaction after its version": (
        "UPDATE txn SET at = 9999999999999 "
        "WHERE txn_id = (SELECT txn_id FROM resource WHERE id = 'pulse')",
        "no version is older than its transaction",
        "Observation/pulse (key ",
        "backup",
    ),
    "stamp left out": (
        "UPDATE txn SET commit_seq = 77 "
        "WHERE txn_id = (SELECT txn_id FROM resource WHERE id = 'pulse')",
        "stamps of the feed are dense",
        "(of Observation/pulse version 3)",
        "backup",
    ),
    "index row lost": (
        f"DELETE FROM date WHERE rid = {_PULSE}",
        "index rows are what the body gives",
        "Observation/pulse: date",
        "--repair",
    ),
    "index row changed": (
        f"UPDATE quantity SET low = 1 WHERE rid = {_PULSE}",
        "index rows are what the body gives",
        "Observation/pulse: quantity",
        "--repair",
    ),
    "reference to another target": (
        f"UPDATE reference SET target_rid = 2, target_key = 2 WHERE rid = {_PULSE}",
        "index rows are what the body gives",
        "Observation/pulse: reference",
        "--repair",
    ),
    "identifier of another": (
        "UPDATE identifier_locator SET value = 'urn:n|2'",
        "index rows are what the body gives",
        "Patient/mary: identifier_locator",
        "--repair",
    ),
    "membership lost": (
        "DELETE FROM member",
        "index rows are what the body gives",
        "Observation/about: member",
        "--repair",
    ),
    "membership too many": (
        f"INSERT INTO member (member_key, owner_key, rid, via) VALUES (9, {_MARY}, {_PULSE}, 1)",
        "index rows are what the body gives",
        "Observation/pulse: member",
        "--repair",
    ),
    "rows of an earlier release": (
        "UPDATE resource SET index_version = 0 WHERE id = 'pulse'",
        "index rows are what the body gives",
        "Observation/pulse: made by an earlier release",
        "--repair",
    ),
    "index row of what was deleted": (
        "INSERT INTO token (patient_key, rid, param, element, code, system) "
        f"VALUES ({_MARY}, {_GONE}, 1, -1, 1, 0)",
        "every token row belongs to a resource",
        "Goal/gone (key ",
        "--repair",
    ),
    "index row of nothing": (
        "INSERT INTO uri (patient_key, rid, param, element, hash, value) "
        "VALUES (5, 999, 1, -1, 1, 'x')",
        "every uri row belongs to a resource",
        "key 5, row 999",
        "--repair",
    ),
    "membership of nothing": (
        "INSERT INTO member (member_key, owner_key, rid, via) VALUES (5, 6, 999, 1)",
        "every member row belongs to a resource",
        "key 6, row 999",
        "--repair",
    ),
    "content changed": (
        "UPDATE blob_chunk SET data = (SELECT data FROM blob_chunk WHERE n = 1) WHERE n = 0",
        "content is whole",
        "its digest is not the one it came with",
        "backup",
    ),
    "chunk lost": (
        "DELETE FROM blob_chunk WHERE n = 1",
        "content is whole",
        "chunk 2 of 3 is missing",
        "backup",
    ),
    "chunk cut": (
        "UPDATE blob_chunk SET data = :junk WHERE n = 2",
        "content is whole",
        "chunk 3 of 3 has 4 bytes, 75712 were stored",
        "backup",
    ),
    "chunk too many": (
        "INSERT INTO blob_chunk (patient_key, blob_id, n, data) "
        "SELECT patient_key, blob_id, 3, data FROM blob_chunk WHERE n = 2",
        "content is whole",
        "it has 4 chunks, 3 were stored",
        "backup",
    ),
    "content lost": (
        "DELETE FROM blob",
        "every version's content is there",
        "Binary/scan (key ",
        "backup",
    ),
    "content not linked": (
        "UPDATE blob SET linked = false",
        "every version's content is there",
        "Binary/scan (key ",
        "backup",
    ),
    "content nobody names": (
        "UPDATE version SET blob_id = NULL",
        "linked content belongs to a version",
        "content ",
        "backup",
    ),
    "content that the body does not know": (
        f"UPDATE version SET blob_id = 'x' WHERE version = 3 AND rid = {_PULSE}",
        "named where the body says so",
        "Observation/pulse version 3: column says x, the body otherwise",
        "backup",
    ),
    "chunk of nothing": (
        "INSERT INTO blob_chunk (patient_key, blob_id, n, data) VALUES (1, 'lost', 0, :junk)",
        "every chunk belongs to content",
        "content lost (key 1)",
        "backup",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_with_its_row_and_what_to_do(record: Record, name: str) -> None:
    sql, rule, example, remedy = DAMAGES[name]
    values = {"junk": b"junk", "none": b""}
    _damage(record, sql, **{k: v for k, v in values.items() if f":{k}" in sql})

    found = _found(record, rule)

    assert any(example in one for one in found.examples), found
    assert remedy in found.remedy


def test_every_rule_has_its_damage(record: Record) -> None:
    """A rule that no damage breaks would prove nothing."""
    rules = {one.name for one in _check(record).findings if not one.is_note}
    broken = [rule for _, rule, *_ in DAMAGES.values()]
    alike = "row belongs to a resource that is there"  # one for each index table, made alike
    shown_below = (
        "in the record that its body names",
        "patients share a key",
        "lead to a resource",
    )

    left = {
        rule for rule in rules if not any(part in rule for part in (*broken, *shown_below, alike))
    }

    assert left == set()


@pytest.mark.parametrize(
    ("type", "id", "key"),
    [
        pytest.param("Observation", "pulse", "ann", id="another-patient"),
        pytest.param("Observation", "pulse", 0, id="a-patients-among-the-shared"),
        pytest.param("Observation", "pulse", -1, id="a-patients-among-the-unfiled"),
        pytest.param("Organization", "surgery", "mary", id="shared-under-a-patient"),
        pytest.param("Group", "group", "mary", id="unfiled-under-a-patient"),
        pytest.param("Group", "group", 0, id="unfiled-among-the-shared"),
        pytest.param("Group", "group", -99, id="unfiled-of-no-organisation"),
    ],
)
def test_what_lies_in_another_record_than_its_body_names_is_found(
    record: Record, type: str, id: str, key: str | int
) -> None:
    record.database.write(lambda connection: _move(connection, type, id, key))

    found = _found(record, "in the record that its body names")

    assert (found.count, found.examples[0].split(" ")[0]) == (1, f"{type}/{id}")
    assert "entered-in-error" in found.remedy


def test_patients_who_share_a_key_are_found(record: Record) -> None:
    record.database.write(lambda connection: _move(connection, "Patient", "ann", "mary"))

    found = _found(record, "no two patients share a key")

    assert found.examples[0].startswith("Patient/ann (key ")


def _move(connection: Connection, type: str, id: str, key: str | int) -> None:
    """Put a resource under another key in all tables, as no interaction would."""
    named = (locator.c.type == type_number(type)) & (locator.c.id == id)
    place = connection.execute(select(locator).where(named)).one()
    if isinstance(key, str):
        key = connection.execute(
            select(locator.c.patient_key).where(locator.c.id == key)
        ).scalar_one()
    row = connection.execute(select(resource).where(resource.c.rid == place.rid)).one()
    connection.execute(insert(resource).values({**row._mapping, "patient_key": key}))
    tables = [
        one
        for one in metadata.sorted_tables
        if {"patient_key", "rid"} <= {*one.c.keys()} and one is not audit_event
    ]
    for table in tables:
        if table is not resource:
            here = (table.c.rid == place.rid) & (table.c.patient_key == place.patient_key)
            connection.execute(table.update().where(here).values(patient_key=key))
    old = (resource.c.rid == place.rid) & (resource.c.patient_key == place.patient_key)
    connection.execute(resource.delete().where(old))
    connection.execute(member.update().where(member.c.rid == place.rid).values(owner_key=key))


def test_a_reference_to_nothing_is_a_note(record: Record, client: Client) -> None:
    client.update(_pulse() | {"performer": [{"reference": "Practitioner/unknown"}]})

    report = _check(record)

    [note] = [one for one in report.findings if one.count]
    assert (note.is_note, report.is_sound) == (True, True)
    assert note.examples == ["Observation/pulse refers to Practitioner/unknown"]


@pytest.mark.parametrize("name", [one for one in DAMAGES if DAMAGES[one][3] == "--repair"])
def test_what_can_be_repaired_is(record: Record, name: str) -> None:
    _damage(record, DAMAGES[name][0])

    deep_check.check(record, lambda _s, _v: None, lambda names: repair.repair(record, names))
    repair.sweep(record)

    assert _check(record).is_sound


def test_examples_are_few_however_much_is_wrong(record: Record, client: Client) -> None:
    entries = [given.observation("Patient/mary") | {"id": f"o{n}"} for n in range(300)]
    client.transact(given.transaction(*(given.entry(one, method="PUT") for one in entries)))
    _damage(record, "DELETE FROM token")

    found = _found(record, "index rows")

    assert found.count > 300
    assert len(found.examples) == 10


@pytest.fixture
def on_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EHR_DATABASE_URL", database_url)
    return


@pytest.mark.usefixtures("on_database")
def test_the_command_says_all_three(record: Record, capsys: pytest.CaptureFixture[str]) -> None:
    _damage(record, "DELETE FROM blob_chunk WHERE n = 1")

    assert cli.run(["check", "--deep"]) == Exit.FAILED

    lines = capsys.readouterr().out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("✗"))
    assert lines[at] == "✗ Content is whole and has the digest it came with: not so for 1"
    assert "chunk 2 of 3 is missing" in lines[at + 1]
    assert lines[at + 2].strip() == "Do: Restore from a backup, or report it to the maintainers."


@pytest.mark.usefixtures("on_database")
def test_the_command_repairs_and_checks_again(
    record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    _damage(record, DAMAGES["index row of nothing"][0])
    _damage(record, DAMAGES["index row lost"][0])

    assert cli.run(["check", "--deep", "--repair", "--json"]) == Exit.OK

    printed = capsys.readouterr()
    assert all(one["passed"] for one in json.loads(printed.out))
    assert "Index rows built again: those of 1 resource.\n" in printed.err
    assert "Removed because they belonged to nothing: 1 index row.\n" in printed.err


def test_content_is_read_a_chunk_at_a_time(record: Record) -> None:
    with snapshot(record.database) as connection, record.database.observe((seen := []).append):
        assert list(integrity.contents(connection)) == [None]

    assert sum("FROM blob_chunk" in sql and ".n = " in sql for sql in seen) == 3
