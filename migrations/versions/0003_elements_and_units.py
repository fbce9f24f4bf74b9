"""Index rows that know their element, quantities in base units, positions.

Rows written before are copied under the element 0 and without base units, until they are indexed
again. Tables are built anew: the element is part of keys, and beside `param` it takes no room.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_Columns = list["sa.Column[object]"]


def upgrade() -> None:
    for name in _KEYS:
        _rebuild(name, _columns(name), (*_KEYS[name], *_TELLS_ELEMENT.get(name, ())))
    op.create_index(
        "ix_quantity_base",
        "quantity",
        ["param", "base", "base_low", "patient_key", "rid"],
        postgresql_where=sa.text("base <> 0"),
        sqlite_where=sa.text("base <> 0"),
    )
    op.create_table(
        "position",
        _big("patient_key"),
        _big("rid"),
        *(_double(name) for name in ("latitude", "longitude", "x", "y", "z")),
        sa.PrimaryKeyConstraint("patient_key", "rid", name=op.f("pk_position")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_position_latitude", "position", ["latitude", "longitude", "patient_key", "rid"]
    )


def downgrade() -> None:
    op.drop_index("ix_position_latitude", table_name="position")
    op.drop_table("position")
    op.drop_index("ix_quantity_base", table_name="quantity")
    for name, key in _KEYS.items():
        _rebuild(name, [each for each in _columns(name) if each.name not in _NEW], key)


def _rebuild(name: str, columns: _Columns, key: tuple[str, ...]) -> None:
    """Make the table again with these columns, and copy what it has; new columns are 0."""
    before = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(name)}
    for index in _INDEXES[name]:
        op.drop_index(index, table_name=name)
    op.rename_table(name, f"old_{name}")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(f"pk_{name}", f"old_{name}")
    op.create_table(
        name,
        *columns,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        info={"citus": "patient_key"},
        sqlite_with_rowid=False,
    )
    names = [column.name for column in columns]
    values = [column if column in before else "0" for column in names]
    # Without its element a row may stand twice.
    op.execute(
        f"INSERT INTO {name} ({', '.join(names)}) "  # noqa: S608  our own names
        f"SELECT DISTINCT {', '.join(values)} FROM old_{name}"
    )
    op.drop_table(f"old_{name}")
    for index, over in _INDEXES[name].items():
        where = sa.text(_WHERE[index]) if index in _WHERE else None
        op.create_index(index, name, list(over), postgresql_where=where, sqlite_where=where)


def _columns(name: str) -> _Columns:
    start = [_big("patient_key"), _big("rid")]
    start += [_whole("n"), _whole("path")] if name == "reference" else [_whole("param")]
    return [*start, _whole("element"), *_REST[name]()]


def _big(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.BigInteger(), nullable=null, autoincrement=False)


def _whole(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.Integer(), nullable=False, autoincrement=False)


def _double(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.Double(), nullable=False)


def _text(name: str, *, null: bool = True) -> "sa.Column[object]":
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name, text, nullable=null)


_NEW = ("element", "base", "base_low", "base_high")
_KEYS = {
    "token": ("patient_key", "param", "code", "rid", "system"),
    "date": ("patient_key", "param", "low", "high", "rid"),
    "string": ("patient_key", "param", "value", "rid", "n"),
    "quantity": ("patient_key", "param", "low", "rid", "n"),
    "uri": ("patient_key", "param", "hash", "rid"),
    "reference": ("patient_key", "rid", "n"),
}
# The others are numbered already.
_TELLS_ELEMENT = dict.fromkeys(("token", "date", "uri"), ("element",))
_REST = {
    "token": lambda: [_big("code"), _big("system")],
    "date": lambda: [_big("low"), _big("high")],
    "string": lambda: [_text("value", null=False), _whole("n"), _text("folded"), _text("original")],
    "quantity": lambda: [
        *(_double("low"), _double("high"), _whole("n")),
        *(_big("system"), _big("code"), _big("unit")),
        *(_big("base"), _double("base_low"), _double("base_high")),
    ],
    "uri": lambda: [_big("hash"), _text("value", null=False)],
    "reference": lambda: [
        sa.Column("target_type", sa.SmallInteger()),
        *(_big(name, null=True) for name in ("target_key", "target_rid", "target_hash")),
        *(_text("target_version"), _big("identifier_hash", null=True)),
    ],
}
_INDEXES = {
    "token": {"ix_token_param": ("param", "code", "patient_key", "rid")},
    "date": {"ix_date_param": ("param", "low", "high", "patient_key", "rid")},
    "string": {"ix_string_param": ("param", "value", "patient_key", "rid")},
    "quantity": {"ix_quantity_param": ("param", "low", "patient_key", "rid")},
    "uri": {"ix_uri_param": ("param", "hash", "patient_key", "rid")},
    "reference": {
        "ix_reference_target": ("target_rid", "path", "patient_key", "rid"),
        "ix_reference_hash": ("target_hash", "path"),
        "ix_reference_identifier": ("identifier_hash",),
    },
}
_WHERE = {
    "ix_reference_hash": "target_hash IS NOT NULL",
    "ix_reference_identifier": "identifier_hash IS NOT NULL",
}
