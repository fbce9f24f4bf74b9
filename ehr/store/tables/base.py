"""What every table of the record has in common: names of constraints, keys, text in byte order."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)

# Byte order everywhere, so that both engines sort and compare the same.
CText = Text().with_variant(Text(collation="C"), "postgresql")


def key(name: str = "patient_key") -> Column[int]:
    """Return a column of a key that the record gives out."""
    return Column(name, BigInteger, nullable=False, autoincrement=False)


def table(name: str, *args: SchemaItem, citus: str = "patient_key") -> Table:
    """Return a table of the schema; `citus` is the column it is distributed by."""
    return Table(name, metadata, *args, sqlite_with_rowid=False, info={"citus": citus})


def element() -> Column[int]:
    """Which of the elements that composite parameters repeat over: 0 the resource, -1 none."""
    return Column("element", Integer, nullable=False, autoincrement=False)


def access_columns() -> tuple[Column[object], ...]:
    """What access asks of a row; a version keeps its own copy. Missing label = 3 (N)."""
    return (
        Column("conf", SmallInteger, nullable=False),
        Column("sens", BigInteger, nullable=False),
        Column("release_at", BigInteger),
        Column("author_organisation", CText),
        Column("author", CText),
        Column("txn_id", BigInteger, nullable=False),
    )
