"""Audit: rows that are only added, the seals over them, and triggers that keep both as they are.

Retention may delete rows: on PostgreSQL in a transaction with `SET LOCAL ehr.audit_retention =
'on'`, on SQLite in one that holds a row `audit_retention` in `database_fact` meanwhile.

Revision: 0010_audit, after 0009_access_rows
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_audit"
down_revision = "0009_access_rows"

_KEPT = ("audit_event", "audit_seal")
_NUMBERS = ("at", "kind", "outcome", "patient_key", "behind", "type", "rid", "version")
_TEXTS = (
    "agent",
    "role",
    "organisation",
    "client_id",
    "token_id",
    "purpose",
    "on_behalf_of",
    "named",
    "request_id",
    "query",
)
_INDEXES = (("patient_key", "at"), ("agent", "at"), ("at",))

_POSTGRES_FUNCTION = """
CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('ehr.audit_retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME;
END
$$"""
_POSTGRES = """
CREATE TRIGGER {table}_is_kept BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audit_is_kept()"""
_POSTGRES_WHOLE = """
CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()"""
_SQLITE_UPDATE = """
CREATE TRIGGER {table}_is_not_changed BEFORE UPDATE ON {table} BEGIN
    SELECT raise(ABORT, 'rows of {table} are only added');
END"""
_SQLITE_DELETE = """
CREATE TRIGGER {table}_is_kept BEFORE DELETE ON {table}
WHEN NOT EXISTS (SELECT 1 FROM database_fact WHERE name = 'audit_retention') BEGIN
    SELECT raise(ABORT, 'rows of {table} are only added');
END"""


def upgrade() -> None:
    _make_tables()
    for columns in _INDEXES:
        op.create_index(op.f(f"ix_audit_event_{'_'.join(columns)}"), "audit_event", list(columns))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRES_FUNCTION)
        texts = (_POSTGRES, _POSTGRES_WHOLE)
    else:
        texts = (_SQLITE_UPDATE, _SQLITE_DELETE)
    for table in _KEPT:
        for text in texts:
            op.execute(text.format(table=table))


def downgrade() -> None:
    for table in ("audit_seal", "audit_batch", "audit_event"):
        op.drop_table(table)  # with its triggers and indexes
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_kept()")


def _make_tables() -> None:
    _table(
        "audit_event",
        *_place("n"),
        *(_number(name) for name in _NUMBERS),
        *(_text(name) for name in _TEXTS),
        sa.Column("found", sa.Integer()),
        sa.Column("items", sa.LargeBinary()),
        _text("source"),
        sa.Column("body", sa.LargeBinary()),
        key=("writer", "epoch", "n"),
        citus="writer",
    )
    _table(
        "audit_batch",
        *_place("first_n"),
        sa.Column("last_n", sa.BigInteger(), nullable=False),
        key=("writer", "epoch", "first_n"),
        citus="writer",
    )
    _table(
        "audit_seal",
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        *(_bytes(name) for name in ("covers", "previous", "hash", "signature")),
        _text("key_id", nullable=False),
        key=("seq",),
        citus="seq",
    )


def _table(name: str, *columns: sa.Column, key: tuple[str, ...], citus: str) -> None:
    op.create_table(
        name,
        *columns,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        info={"citus": citus},
        sqlite_with_rowid=False,
    )


def _place(number: str) -> list[sa.Column]:
    return [
        sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False)
        for name in ("writer", "epoch", number)
    ]


def _number(name: str) -> sa.Column:
    kinds = {"behind": sa.Integer, "version": sa.Integer}
    kinds |= dict.fromkeys(("kind", "outcome", "type"), sa.SmallInteger)
    kind = kinds.get(name, sa.BigInteger)
    return sa.Column(name, kind(), nullable=name in ("type", "rid", "version"))


def _text(name: str, *, nullable: bool = True) -> sa.Column:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name, text, nullable=nullable)


def _bytes(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary(), nullable=False)
