"""What `$reindex` asks of the tables: which rows to visit next, what is there, how many.

Visiting goes by the primary key, so that it can go on where it stopped; rows that come meanwhile
are made by the definitions in force already.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, select, text

from ehr.store import feed
from ehr.store.contained import container_in_sql
from ehr.store.engine import Database, execute_raw, is_postgres
from ehr.store.index_stamps import behind_in_sql
from ehr.store.integrity import index_rows
from ehr.store.rules import DERIVED_TABLES
from ehr.store.scan import Row, stream
from ehr.store.tables import counter, member, reference
from fhir_profiles.definitions import type_name, type_number
from fhir_profiles.search_parameters import for_type

Place = tuple[int, int]  # (patient_key, rid)
Counts = Counter[tuple[str, int | None]]  # (table, parameter or path) -> rows
EVERYTHING = "true"  # a condition
START: Place = (-(2**63), -(2**63))
# Rows whose target is not here have it as a hash: counted by themselves.
UNRESOLVED = 0
_SLICE = 250
_PAUSE = 0.05


def behind(changed: Mapping[str, int]) -> str:
    """Return the condition that rows are to be made again; `changed` says since which generation
    rows of a type are made otherwise."""
    by_number: dict[int, set[str]] = {}
    for name, number in changed.items():
        by_number.setdefault(number, set()).add(name)
    parts = [
        f"({affected_by(types)} AND {behind_in_sql(number)})"
        for number, types in sorted(by_number.items())
    ]
    return f"({' OR '.join([*parts, behind_in_sql(0)])})"


def of_types(types: Collection[str] | None) -> str:
    """Return the condition that rows are of these types, None for any."""
    if types is None:
        return EVERYTHING
    # The sign keeps engines from starting at an index of types: rows come in order of the key, and
    # sorting all of a type for each few of them would take the square of the time.
    return f"+r.type IN ({_listed(type_number(name) for name in types)})"


def affected_by(types: Collection[str]) -> str:
    """Return the condition that resources are of these types or contain one that is."""
    ids = _listed(for_type(name)["_id"].param_id for name in types)
    inside = (
        f"SELECT c.patient_key, {container_in_sql('c.rid')} FROM token c "  # noqa: S608  as below
        f"WHERE c.param IN ({ids})"
    )
    return f"({of_types(types)} OR (+r.patient_key, r.rid) IN ({inside}))"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers))) or "NULL"


def known_by_now(connection: Connection) -> str:
    """Return the condition that rows may have been there before this moment.

    Numbers are given out in blocks, so that some that meet it come later; but only so many.
    """
    found = connection.execute(select(counter.c.next).where(counter.c.name == "rid")).scalar()
    return f"r.rid < {int(found or 0)}"


def following(
    connection: Connection, after: Place, condition: str, limit: int
) -> list[tuple[Place, tuple[str, str]]]:
    """Return places and names of the current resources that come next."""
    mark = "%b" if is_postgres(connection) else "?"
    sql = (
        "SELECT r.patient_key, r.rid, r.type, r.id FROM resource r "  # noqa: S608  numbers of ours
        f"WHERE (r.patient_key, r.rid) > ({mark}, {mark}) AND r.deleted = false AND ({condition}) "
        f"ORDER BY r.patient_key, r.rid LIMIT {int(limit)}"
    )
    rows = execute_raw(connection, sql, after).fetchall()
    return [((key, rid), (type_name(number), id)) for key, rid, number, id in rows]


def count(connection: Connection, condition: str) -> Counter[str]:
    """Return how many current resources of each type meet a condition."""
    rows = connection.execute(
        text(
            "SELECT r.type, count(*) FROM resource r "  # noqa: S608  numbers of ours
            f"WHERE r.deleted = false AND ({condition}) GROUP BY r.type"
        )
    )
    return Counter({type_name(number): found for number, found in rows})


def there(connection: Connection, key: int, rids: list[int]) -> dict[Table, dict[int, set[Row]]]:
    """Return the index rows that resources of one key have, by table and rid."""
    return {table: index_rows(connection, table, key, rids) for table in DERIVED_TABLES}


def bodies(connection: Connection, condition: str) -> Iterator[list[Row]]:
    """Yield, in slices, place, type, id, version, time and body of current resources."""
    yield from stream(
        connection,
        "SELECT v.patient_key, v.rid, v.type, v.id, v.version, v.last_updated, v.dict_id, v.body "  # noqa: S608  as above
        "FROM version v JOIN resource r ON r.patient_key = v.patient_key AND r.rid = v.rid "
        f"AND r.version = v.version WHERE r.deleted = false AND ({condition}) "
        "ORDER BY v.patient_key, v.rid",
        size=_SLICE,
    )


def counted(connection: Connection, condition: str) -> Counts:
    """Return how many index rows there are of resources that meet a condition."""
    found: Counts = Counter()
    for table in DERIVED_TABLES:
        column = column_of(table)
        for value, number in connection.execute(text(_counting(table, column, condition))):
            found[table.name, value] += number
    unresolved = _counting(reference, None, condition, "t.target_hash IS NOT NULL")
    found["unresolved", UNRESOLVED] = connection.execute(text(unresolved)).all()[0][1]
    return found


def column_of(table: Table) -> str | None:
    """Return the column that says of which parameter or path a row is."""
    return next((name for name in ("param", "path") if name in table.c), None)


def _counting(table: Table, column: str | None, condition: str, where: str = "true") -> str:
    value = f"t.{column}" if column else "NULL"
    sql = f"SELECT {value}, count(*) FROM {table.name} t"  # noqa: S608  names of ours
    if condition != EVERYTHING:
        key = "owner_key" if table is member else "patient_key"
        here = container_in_sql("t.rid")
        sql += f" JOIN resource r ON r.patient_key = t.{key} AND r.rid = {here}"
        where += f" AND r.deleted = false AND ({condition})"
    return f"{sql} WHERE {where}" + (f" GROUP BY {value}" if column else "")


def moment(connection: Connection) -> int:
    """Return the time by the database's clock, rounded up."""
    if not is_postgres(connection):
        return 0
    sql = "SELECT ceil(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    found: Any = connection.execute(text(sql)).scalar_one()
    return int(found)


def await_earlier(database: Database, moment: int) -> None:
    """Wait until every write that began up to this moment has ended.

    SQLite has one writer at a time: whoever came before the last write has ended.
    """
    while database.dialect == "postgresql":
        with database.read() as connection:
            if feed.watermark(connection) > moment:
                return
        time.sleep(_PAUSE)
