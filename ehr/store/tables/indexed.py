"""What searches look up: rows derived of each resource, a table a kind of value.

They carry no foreign key: `ehr check --deep` compares them with the bodies. Dates are microseconds
since 1970.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    func,
    text,
)

from ehr.store.tables.base import CText, element, key, table

token = table(
    "token",
    key(),
    key("rid"),
    Column("param", Integer, nullable=False),
    element(),
    Column("code", BigInteger, nullable=False),
    Column("system", BigInteger, nullable=False),  # 0 = no system
    Column("text", CText),  # the code itself, first 64 characters: only to sort by
    PrimaryKeyConstraint("patient_key", "param", "code", "rid", "system", "element"),
)
Index("ix_token_param", token.c.param, token.c.code, token.c.patient_key, token.c.rid)

reference = table(
    "reference",
    key(),
    key("rid"),
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("path", Integer, nullable=False),
    element(),
    Column("target_type", SmallInteger),
    Column("target_key", BigInteger),
    Column("target_rid", BigInteger),
    Column("target_hash", BigInteger),
    Column("target_version", CText),
    Column("identifier_hash", BigInteger),  # of its value; 0 = no value
    Column("identifier_system", BigInteger),  # 0 = no system
    PrimaryKeyConstraint("patient_key", "rid", "n"),
)
Index(
    "ix_reference_target",
    reference.c.target_rid,
    reference.c.path,
    reference.c.patient_key,
    reference.c.rid,
)
Index(
    "ix_reference_hash",
    reference.c.target_hash,
    reference.c.path,
    postgresql_where=reference.c.target_hash.isnot(None),
    sqlite_where=reference.c.target_hash.isnot(None),
)
Index(
    "ix_reference_identifier",
    reference.c.identifier_hash,
    postgresql_where=reference.c.identifier_hash.isnot(None),
    sqlite_where=reference.c.identifier_hash.isnot(None),
)

date = table(
    "date",
    key(),
    key("rid"),
    Column("param", Integer, nullable=False),
    element(),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),  # exclusive
    PrimaryKeyConstraint("patient_key", "param", "low", "high", "rid", "element"),
)
Index("ix_date_param", date.c.param, date.c.low, date.c.high, date.c.patient_key, date.c.rid)

string = table(
    "string",
    key(),
    key("rid"),
    Column("param", Integer, nullable=False),
    element(),
    Column("value", CText, nullable=False),  # folded, first 200 characters
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("folded", CText),  # the whole, where longer than `value`
    Column("original", CText),  # as sent, where it differs from the folded whole
    PrimaryKeyConstraint("patient_key", "param", "value", "rid", "n"),
)
Index("ix_string_param", string.c.param, string.c.value, string.c.patient_key, string.c.rid)

quantity = table(
    "quantity",
    key(),
    key("rid"),
    Column("param", Integer, nullable=False),
    element(),
    Column("low", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("system", BigInteger, nullable=False),  # 0 = none, as code and unit
    Column("code", BigInteger, nullable=False),
    Column("unit", BigInteger, nullable=False),
    # In base units of UCUM, where the code has any: `base` is their hash, 0 for none.
    Column("base", BigInteger, nullable=False),
    Column("base_low", Double, nullable=False),
    Column("base_high", Double, nullable=False),
    PrimaryKeyConstraint("patient_key", "param", "low", "rid", "n"),
)
Index("ix_quantity_param", quantity.c.param, quantity.c.low, quantity.c.patient_key, quantity.c.rid)
Index(
    "ix_quantity_base",
    quantity.c.param,
    quantity.c.base,
    quantity.c.base_low,
    quantity.c.patient_key,
    quantity.c.rid,
    postgresql_where=quantity.c.base != 0,
    sqlite_where=quantity.c.base != 0,
)

uri = table(
    "uri",
    key(),
    key("rid"),
    Column("param", Integer, nullable=False),
    element(),
    Column("hash", BigInteger, nullable=False),
    Column("value", CText, nullable=False),
    PrimaryKeyConstraint("patient_key", "param", "hash", "rid", "element"),
)
Index("ix_uri_param", uri.c.param, uri.c.hash, uri.c.patient_key, uri.c.rid)

# Words, in their order, as `ehr/search/values/words.py` spells them; this one ends a text.
BOUNDARY = " q "
full_text = table(
    "full_text",
    key(),
    key("rid"),
    Column("narrative", CText),
    Column("content", CText, nullable=False),
    PrimaryKeyConstraint("patient_key", "rid"),
)
# Each engine finds words in its own way: see `ehr/store/full_text.py`.
Index("ix_full_text_rid", full_text.c.rid, info={"engine": "sqlite"}).ddl_if(dialect="sqlite")
Index(
    "ix_full_text_words",
    func.to_tsvector(
        text("'simple'"),
        func.coalesce(full_text.c.narrative, text("''"))
        .op("||")(text(f"'{BOUNDARY}'"))
        .op("||")(full_text.c.content),
    ),
    postgresql_using="gin",
    info={"engine": "postgresql"},
).ddl_if(dialect="postgresql")

position = table(
    "position",
    key(),
    key("rid"),
    # In degrees, and the same point on a globe of radius 1: distances are sums of squares there.
    *(Column(name, Double, nullable=False) for name in ("latitude", "longitude", "x", "y", "z")),
    PrimaryKeyConstraint("patient_key", "rid"),
)
Index(
    "ix_position_latitude",
    position.c.latitude,
    position.c.longitude,
    position.c.patient_key,
    position.c.rid,
)
