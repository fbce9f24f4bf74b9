"""What a load has taken in, noted in the transaction that takes it in.

So a load that is killed goes on without doing anything twice: a part of a unit (`part`, empty for
the whole) is noted exactly when its rows are there. The notes go when the load is complete.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, text

from ehr.store.tables import load_mark

WHOLE = ""
_SLICE = 500
# A file that lies in an archive twice is noted twice.
_MARK = text("INSERT INTO load_mark (unit, part) VALUES (:unit, :part) ON CONFLICT DO NOTHING")


def mark(connection: Connection, unit: str, parts: Iterable[str]) -> None:
    """Note that these parts of a unit are in."""
    rows = [{"unit": unit, "part": part} for part in parts]
    if rows:
        connection.execute(_MARK, rows)


def marks(connection: Connection) -> dict[str, frozenset[str]]:
    """Return the parts that are in, by unit."""
    found: dict[str, set[str]] = {}
    for unit, part in connection.execute(select(load_mark.c.unit, load_mark.c.part)):
        found.setdefault(unit, set()).add(part)
    return {unit: frozenset(parts) for unit, parts in found.items()}


def forget(connection: Connection, units: list[str]) -> None:
    """Take back the notes of these units."""
    for start in range(0, len(units), _SLICE):
        some = units[start : start + _SLICE]
        connection.execute(delete(load_mark).where(load_mark.c.unit.in_(some)))
