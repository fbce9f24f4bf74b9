"""Tables of `auth`: credentials only. Times are milliseconds since 1970.

They have a MetaData of their own; migrations compare it beside the record's.
"""

from sqlalchemy import BigInteger, Column, MetaData, PrimaryKeyConstraint, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Byte order on both engines, so that an id prefix is a range.
CText = Text().with_variant(Text(collation="C"), "postgresql")

access_token = Table(
    "access_token",
    metadata,
    Column("token_hash", CText, nullable=False),  # sha256 in hex; the token is never kept
    Column("kind", CText, nullable=False),
    Column("name", CText, nullable=False),
    Column("organisation", CText),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
    PrimaryKeyConstraint("token_hash"),
    sqlite_with_rowid=False,
    info={"citus": "reference"},
)
