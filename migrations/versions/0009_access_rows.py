"""Relationships and consent rules: who may see whose record, made from resources.

Revision: 0009_access_rows, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009_access_rows"
down_revision = "0008"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KINDS = {"big": sa.BigInteger(), "small": sa.SmallInteger(), "flag": sa.Boolean(), "text": _TEXT}
_TABLES = {
    "relationship": (
        "kind small, ceiling small, grantee big, behalf big, basis big, from_at big, to_at big, "
        "from_task flag, ended flag, permits text, name text, behalf_name text, basis_name text"
    ),
    "consent_rule": (
        "denial int, is_exception flag, actor big, type small, system big, code big, least small, "
        "most small, sens big, item_type small, item_id text, purpose text, from_at big, "
        "to_at big, spares_authors flag, may_be_lifted flag, name text"
    ),
}
_INDEXES = (
    ("ix_relationship_grantee", "relationship", ["grantee", "to_at", "patient_key"]),
    ("ix_relationship_patient", "relationship", ["patient_key", "grantee", "to_at"]),
    ("ix_consent_rule_actor", "consent_rule", ["actor", "to_at", "patient_key"]),
)


def upgrade() -> None:
    for name, columns in _TABLES.items():
        pairs = [column.split() for column in columns.split(", ")]
        op.create_table(
            name,
            sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
            *(
                sa.Column(column, _KINDS.get(kind, sa.Integer()), nullable=False)
                for column, kind in pairs
            ),
            sa.PrimaryKeyConstraint("patient_key", "rid", "n", name=op.f(f"pk_{name}")),
            info={"citus": "patient_key"},
            sqlite_with_rowid=False,
        )
    for index, table, columns in _INDEXES:
        op.create_index(index, table, columns)


def downgrade() -> None:
    for index, table, _ in reversed(_INDEXES):
        op.drop_index(index, table_name=table)
    for name in reversed(_TABLES):
        op.drop_table(name)
