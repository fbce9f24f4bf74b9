"""Relationships as rows of their table, and back."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from ehr.access.relationships.kinds import Ceiling, Kind, Relationship
from ehr.store import directory_mark
from ehr.store.hashing import Hasher

Row = tuple[Any, ...]


def rows_of(
    hasher: Hasher, patient_key: int, rid: int, relationships: Iterable[Relationship]
) -> list[Row]:
    """Return the rows of one source, in the order of the columns of `relationship`."""
    return [
        (
            patient_key,
            rid,
            n,
            int(one.kind),
            int(one.ceiling),
            *(named(hasher, name) for name in (one.grantee, one.behalf, one.basis)),
            one.from_,
            one.to,
            one.from_task,
            one.ended,
            one.permits,
            one.grantee,
            one.behalf,
            one.basis,
        )
        for n, one in enumerate(relationships)
    ]


def named(hasher: Hasher, name: str) -> int:
    """Return what rows keep of a name: its hash, 0 for none."""
    return hasher.text(name) if name else 0


def relationship_of(row: Any) -> Relationship:
    """Return the relationship that a row of the table, read with all columns, stands for."""
    return Relationship(
        Kind(row.kind),
        row.name,
        row.from_at,
        row.to_at,
        Ceiling(row.ceiling),
        behalf=row.behalf_name,
        basis=row.basis_name,
        permits=row.permits,
        from_task=row.from_task,
        ended=row.ended,
    )


def note_emergencies(connection: Connection, written: Iterable[Relationship]) -> None:
    """Change the mark of the directory for records that were opened in an emergency, or no longer
    are: callers are known with them."""
    if any(one.kind is Kind.BREAK_GLASS for one in written):
        directory_mark.change(connection)
