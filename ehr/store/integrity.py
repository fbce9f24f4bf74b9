"""Rules asked of a database (`rules.py`), content read through, index rows to compare."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, Connection, Table, func, literal_column, select, text

from ehr.store.blobs import CHUNK, chunk_at, count_chunks
from ehr.store.contained import container, container_in_sql, span
from ehr.store.engine import NO_ORGANISATION, execute_raw, is_postgres
from ehr.store.rules import DERIVED_TABLES, INDEX_TABLES, Rule
from ehr.store.scan import Row, stream
from ehr.store.tables import blob, locator, member, organisation_key, resource, version
from fhir_profiles.definitions import type_name

__all__ = [
    "DERIVED_TABLES",
    "INDEX_TABLES",
    "broken",
    "clear_orphans",
    "contents",
    "index_rows",
    "sizes",
    "unfiled_keys",
]

_SHOWN = 10


def sizes(connection: Connection) -> tuple[int, int]:
    """Return how many versions there are, and how many contents beside the record."""
    versions = select(func.count()).select_from(version).scalar_subquery()
    linked = select(func.count()).select_from(blob).where(blob.c.linked.is_(True))
    row = connection.execute(select(versions, linked.scalar_subquery())).one()
    return int(row[0]), int(row[1])


def unfiled_keys(connection: Connection) -> frozenset[int]:
    """Return the keys that rows without a patient may lie under."""
    known = connection.execute(select(organisation_key.c.patient_key)).scalars()
    return frozenset((NO_ORGANISATION, *known))


def broken(connection: Connection, rule: Rule) -> tuple[int, list[str]]:
    """Return how many rows break a rule, and the first of them in words."""
    count: int = connection.execute(
        text(f"SELECT count(*) FROM ({rule.broken}) AS broken")  # noqa: S608  texts of ours
    ).scalar_one()
    if not count:
        return 0, []
    rows = connection.execute(text(f"{rule.broken} LIMIT {_SHOWN}")).all()
    return count, [_WORDS[rule.of](connection, *row) for row in rows]


def _resource(connection: Connection, key: int, rid: int) -> str:
    rid = container(rid)
    for table in (resource, version, locator):
        row = connection.execute(
            select(table.c.type, table.c.id)
            .where(table.c.patient_key == key, table.c.rid == rid)
            .limit(1)
        ).first()
        if row is not None:
            return f"{type_name(row.type)}/{row.id} (key {key}, row {rid})"
    return f"key {key}, row {rid}"


def _transaction(connection: Connection, txn_id: int, _more: int) -> str:
    row = connection.execute(
        select(version.c.type, version.c.id, version.c.version)
        .where(version.c.txn_id == txn_id)
        .limit(1)
    ).first()
    wrote = f" (of {type_name(row.type)}/{row.id} version {row.version})" if row else ""
    return f"transaction {txn_id}{wrote}"


def _content(_connection: Connection, key: int, blob_id: str) -> str:
    return f"content {blob_id} (key {key})"


def _number(_connection: Connection, name: str, highest: int) -> str:
    return f"{name} number {highest} is in use"


_WORDS: dict[str, Callable[[Connection, Any, Any], str]] = {
    "resource": _resource,
    "transaction": _transaction,
    "content": _content,
    "number": _number,
}


def contents(connection: Connection) -> Iterator[str | None]:
    """Read all linked content, a chunk at a time; yield None for each whole one, or its fault."""
    sql = "SELECT patient_key, blob_id, size, sha256 FROM blob WHERE linked = true"
    for rows in stream(connection, sql):
        for key, blob_id, size, expected in rows:
            fault = _fault(connection, key, blob_id, size, expected)
            yield None if fault is None else f"{_content(connection, key, blob_id)}: {fault}"


def _fault(connection: Connection, key: int, blob_id: str, size: int, expected: str) -> str | None:
    digest, due = sha256(), -(-size // CHUNK)
    for n in range(due):
        data = chunk_at(connection, key, blob_id, n)
        if data is None:
            return f"chunk {n + 1} of {due} is missing"
        full = CHUNK if n + 1 < due else size - n * CHUNK
        if len(data) != full:
            return f"chunk {n + 1} of {due} has {len(data)} bytes, {full} were stored"
        digest.update(data)
    there = count_chunks(connection, key, blob_id)
    if there != due:
        return f"it has {there} chunks, {due} were stored"
    return None if digest.hexdigest() == expected else "its digest is not the one it came with"


def index_rows(
    connection: Connection, table: Table, patient_key: int, rids: Sequence[int]
) -> dict[int, set[Row]]:
    """Return the rows that an index table has for these resources of one key, by rid.

    Those of contained resources are among those of their container. `rids` are ascending and hold
    every resource of the key between the first and the last.
    """
    names = [column.name for column in table.columns]
    key = "owner_key" if table is member else "patient_key"
    mark = "%b" if is_postgres(connection) else "?"
    sql = (
        f"SELECT {', '.join(names)} FROM {table.name} "  # noqa: S608  our own names
        f"WHERE {key} = {mark} AND (rid BETWEEN {mark} AND {mark} "
        f"OR rid BETWEEN {mark} AND {mark})"
    )
    at = names.index("rid")
    found: dict[int, set[Row]] = {}
    bounds = (rids[0], rids[-1], *span(rids[0], rids[-1]))
    for row in execute_raw(connection, sql, (patient_key, *bounds)).fetchall():
        found.setdefault(container(row[at]), set()).add(tuple(row))
    return found


def clear_orphans(connection: Connection) -> int:
    """Remove index rows that belong to no resource that is there; return how many there were."""
    gone = 0
    for table in DERIVED_TABLES:
        key = table.c.owner_key if table is member else table.c.patient_key
        there = (
            select(1)
            .select_from(resource)
            .where(
                resource.c.patient_key == key,
                resource.c.rid == literal_column(container_in_sql(f"{table.name}.rid"), BigInteger),
                resource.c.deleted.is_(False),
            )
            .correlate(table)
        )
        gone += connection.execute(table.delete().where(~there.exists())).rowcount
    return gone
