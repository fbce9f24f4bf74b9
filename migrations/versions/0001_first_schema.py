"""The first schema: owners and keys, versions, index tables, feed, key ring, access tokens.

Revision: 0001, after none
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "blob_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "sha256", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("linked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("patient_key", "blob_id", name=op.f("pk_blob")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blob_chunk",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "blob_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("patient_key", "blob_id", "n", name=op.f("pk_blob_chunk")),
        info={"citus": "patient_key"},
    )
    op.create_table(
        "body_dictionary",
        sa.Column("dict_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dict_id", name=op.f("pk_body_dictionary")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counter",
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "criteria_lock",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_criteria_lock")),
        info={"citus": "hash"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "database_fact",
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "value", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_database_fact")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "date",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("param", sa.Integer(), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("patient_key", "param", "low", "high", "rid", name=op.f("pk_date")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_date_param", "date", ["param", "low", "high", "patient_key", "rid"], unique=False
    )
    op.create_table(
        "identifier_locator",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "value", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint(
            "hash", "type", "patient_key", "rid", "value", name=op.f("pk_identifier_locator")
        ),
        info={"citus": "hash"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key_ring",
        sa.Column(
            "purpose", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("created", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "created", name=op.f("pk_key_ring")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "locator",
        sa.Column("type", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reserved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("type", "id", name=op.f("pk_locator")),
        info={"citus": "id"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "member",
        sa.Column("member_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("via", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("member_key", "owner_key", "rid", "via", name=op.f("pk_member")),
        info={"citus": "member_key"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "organisation_key",
        sa.Column(
            "organisation",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation", name=op.f("pk_organisation_key")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "patient_alias",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("surviving_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("patient_key", name=op.f("pk_patient_alias")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quantity",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("param", sa.Integer(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("system", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "patient_key", "param", "low", "rid", "n", name=op.f("pk_quantity")
        ),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_quantity_param", "quantity", ["param", "low", "patient_key", "rid"], unique=False
    )
    op.create_table(
        "reference",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.Integer(), nullable=False),
        sa.Column("target_type", sa.SmallInteger(), nullable=True),
        sa.Column("target_key", sa.BigInteger(), nullable=True),
        sa.Column("target_rid", sa.BigInteger(), nullable=True),
        sa.Column("target_hash", sa.BigInteger(), nullable=True),
        sa.Column(
            "target_version",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("identifier_hash", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("patient_key", "rid", "n", name=op.f("pk_reference")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_reference_hash",
        "reference",
        ["target_hash", "path"],
        unique=False,
        postgresql_where=sa.text("target_hash IS NOT NULL"),
        sqlite_where=sa.text("target_hash IS NOT NULL"),
    )
    op.create_index(
        "ix_reference_identifier",
        "reference",
        ["identifier_hash"],
        unique=False,
        postgresql_where=sa.text("identifier_hash IS NOT NULL"),
        sqlite_where=sa.text("identifier_hash IS NOT NULL"),
    )
    op.create_index(
        "ix_reference_target",
        "reference",
        ["target_rid", "path", "patient_key", "rid"],
        unique=False,
    )
    op.create_table(
        "resource",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column(
            "id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("care_date", sa.BigInteger(), nullable=True),
        sa.Column("conf", sa.SmallInteger(), nullable=False),
        sa.Column("sens", sa.BigInteger(), nullable=False),
        sa.Column("release_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "author_organisation",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "author", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column("index_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("patient_key", "rid", name=op.f("pk_resource")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_resource_care",
        "resource",
        ["patient_key", "type", sa.literal_column("care_date DESC"), "rid"],
        unique=False,
    )
    op.create_index(
        "ix_resource_updated", "resource", ["type", "last_updated", "rid"], unique=False
    )
    op.create_table(
        "string",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("param", sa.Integer(), nullable=False),
        sa.Column(
            "value", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "folded", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column(
            "original", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.PrimaryKeyConstraint(
            "patient_key", "param", "value", "rid", "n", name=op.f("pk_string")
        ),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_string_param", "string", ["param", "value", "patient_key", "rid"], unique=False
    )
    op.create_table(
        "token",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("param", sa.Integer(), nullable=False),
        sa.Column("code", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "patient_key", "param", "code", "rid", "system", name=op.f("pk_token")
        ),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_token_param", "token", ["param", "code", "patient_key", "rid"], unique=False
    )
    op.create_table(
        "txn",
        sa.Column("txn_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=True),
        sa.Column("commit_seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("txn_id", name=op.f("pk_txn")),
        info={"citus": "txn_id"},
        sqlite_with_rowid=False,
    )
    op.create_index("ix_txn_commit_seq", "txn", ["commit_seq"], unique=False)
    op.create_index(
        "ix_txn_open",
        "txn",
        ["xid"],
        unique=False,
        postgresql_where=sa.text("commit_seq IS NULL"),
        sqlite_where=sa.text("commit_seq IS NULL"),
    )
    op.create_table(
        "uri",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("param", sa.Integer(), nullable=False),
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column(
            "value", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("patient_key", "param", "hash", "rid", name=op.f("pk_uri")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index("ix_uri_param", "uri", ["param", "hash", "patient_key", "rid"], unique=False)
    op.create_table(
        "version",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column(
            "id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.SmallInteger(), nullable=False),
        sa.Column("conf", sa.SmallInteger(), nullable=False),
        sa.Column("sens", sa.BigInteger(), nullable=False),
        sa.Column("release_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "author_organisation",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "author", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("txn_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "blob_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("dict_id", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_key", "rid"],
            ["resource.patient_key", "resource.rid"],
            name=op.f("fk_version_resource"),
        ),
        sa.PrimaryKeyConstraint("patient_key", "rid", "version", name=op.f("pk_version")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index("ix_version_type", "version", ["type", "last_updated", "rid"], unique=False)
    op.create_index("ix_version_updated", "version", ["last_updated", "rid"], unique=False)
    op.create_table(
        "access_token",
        sa.Column(
            "token_hash",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "organisation",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_token")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("access_token")
    op.drop_index("ix_version_updated", table_name="version")
    op.drop_index("ix_version_type", table_name="version")
    op.drop_table("version")
    op.drop_index("ix_uri_param", table_name="uri")
    op.drop_table("uri")
    op.drop_index(
        "ix_txn_open",
        table_name="txn",
        postgresql_where=sa.text("commit_seq IS NULL"),
        sqlite_where=sa.text("commit_seq IS NULL"),
    )
    op.drop_index("ix_txn_commit_seq", table_name="txn")
    op.drop_table("txn")
    op.drop_index("ix_token_param", table_name="token")
    op.drop_table("token")
    op.drop_index("ix_string_param", table_name="string")
    op.drop_table("string")
    op.drop_index("ix_resource_updated", table_name="resource")
    op.drop_index("ix_resource_care", table_name="resource")
    op.drop_table("resource")
    op.drop_index("ix_reference_target", table_name="reference")
    op.drop_index(
        "ix_reference_identifier",
        table_name="reference",
        postgresql_where=sa.text("identifier_hash IS NOT NULL"),
        sqlite_where=sa.text("identifier_hash IS NOT NULL"),
    )
    op.drop_index(
        "ix_reference_hash",
        table_name="reference",
        postgresql_where=sa.text("target_hash IS NOT NULL"),
        sqlite_where=sa.text("target_hash IS NOT NULL"),
    )
    op.drop_table("reference")
    op.drop_index("ix_quantity_param", table_name="quantity")
    op.drop_table("quantity")
    op.drop_table("patient_alias")
    op.drop_table("organisation_key")
    op.drop_table("member")
    op.drop_table("locator")
    op.drop_table("key_ring")
    op.drop_table("identifier_locator")
    op.drop_index("ix_date_param", table_name="date")
    op.drop_table("date")
    op.drop_table("database_fact")
    op.drop_table("criteria_lock")
    op.drop_table("counter")
    op.drop_table("body_dictionary")
    op.drop_table("blob_chunk")
    op.drop_table("blob")
