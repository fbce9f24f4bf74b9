"""Search parameters that a record adds to R4's: what is stored of them, and by what it is indexed.

`database_fact` has two numbers: `index_generation`, which grows when rows are to be made otherwise,
and `search_revision`, which grows with each change of what can be searched by, so that every
process sees by one small look whether it still knows everything. Who changes either holds the
second until the transaction ends.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, text, update

from ehr.store.engine import of
from ehr.store.tables import database_fact, resource, search_definition, version
from fhir_profiles.definitions import type_number

_GENERATION, _REVISION = "index_generation", "search_revision"
_ADD = text(
    "INSERT INTO database_fact (name, value) VALUES (:name, '1') ON CONFLICT (name) DO UPDATE "
    "SET value = CAST(CAST(database_fact.value AS bigint) + 1 AS text)"
)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A definition that rows were made by, in the generations from `since` up to `until`."""

    url: str
    since: int
    until: int | None
    ready: bool
    definition: str

    def holds_in(self, generation: int) -> bool:
        """Tell whether rows of this generation are made by it."""
        return self.since <= generation and (self.until is None or generation < self.until)


def numbers(connection: Connection) -> tuple[int, int]:
    """Return the generation and the revision in force."""
    named = database_fact.c.name.in_((_GENERATION, _REVISION))
    rows = connection.execute(select(database_fact.c.name, database_fact.c.value).where(named))
    found = {row.name: int(row.value) for row in rows}
    return found.get(_GENERATION, 0), found.get(_REVISION, 0)


def change(connection: Connection) -> None:
    """Tell every process that something has changed, and keep others from changing meanwhile."""
    connection.execute(_ADD, {"name": _REVISION})


def new_generation(connection: Connection) -> int:
    """Begin the next generation and return its number."""
    connection.execute(_ADD, {"name": _GENERATION})
    return numbers(connection)[0]


def indexed(connection: Connection) -> list[Indexed]:
    """Return every definition that rows may have been made by, oldest first."""
    t = search_definition
    rows = connection.execute(
        select(t.c.url, t.c.since, t.c.until, t.c.ready, t.c.definition).order_by(
            t.c.since, t.c.url
        )
    )
    return [Indexed(*row) for row in rows]


def add(connection: Connection, one: Indexed) -> None:
    """Index by one more definition."""
    connection.execute(
        insert(search_definition).values(
            url=one.url,
            since=one.since,
            until=one.until,
            ready=one.ready,
            definition=one.definition,
        )
    )


def end(connection: Connection, one: Indexed, until: int) -> None:
    """Index by a definition no longer."""
    t = search_definition
    same = (t.c.url == one.url) & (t.c.since == one.since)
    connection.execute(update(t).where(same).values(until=until, ready=False))


def settle(connection: Connection, one: Indexed, *, ready: bool) -> None:
    """Say whether the rows of a definition are proven to be there."""
    t = search_definition
    same = (t.c.url == one.url) & (t.c.since == one.since)
    connection.execute(update(t).where(same).values(ready=ready))


def forget(connection: Connection, one: Indexed) -> None:
    """Remove a definition that no row is made by any more."""
    t = search_definition
    connection.execute(delete(t).where(t.c.url == one.url, t.c.since == one.since))


def stored(connection: Connection) -> dict[str, bytes]:
    """Return the SearchParameter resources of the record by id, without what the server adds."""
    r, v = resource, version
    rows = connection.execute(
        select(r.c.id, v.c.dict_id, v.c.body)
        .join(
            v,
            (v.c.patient_key == r.c.patient_key)
            & (v.c.rid == r.c.rid)
            & (v.c.version == r.c.version),
        )
        .where(
            r.c.patient_key == 0,
            r.c.type == type_number("SearchParameter"),
            r.c.deleted.is_(False),
        )
        .order_by(r.c.id)
    ).all()
    decompress = of(connection).compressor.decompress
    return {row.id: decompress(bytes(row.body), row.dict_id) for row in rows}
