"""Small facts that a database keeps of itself: dictionaries, unfiled keys, its epoch."""

import secrets

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from ehr.store.bodies import CURRENT_DICTIONARY, shipped_dictionary
from ehr.store.tables import body_dictionary, database_fact, organisation_key


def dictionaries(connection: Connection) -> dict[int, bytes]:
    """Return the compression dictionaries by number."""
    rows = connection.execute(select(body_dictionary.c.dict_id, body_dictionary.c.data))
    return {row.dict_id: bytes(row.data) for row in rows}


def keep_dictionary(connection: Connection) -> dict[int, bytes]:
    """Store the dictionary that this release writes with, and return all."""
    _insert_missing(
        connection, body_dictionary, dict_id=CURRENT_DICTIONARY, data=shipped_dictionary()
    )
    return dictionaries(connection)


def unfiled_key(connection: Connection, organisation: str | None) -> int | None:
    """Return the key of an organisation's unfiled rows, if it has one yet."""
    key: int | None = connection.execute(
        select(organisation_key.c.patient_key).where(
            organisation_key.c.organisation == organisation
        )
    ).scalar()
    return key


def keep_unfiled_key(connection: Connection, organisation: str | None, fresh: int) -> int:
    """Give an organisation a key and return the one that counts, its own or an earlier one."""
    _insert_missing(connection, organisation_key, organisation=organisation, patient_key=fresh)
    key = unfiled_key(connection, organisation)
    assert key is not None
    return key


def fact(connection: Connection, name: str) -> str | None:
    """Return a fact by its name, or None."""
    value: str | None = connection.execute(
        select(database_fact.c.value).where(database_fact.c.name == name)
    ).scalar()
    return value


def keep_fact(connection: Connection, name: str, value: str) -> None:
    """Keep a fact in the place of what was kept under its name."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(database_fact).values(name=name, value=value)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )


def epoch(connection: Connection) -> str | None:
    """Return the text that changes when a database is restored: cursors of another are refused."""
    return fact(connection, "epoch")


def keep_epoch(connection: Connection) -> str:
    """Give a database its first epoch and return the one that counts."""
    _insert_missing(connection, database_fact, name="epoch", value=secrets.token_hex(8))
    value = epoch(connection)
    assert value is not None
    return value


def own_bases(connection: Connection) -> tuple[str, ...]:
    """Return the addresses under which this record is or was known, so that they mean itself."""
    named = select(database_fact.c.value).where(database_fact.c.name.like("base:%"))
    return tuple(sorted(connection.execute(named).scalars()))


def keep_own_base(connection: Connection, url: str) -> None:
    """Note an address of this record."""
    _insert_missing(connection, database_fact, name=f"base:{url}", value=url)


def _insert_missing(connection: Connection, table: Table, **values: object) -> None:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(table).values(**values).on_conflict_do_nothing())
