"""Statement budgets of ehr/README.md: a request costs a constant number, whatever its size.

What a create or update on PostgreSQL does: BEGIN is the driver's; look up and lock the row, look up
and lock what it refers to, open the transaction's row, then rows out, rows changed, rows in.
SQLite has no data-modifying WITH and runs one prepared statement for each table that is written.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.client import Client
from tests.counting import is_counted
from tests.spec.test_search import link

if TYPE_CHECKING:
    from ehr.store.engine import Database

WRITE = {"postgresql": 10, "sqlite": 12}
TRANSACTION = {"postgresql": 24, "sqlite": 24}


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
        return len([sql for sql in seen if is_counted(sql)])

    return counted


Count = Callable[[Callable[[], Any]], int]


def test_a_read_is_one_statement(client: Client, count: Count) -> None:
    mary = client.create(given.patient())

    assert count(lambda: client.read(f"Patient/{mary['id']}")) == 1
    assert count(lambda: client.read(f"Patient/{mary['id']}/_history/1")) == 1
    assert count(lambda: client.get("Patient/nobody")) == 1


# The search, and how many hops leave the patient or rounds of includes follow.
SEARCHES = {
    "in a record": ("Observation?patient={id}&code=8867-4&date=ge2020&_sort=-date", 0),
    "in a record, by number": ("Observation?patient={id}&_sort=value-quantity,-date", 0),
    "in a compartment": ("Patient/{id}/Observation?category=vital-signs", 0),
    "whole compartment": ("Patient/{id}/*?_type=Observation,Encounter", 0),
    "counted": ("Observation?patient={id}&_summary=count", 0),
    "not counted": ("Observation?patient={id}&_total=none", 0),
    "by id": ("Patient?_id={id}", 0),
    "identifier": ("Patient?identifier=urn:n|m", 0),
    "name and birth date": ("Patient?name=mur&birthdate=1950-01-01", 0),
    "code of anybody": ("Observation?code=8867-4", 0),
    "sorted over all": ("Observation?code=8867-4&_sort=-date", 0),
    "counted over all": ("Observation?code=8867-4&_total=accurate", 0),
    "words": ("Observation?_content=heart", 0),
    "composite": ("Observation?code-value-quantity=8867-4$gt60", 0),
    "filter": ('Observation?_filter=code eq 8867-4 or status eq "amended"', 0),
    "_has": ("Patient?_has:Observation:patient:code=8867-4", 1),
    "_has in _has": ("Location?_has:Encounter:location:_has:Observation:encounter:code=1", 2),
    "chain": ("Observation?subject:Patient.name=mur", 1),
    "chain of two": ("Observation?encounter.subject:Patient.name=mur", 2),
    "_list": ("Patient?_list=none", 1),
    "include": ("Observation?patient={id}&_include=Observation:subject", 1),
    "revinclude": ("Patient?_id={id}&_revinclude=Observation:subject", 1),
    "both": (
        "Observation?patient={id}&_include=Observation:subject&_revinclude=Provenance:target"
        "&_include=Observation:encounter",
        1 + 3,  # who made each version: places, versions, facts
    ),
    "iterate": (
        "Observation?patient={id}&_include=Observation:encounter"
        "&_include:iterate=Encounter:subject",
        2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_is_three_and_its_hops_and_rounds(client: Client, count: Count, name: str) -> None:
    identifier = [{"system": "urn:n", "value": "m"}]
    mary = client.create(given.patient(identifier=identifier, birthDate="1950-01-01"))
    visit = client.create(given.encounter(mary))
    for _ in range(5):
        seen = {"encounter": given.reference(visit)}
        client.create(given.observation(mary, value=72, unit="/min", **seen))
    text, more = SEARCHES[name]
    path = text.format(id=mary["id"])

    # The least, since tokens and definitions are looked up anew after some seconds.
    numbers = [
        min(count(lambda size=size: client.read(f"{path}&_count={size}")) for _ in range(3))
        for size in (1, 4, 50)
    ]

    assert max(numbers) <= 3 + more


@pytest.mark.parametrize(
    "path", ["Observation?patient={id}&_sort=-date", "Observation?code=8867-4"], ids=["in", "over"]
)
def test_a_later_page_is_three_at_most(client: Client, count: Count, path: str) -> None:
    mary = client.create(given.patient())
    for _ in range(3):
        client.create(given.observation(mary))
    address = link(client.read(f"{path.format(id=mary['id'])}&_count=1"), "next")

    for _ in range(2):
        assert address is not None
        assert min(count(lambda to=address: client.read(to)) for _ in range(3)) <= 3
        address = link(client.read(address), "next")


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
