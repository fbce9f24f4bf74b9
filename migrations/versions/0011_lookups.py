"""How many patients each caller looked up by number and birth date in an hour.

Revision: 0011_lookups, after 0010_audit
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_lookups"
down_revision = "0010_audit"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "patient_lookup",
        sa.Column("caller", _TEXT, nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("lookups", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", name=op.f("pk_patient_lookup")),
        info={"citus": "caller"},
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("patient_lookup")
