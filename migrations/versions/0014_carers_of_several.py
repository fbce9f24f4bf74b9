"""A carer of several people is another RelatedPerson of the record for each.

Revision: 0014_carers_of_several, after 0013_provenance
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_carers_of_several"
down_revision = "0013_provenance"


def upgrade() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("user_patient", sa.Column("person", text, nullable=True))


def downgrade() -> None:
    op.drop_column("user_patient", "person")
