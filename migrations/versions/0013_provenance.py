"""Who wrote what a transaction has: person, role, client, purpose, on whose behalf.

Revision: 0013_provenance, after 0011_lookups
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_provenance"
down_revision = "0012_entered_by"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "provenance_fact",
        sa.Column("txn_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        *(
            sa.Column(name, _TEXT, nullable=False)
            for name in ("kind", "person", "role", "client", "purpose", "patient")
        ),
        sa.PrimaryKeyConstraint("txn_id", "rid", name=op.f("pk_provenance_fact")),
        info={"citus": "txn_id"},
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("provenance_fact")
