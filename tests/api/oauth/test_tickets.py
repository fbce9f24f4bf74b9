"""Tickets to register with: so many uses, so long, once each however many ask at once (T22)."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from auth.apps import tickets

if TYPE_CHECKING:
    from ehr.store.engine import Database

NOW = 1_900_000_000_000


def _made(database: "Database", uses: int = 1) -> str:
    return database.write(
        lambda connection: tickets.create(
            connection, name="Maker", uses=uses, now=NOW, expires=NOW + 1000
        )
    )


def _take(database: "Database", ticket: str, now: int = NOW) -> bool:
    return database.write(lambda connection: tickets.take(connection, ticket, now=now))


def test_a_ticket_is_good_so_often(database: "Database") -> None:
    ticket = _made(database, uses=2)

    assert [_take(database, ticket) for _ in range(3)] == [True, True, False]


def test_t22_a_ticket_for_one_is_taken_once_by_many_at_once(database: "Database") -> None:
    ticket = _made(database)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: _take(database, ticket), range(8)))

    assert taken.count(True) == 1


def test_a_ticket_ends(database: "Database") -> None:
    assert not _take(database, _made(database), now=NOW + 1000)


def test_a_revoked_ticket_is_worth_nothing(database: "Database") -> None:
    ticket = _made(database)
    with database.read() as connection:
        (listed,) = tickets.listed(connection)

    assert database.write(lambda connection: tickets.revoke(connection, listed.id, now=NOW))
    assert not _take(database, ticket)
    assert not _take(database, listed.id)


@pytest.mark.parametrize(("uses", "life"), [(0, 1000), (1, 0)])
def test_a_ticket_for_nothing_is_not_made(database: "Database", uses: int, life: int) -> None:
    with pytest.raises(ValueError, match="A ticket is for"):
        database.write(
            lambda connection: tickets.create(
                connection, name="x", uses=uses, now=NOW, expires=NOW + life
            )
        )
