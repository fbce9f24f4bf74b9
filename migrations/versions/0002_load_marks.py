"""What a load has taken in, noted with the rows it takes in.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "load_mark",
        sa.Column("unit", text, nullable=False),
        sa.Column("part", text, nullable=False),
        sa.PrimaryKeyConstraint("unit", "part", name=op.f("pk_load_mark")),
        info={"citus": "unit"},
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("load_mark")
