"""Resources indexed into the tables by hand, and searches as plain clauses on them.

The smallest record there is: no versions, no access, no paging. Shows what the index and match
halves of each parameter type do together.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import sqlalchemy
from sqlalchemy import Connection, Table

from ehr.search.indexer import Indexer
from ehr.search.matching import MatchContext
from ehr.search.parameters.clauses import clause
from ehr.search.values.escapes import alternatives
from ehr.store import tables
from ehr.store.hashing import Hasher
from ehr.store.index_rows import built
from ehr.store.rows import IndexRows, ReferenceRow
from ehr.terminology import Source
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import for_type

HASHER = Hasher(b"0123456789abcdef")
PATIENT_KEY = 7
Place = tuple[int, int]
Name = tuple[str, str]


class Indexed:
    """Resources under one patient's key; `ids` answers a request such as `Patient?gender=male`."""

    def __init__(self, connection: Connection, *, in_patient: bool = True) -> None:
        self._connection = connection
        self._in_patient = in_patient
        self._places: dict[Name, Place] = {}

    def load(self, resources: Iterable[dict[str, Any]]) -> None:
        """Insert the rows of resources; references among them are resolved."""
        resources = list(resources)
        for resource in resources:
            name = (resource["resourceType"], resource["id"])
            self._places[name] = (PATIENT_KEY, len(self._places) + 1)
        indexer = Indexer(HASHER, base_urls=["https://here.example/fhir"])
        for resource in resources:
            self._insert(resource, indexer.rows(resource))

    def ids(self, request: str) -> set[str]:
        """Return `Type/id` of what matches."""
        type, _, query = request.partition("?")
        row = tables.resource.alias()
        wanted = [row.c.type == type_number(type)]
        for pair in query.split("&") if query else ():
            name, _, value = (unquote(part) for part in pair.partition("="))
            wanted.append(self._condition(row, type, name, value))
        found = self._connection.execute(sqlalchemy.select(row.c.id).where(*wanted))
        return {f"{type}/{id}" for (id,) in found}

    def _condition(self, row: Any, type: str, name: str, value: str) -> Any:
        code, _, modifier = name.partition(":")
        if code == "_id":
            return row.c.id.in_(value.split(","))
        context = MatchContext(
            HASHER,
            resolve=lambda names: {n: self._places[n] for n in names if n in self._places},
            base_urls=("https://here.example/fhir",),
            patient_keys=(PATIENT_KEY,) if self._in_patient else None,
            now=lambda: 1_700_000_000_000_000,
            source=Source(self._connection, lambda _: sqlalchemy.true(), HASHER),
        )
        return clause(row, for_type(type)[code], modifier or None, alternatives(value), context)

    def _insert(self, resource: dict[str, Any], rows: IndexRows) -> None:
        type, id = resource["resourceType"], resource["id"]
        place = self._places[type, id]
        self._rows(
            tables.resource,
            [(*place, type_number(type), id, 1, 0, False, None, 3, 0, None, None, None, 1, 1)],
        )
        for table, made in built(rows, type, *place).items():
            self._rows(table, made)
        references = enumerate(rows.reference)
        self._rows(tables.reference, [(*place, n, *self._target(row)) for n, row in references])

    def _target(self, row: ReferenceRow) -> tuple[Any, ...]:
        number = type_number(row.type) if row.type else None
        place = self._places.get((row.type, row.id)) if row.type and row.id else None
        text = f"{row.type}/{row.id}" if row.id else row.url
        hashed = HASHER.text(text) if text and not place else None
        return (
            row.path,
            row.element,
            number,
            *(place or (None, None)),
            hashed,
            row.version,
            row.identifier_hash,
            row.identifier_system,
        )

    def _rows(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        names = [column.name for column in table.columns]
        if rows:
            self._connection.execute(
                table.insert(), [dict(zip(names, row, strict=True)) for row in rows]
            )


@contextmanager
def indexed(url: str, *, in_patient: bool = True) -> Iterator[Indexed]:
    """Give an empty record in a migrated database."""
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as connection:
            yield Indexed(connection, in_patient=in_patient)
    finally:
        engine.dispose()
