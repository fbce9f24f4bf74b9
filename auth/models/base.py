"""What the tables of `auth` share: one MetaData, column types, names of constraints.

Times are milliseconds since 1970. JSON is kept as text. No foreign key leads to the record: a user
points at `Practitioner/…`, `Patient/…` or `RelatedPerson/…` by reference text. On Citus all of them
are reference tables.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Byte order on both engines, so that an id prefix is a range.
CText = Text().with_variant(Text(collation="C"), "postgresql")


def table(name: str, *columns: Any, key: tuple[str, ...]) -> Table:
    """Return a table of this MetaData with a primary key and nothing that the engines differ in."""
    return Table(
        name,
        metadata,
        *columns,
        PrimaryKeyConstraint(*key),
        sqlite_with_rowid=False,
        info={"citus": "reference"},
    )


def text(name: str, *, needed: bool = True) -> Column[str]:
    """Return a column of text in byte order."""
    return Column(name, CText, nullable=not needed)


def time(name: str, *, needed: bool = True) -> Column[int]:
    """Return a column of milliseconds since 1970."""
    return Column(name, BigInteger, nullable=not needed)
