"""The text of a token, to sort by.

Rows written before have none: they sort last until they are indexed again.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("token", sa.Column("text", text))


def downgrade() -> None:
    op.drop_column("token", "text")
