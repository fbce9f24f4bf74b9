"""The record itself: where a resource lies, its versions, transactions, patients and content."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
)

from ehr.store.tables.base import CText, access_columns, key, metadata, table

locator = table(
    "locator",
    Column("type", SmallInteger, nullable=False, autoincrement=False),
    Column("id", CText, nullable=False),
    key(),
    key("rid"),
    # Mentioned before it exists: the key and rid wait for the resource itself.
    Column("reserved", Boolean, nullable=False),
    PrimaryKeyConstraint("type", "id"),
    citus="id",
)

identifier_locator = table(
    "identifier_locator",
    Column("hash", BigInteger, nullable=False, autoincrement=False),
    Column("type", SmallInteger, nullable=False),
    key(),
    key("rid"),
    Column("value", CText, nullable=False),
    PrimaryKeyConstraint("hash", "type", "patient_key", "rid", "value"),
    citus="hash",
)

resource = table(
    "resource",
    key(),
    key("rid"),
    Column("type", SmallInteger, nullable=False),
    Column("id", CText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("last_updated", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("care_date", BigInteger),
    *access_columns(),
    Column("index_version", Integer, nullable=False),
    PrimaryKeyConstraint("patient_key", "rid"),
)
Index(
    "ix_resource_care",
    resource.c.patient_key,
    resource.c.type,
    resource.c.care_date.desc(),
    resource.c.rid,
)
Index("ix_resource_updated", resource.c.type, resource.c.last_updated, resource.c.rid)

version = table(
    "version",
    key(),
    key("rid"),
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("type", SmallInteger, nullable=False),
    Column("id", CText, nullable=False),
    Column("last_updated", BigInteger, nullable=False),
    Column("method", SmallInteger, nullable=False),
    *access_columns(),
    Column("blob_id", CText),
    Column("dict_id", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("patient_key", "rid", "version"),
    ForeignKeyConstraint(["patient_key", "rid"], ["resource.patient_key", "resource.rid"]),
    Index("ix_version_type", "type", "last_updated", "rid"),
    Index("ix_version_updated", "last_updated", "rid"),
)

txn = table(
    "txn",
    Column("txn_id", BigInteger, nullable=False, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("xid", BigInteger),  # PostgreSQL: orders the stamps behind the oldest open transaction
    Column("commit_seq", BigInteger),
    PrimaryKeyConstraint("txn_id"),
    citus="txn_id",
)
Index("ix_txn_commit_seq", txn.c.commit_seq)
Index(
    "ix_txn_open",
    txn.c.xid,
    postgresql_where=txn.c.commit_seq.is_(None),
    sqlite_where=txn.c.commit_seq.is_(None),
)

member = table(
    "member",
    key("member_key"),
    key("owner_key"),
    key("rid"),
    Column("via", Integer, nullable=False),
    PrimaryKeyConstraint("member_key", "owner_key", "rid", "via"),
    citus="member_key",
)

patient_alias = table(
    "patient_alias",
    key(),
    key("surviving_key"),
    PrimaryKeyConstraint("patient_key"),
    citus="reference",
)

organisation_key = table(
    "organisation_key",
    Column("organisation", CText, nullable=False),
    key(),
    PrimaryKeyConstraint("organisation"),
    citus="reference",
)

blob = table(
    "blob",
    key(),
    Column("blob_id", CText, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", CText, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("linked", Boolean, nullable=False),
    PrimaryKeyConstraint("patient_key", "blob_id"),
)

blob_chunk = Table(
    "blob_chunk",
    metadata,
    key(),
    Column("blob_id", CText, nullable=False),
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("patient_key", "blob_id", "n"),
    info={"citus": "patient_key"},
)
