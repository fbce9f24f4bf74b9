"""The author of a resource is who entered its first version: whose it is does not change.

Revision: 0012_entered_by, after 0011_lookups
"""

from alembic import op

revision = "0012_entered_by"
down_revision = "0011_lookups"

_SET = (
    "UPDATE resource SET author = v.author, author_organisation = v.author_organisation "
    "FROM version v WHERE v.patient_key = resource.patient_key AND v.rid = resource.rid AND {which}"
)


def upgrade() -> None:
    op.execute(_SET.format(which="v.version = 1"))


def downgrade() -> None:
    op.execute(_SET.format(which="v.version = resource.version"))
