"""Words of new rows are put into SQLite's FTS5 table by the code that writes the rows.

With a trigger FTS5 brings its index to the file after every row: 108 µs a resource, now 10.

Revision: 0007, after 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"

_ADDED = """
CREATE TRIGGER full_text_added AFTER INSERT ON full_text BEGIN
    INSERT INTO full_text_words (rowid, owner, narrative, content) VALUES (
        new.rid,
        'k' || replace(new.patient_key, '-', 'm'),
        coalesce(new.narrative, ''),
        new.content
    );
END"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER full_text_added")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_ADDED)
