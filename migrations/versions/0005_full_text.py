"""Words of resources for `_text` and `_content`; the system of identifiers in references.

SQLite keeps the words a second time in an FTS5 table without content, by triggers; PostgreSQL has
a GIN index. References written before keep one hash of system and value together: `:identifier`
finds them when they are indexed again.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_FTS = """
CREATE VIRTUAL TABLE full_text_words USING fts5(
    owner, narrative, content, content='', columnsize=0, tokenize='ascii'
)"""
_ADDED = """
CREATE TRIGGER full_text_added AFTER INSERT ON full_text BEGIN
    INSERT INTO full_text_words (rowid, owner, narrative, content) VALUES (
        new.rid,
        'k' || replace(new.patient_key, '-', 'm'),
        coalesce(new.narrative, ''),
        new.content
    );
END"""
_REMOVED = """
CREATE TRIGGER full_text_removed AFTER DELETE ON full_text BEGIN
    INSERT INTO full_text_words (full_text_words, rowid, owner, narrative, content) VALUES (
        'delete',
        old.rid,
        'k' || replace(old.patient_key, '-', 'm'),
        coalesce(old.narrative, ''),
        old.content
    );
END"""


def upgrade() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("reference", sa.Column("identifier_system", sa.BigInteger()))
    op.create_table(
        "full_text",
        sa.Column("patient_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("narrative", text),
        sa.Column("content", text, nullable=False),
        sa.PrimaryKeyConstraint("patient_key", "rid", name=op.f("pk_full_text")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_full_text_rid", "full_text", ["rid"])
        for statement in (_FTS, _ADDED, _REMOVED):
            op.execute(statement)
    else:
        words = "to_tsvector('simple', coalesce(narrative, '') || ' q ' || content)"
        op.create_index("ix_full_text_words", "full_text", [sa.text(words)], postgresql_using="gin")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE full_text_words")
    op.drop_table("full_text")
    op.drop_column("reference", "identifier_system")
