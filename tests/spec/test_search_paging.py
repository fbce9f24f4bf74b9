"""Walks over pages: nothing twice, nothing new, everything that stayed as it was, whatever happens.

ehr/README.md, *Paging*. Each on both engines; the record changes between the pages.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, update

from ehr.record import Record
from ehr.search.results import page as run
from ehr.store.feed import open_txn
from ehr.store.tables import database_fact, resource
from tests import given
from tests.client import Client, expect, outcome
from tests.counting import is_counted
from tests.spec.test_search import link, names, walk

SORTS = ["", "_sort=birthdate", "_sort=-birthdate", "_sort=family,-birthdate", "_sort=_id",
         "_sort=-_lastUpdated"]  # fmt: skip


def people(client: Client, count: int = 11) -> dict[str, dict[str, Any]]:
    """Create people, some alike and some without a date, and return them by `Type/id`."""
    made = {}
    for n in range(count):
        more = {"birthDate": f"19{40 + n // 2}-01-01"} if n % 5 else {"birthDate": None}
        person = {k: v for k, v in given.patient("P", f"Name{n % 3}", **more).items() if v}
        stored = client.create(person)
        made[f"Patient/{stored['id']}"] = stored
    return made


@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_returns_everything_once_in_the_order_of_one_page(client: Client, sort: str) -> None:
    made = people(client)
    whole = names(client.read(f"Patient?gender=female&_count=100&{sort}".rstrip("&")))

    pages = walk(client, f"Patient?gender=female&_count=4&{sort}".rstrip("&"))

    assert [len(page) for page in pages] == [4, 4, 3]
    assert [name for page in pages for name in page] == whole
    assert set(whole) == set(made)


@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_goes_back_the_way_it_came(client: Client, sort: str) -> None:
    people(client)
    first = f"Patient?gender=female&_count=4&{sort}".rstrip("&")
    there = walk(client, first)
    last = client.read(first)
    while address := link(last, "next"):
        last = client.read(address)

    back = walk(client, str(link(last, "previous")), "previous")

    assert back[::-1] == there[:-1]


@pytest.mark.parametrize("sort", ["date", "-date", "-value-quantity,date"])
def test_many_and_few_matches_are_sorted_alike(
    client: Client, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    for n in range(6):
        mary = client.create(given.patient())
        at = {"effectiveDateTime": f"2024-0{1 + n % 3}-01"} if n else {"effectiveDateTime": None}
        seen = given.observation(mary, value=70 + n % 2, unit="kg", **at)
        client.create({name: value for name, value in seen.items() if value is not None})
    path = f"Observation?_sort={sort}&_count=4"
    few = walk(client, path)

    monkeypatch.setattr(run, "_MANY", 3)
    many = walk(client, path)

    assert [len(page) for page in few] == [4, 2]
    assert many == few


def test_a_page_that_just_fits_has_no_next(client: Client) -> None:
    people(client, 4)

    bundle = client.read("Patient?_count=4")

    assert len(names(bundle)) == 4
    assert link(bundle, "next") is None
    assert link(bundle, "previous") is None


@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_is_not_disturbed_by_changes(client: Client, sort: str) -> None:
    made = people(client)
    bundle = client.read(f"Patient?gender=female&_count=3&{sort}".rstrip("&"))
    seen = names(bundle)
    order = seen + [
        name
        for name in names(client.read(f"Patient?gender=female&_count=99&{sort}".rstrip("&")))
        if name not in seen
    ]
    moved_back, moved_on, gone = order[0], order[5], order[7]

    # One already returned moves to the end, one still to come changes, one goes, one is new.
    for name, family in ((moved_back, "Zzz"), (moved_on, "Aaa")):
        client.update(made[name] | {"name": [{"family": family}], "birthDate": "2001-01-01"})
    client.delete(gone)
    new = client.create(given.patient("New", "Name1", birthDate="1945-01-01"))
    while address := link(bundle, "next"):
        bundle = client.read(address)
        seen += names(bundle)

    assert len(seen) == len(set(seen))
    assert set(made) - {moved_on, gone} <= set(seen) <= set(made) - {gone}
    assert f"Patient/{new['id']}" not in seen


def test_a_change_under_way_at_the_first_page_does_not_bring_a_row_again(
    client: Client, record: Record, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(client, 5)
    # SQLite lets one write at a time, and recording that a page was read is another.
    monkeypatch.setattr(record.trail, "record", lambda events: None)
    first = names(client.read("Patient?_sort=_lastUpdated&_count=1"))[0]
    with _own_connection(database) as connection:
        # It has its time before the first page is read, and commits after.
        txn_id = database.allocator.reserve("txn", 1)[0]
        at, _ = open_txn(connection, txn_id)
        time.sleep(0.01)
        moved = resource.c.id == first.split("/")[1]
        connection.execute(update(resource).where(moved).values(last_updated=at, txn_id=txn_id))
        bundle = client.read("Patient?_sort=_lastUpdated&_count=2")
        connection.commit()

    seen = names(bundle)
    while address := link(bundle, "next"):
        bundle = client.read(address)
        seen += names(bundle)

    assert seen[0] == first
    assert len(seen) == len(set(seen)) == 5


@contextmanager
def _own_connection(database: Any) -> Iterator[Any]:
    """Give a connection beside the record's own, in a transaction."""
    url = database.url
    if database.dialect == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.info["database"] = database
        connection.begin()
        if database.dialect == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
    engine.dispose()


def test_the_total_stays_that_of_the_first_page(client: Client) -> None:
    people(client, 5)
    bundle = client.read("Patient?_count=2&_total=accurate")
    people(client, 1)

    assert client.read(str(link(bundle, "next")))["total"] == 5


def test_links_of_a_walk(client: Client) -> None:
    people(client, 5)

    bundle = client.read("Patient?_count=2")
    second = client.read(str(link(bundle, "next")))

    assert link(second, "first") == link(bundle, "self") == "/fhir/Patient?_count=2"
    assert link(second, "self") == link(bundle, "next")


def test_includes_come_with_each_page(client: Client) -> None:
    mary = client.create(given.patient())
    for _ in range(3):
        client.create(given.observation(mary))
    bundle = client.read("Observation?_count=2&_include=Observation:subject")

    second = client.read(str(link(bundle, "next")))

    assert names(bundle, "include") == names(second, "include") == [f"Patient/{mary['id']}"]


def test_a_cursor_serves_its_search_only(client: Client) -> None:
    people(client, 5)
    address = str(link(client.read("Patient?_count=2"), "next"))

    response = client.get(address.replace("Patient?", "Patient?gender=male&"))

    assert response.status_code == 400
    assert "_cursor" in outcome(response)[0]["diagnostics"]


def test_a_cursor_serves_another_page_size(client: Client) -> None:
    people(client, 5)
    address = str(link(client.read("Patient?_count=2"), "next"))

    assert len(names(client.read(address.replace("_count=2", "_count=50")))) == 3


def test_a_restored_database_ends_walks(client: Client, database: Any) -> None:
    people(client, 5)
    address = str(link(client.read("Patient?_count=2"), "next"))
    epoch = database_fact.c.name == "epoch"
    database.write(
        lambda connection: connection.execute(
            update(database_fact).where(epoch).values(value="restored")
        )
    )

    response = client.get(address)

    assert response.status_code == 410


def test_a_page_is_never_larger_than_the_limit(client: Client) -> None:
    people(client, 3)

    bundle = client.read("Patient?_count=99999999")

    assert link(bundle, "self") == "/fhir/Patient?_count=1000"


def test_a_later_page_takes_few_statements(client: Client, statements: Callable[[], Any]) -> None:
    mary = client.create(given.patient())
    for _ in range(5):
        client.create(given.observation(mary))
    bundle = client.read(f"Observation?patient={mary['id']}&_count=2&_sort=date")
    address = str(link(bundle, "next"))

    with statements() as seen:
        expect(client.get(address), 200)

    asked = [sql for sql in seen if is_counted(sql)]
    assert len([sql for sql in asked if "key_ring" not in sql]) <= 3
