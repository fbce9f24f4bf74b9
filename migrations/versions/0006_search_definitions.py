"""Search parameters that a record adds to those of R4, and how far indexing by them has come.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "search_definition",
        sa.Column("url", text, nullable=False),
        sa.Column("since", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", sa.Integer()),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("definition", text, nullable=False),
        sa.PrimaryKeyConstraint("url", "since", name=op.f("pk_search_definition")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reindex_run",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("holder", text, nullable=False),
        sa.Column("asked", text, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("phase", text, nullable=False),
        sa.Column("at_key", sa.BigInteger()),
        sa.Column("at_rid", sa.BigInteger()),
        sa.Column("visited", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("result", text),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_reindex_run")),
        info={"citus": "reference"},
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("reindex_run")
    op.drop_table("search_definition")
