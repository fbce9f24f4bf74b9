"""Statement budgets of DESIGN §5: a request costs a constant number, whatever its size.

What a create or update on PostgreSQL does: BEGIN is the driver's; look up and lock the row, look up
and lock what it refers to, open the transaction's row, then rows out, rows changed, rows in.
SQLite has no data-modifying WITH and runs one prepared statement for each table that is written.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.client import Client

if TYPE_CHECKING:
    from ehr.store.engine import Database

WRITE = {"postgresql": 10, "sqlite": 12}
TRANSACTION = {"postgresql": 24, "sqlite": 24}
_FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")


@pytest.fixture
def count(
    client: Client, database: "Database", statements: Callable[[], Any]
) -> Callable[[Callable[[], Any]], int]:
    """Count the statements of a call; tokens and number blocks are in hand by then."""
    client.create(given.patient())
    client.create(given.organisation())

    def counted(call: Callable[[], Any]) -> int:
        with statements() as seen:
            call()
        return len([sql for sql in seen if not sql.lstrip().upper().startswith(_FRAME)])

    return counted


Count = Callable[[Callable[[], Any]], int]


def test_a_read_is_one_statement(client: Client, count: Count) -> None:
    mary = client.create(given.patient())

    assert count(lambda: client.read(f"Patient/{mary['id']}")) == 1
    assert count(lambda: client.read(f"Patient/{mary['id']}/_history/1")) == 1
    assert count(lambda: client.get("Patient/nobody")) == 1


def test_a_search_is_three_at_most(client: Client, count: Count) -> None:
    mary = client.create(given.patient())
    for _ in range(5):
        client.create(given.observation(mary))
    path = f"Observation?patient={mary['id']}&code=8867-4&_count=2"

    assert count(lambda: client.read(path)) <= 3


def test_an_include_is_one_more(client: Client, count: Count) -> None:
    mary = client.create(given.patient())
    client.create(given.observation(mary))
    path = f"Observation?patient={mary['id']}"

    assert count(lambda: client.read(f"{path}&_include=Observation:subject")) <= 4


def test_a_write_stays_in_its_budget(client: Client, count: Count, database: "Database") -> None:
    mary = client.create(given.patient())
    made = client.create(given.observation(mary))
    budget = WRITE[database.dialect]

    assert count(lambda: client.create(given.observation(mary))) <= budget
    changed = made | {"status": "amended"}
    assert count(lambda: client.update(changed)) <= budget
    patch = [{"op": "replace", "path": "/status", "value": "corrected"}]
    path = f"Observation/{made['id']}"
    assert count(lambda: client.patch(path, patch)) <= budget
    assert count(lambda: client.delete(path)) <= budget


def test_a_transaction_of_any_size_costs_the_same(
    client: Client, count: Count, database: "Database"
) -> None:
    mary = client.create(given.patient())

    def bundle(size: int) -> given.Resource:
        return given.transaction(*[given.observation(mary) for _ in range(size)])

    small = count(lambda: client.transact(bundle(10)))
    large = count(lambda: client.transact(bundle(300)))

    assert small == large <= TRANSACTION[database.dialect]


def test_conditions_on_identifiers_are_matched_together(
    client: Client, count: Count, database: "Database"
) -> None:
    def bundle(prefix: str, size: int) -> given.Resource:
        return given.transaction(
            *[
                given.entry(
                    given.organisation(identifier=[{"system": "urn:o", "value": f"{prefix}{n}"}]),
                    ifNoneExist=f"identifier=urn:o|{prefix}{n}",
                )
                for n in range(size)
            ]
        )

    small = count(lambda: client.transact(bundle("a", 5)))
    large = count(lambda: client.transact(bundle("b", 100)))

    assert small == large <= TRANSACTION[database.dialect] + 2


def test_a_history_page_is_four_at_most(client: Client, count: Count) -> None:
    client.update(given.patient(id="mary"))

    assert count(lambda: client.read("Patient/mary/_history")) <= 4
    assert count(lambda: client.read("_history")) <= 4
