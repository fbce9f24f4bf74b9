"""The schema, once for SQLite, PostgreSQL and Citus (ehr/README.md, *How rows lie*).

`patient_key` leads every primary key: > 0 a patient, 0 shared resources, < 0 unfiled, one per
organisation. `info["citus"]` names the distribution column, or "reference". Index tables hold
derived rows, so they carry no foreign key: `ehr check --deep` compares them with the bodies.
Times are milliseconds since 1970, search dates microseconds. Hashes are keyed and 64 bit.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)

# Byte order everywhere, so that both engines sort and compare the same.
CText = Text().with_variant(Text(collation="C"), "postgresql")


def _key(name: str = "patient_key") -> Column[int]:
    return Column(name, BigInteger, nullable=False, autoincrement=False)


def _table(name: str, *args: SchemaItem, citus: str = "patient_key") -> Table:
    return Table(name, metadata, *args, sqlite_with_rowid=False, info={"citus": citus})


def _element() -> Column[int]:
    """Which of the elements that composite parameters repeat over: 0 the resource, -1 none."""
    return Column("element", Integer, nullable=False, autoincrement=False)


def _access_columns() -> tuple[Column[object], ...]:
    """What access asks of a row; a version keeps its own copy. Missing label = 3 (N)."""
    return (
        Column("conf", SmallInteger, nullable=False),
        Column("sens", BigInteger, nullable=False),
        Column("release_at", BigInteger),
        Column("author_organisation", CText),
        Column("author", CText),
        Column("txn_id", BigInteger, nullable=False),
    )


locator = _table(
    "locator",
    Column("type", SmallInteger, nullable=False, autoincrement=False),
    Column("id", CText, nullable=False),
    _key(),
    _key("rid"),
    # Mentioned before it exists: the key and rid wait for the resource itself.
    Column("reserved", Boolean, nullable=False),
    PrimaryKeyConstraint("type", "id"),
    citus="id",
)

identifier_locator = _table(
    "identifier_locator",
    Column("hash", BigInteger, nullable=False, autoincrement=False),
    Column("type", SmallInteger, nullable=False),
    _key(),
    _key("rid"),
    Column("value", CText, nullable=False),
    PrimaryKeyConstraint("hash", "type", "patient_key", "rid", "value"),
    citus="hash",
)

resource = _table(
    "resource",
    _key(),
    _key("rid"),
    Column("type", SmallInteger, nullable=False),
    Column("id", CText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("last_updated", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("care_date", BigInteger),
    *_access_columns(),
    Column("index_version", Integer, nullable=False),
    PrimaryKeyConstraint("patient_key", "rid"),
)
Index(
    "ix_resource_care",
    resource.c.patient_key,
    resource.c.type,
    resource.c.care_date.desc(),
    resource.c.rid,
)
Index("ix_resource_updated", resource.c.type, resource.c.last_updated, resource.c.rid)

version = _table(
    "version",
    _key(),
    _key("rid"),
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("type", SmallInteger, nullable=False),
    Column("id", CText, nullable=False),
    Column("last_updated", BigInteger, nullable=False),
    Column("method", SmallInteger, nullable=False),
    *_access_columns(),
    Column("blob_id", CText),
    Column("dict_id", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("patient_key", "rid", "version"),
    ForeignKeyConstraint(["patient_key", "rid"], ["resource.patient_key", "resource.rid"]),
    Index("ix_version_type", "type", "last_updated", "rid"),
    Index("ix_version_updated", "last_updated", "rid"),
)

txn = _table(
    "txn",
    Column("txn_id", BigInteger, nullable=False, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("xid", BigInteger),  # PostgreSQL: orders the stamps behind the oldest open transaction
    Column("commit_seq", BigInteger),
    PrimaryKeyConstraint("txn_id"),
    citus="txn_id",
)
Index("ix_txn_commit_seq", txn.c.commit_seq)
Index(
    "ix_txn_open",
    txn.c.xid,
    postgresql_where=txn.c.commit_seq.is_(None),
    sqlite_where=txn.c.commit_seq.is_(None),
)

token = _table(
    "token",
    _key(),
    _key("rid"),
    Column("param", Integer, nullable=False),
    _element(),
    Column("code", BigInteger, nullable=False),
    Column("system", BigInteger, nullable=False),  # 0 = no system
    Column("text", CText),  # the code itself, first 64 characters: only to sort by
    PrimaryKeyConstraint("patient_key", "param", "code", "rid", "system", "element"),
)
Index("ix_token_param", token.c.param, token.c.code, token.c.patient_key, token.c.rid)

reference = _table(
    "reference",
    _key(),
    _key("rid"),
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("path", Integer, nullable=False),
    _element(),
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

date = _table(
    "date",
    _key(),
    _key("rid"),
    Column("param", Integer, nullable=False),
    _element(),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),  # exclusive
    PrimaryKeyConstraint("patient_key", "param", "low", "high", "rid", "element"),
)
Index("ix_date_param", date.c.param, date.c.low, date.c.high, date.c.patient_key, date.c.rid)

string = _table(
    "string",
    _key(),
    _key("rid"),
    Column("param", Integer, nullable=False),
    _element(),
    Column("value", CText, nullable=False),  # folded, first 200 characters
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("folded", CText),  # the whole, where longer than `value`
    Column("original", CText),  # as sent, where it differs from the folded whole
    PrimaryKeyConstraint("patient_key", "param", "value", "rid", "n"),
)
Index("ix_string_param", string.c.param, string.c.value, string.c.patient_key, string.c.rid)

quantity = _table(
    "quantity",
    _key(),
    _key("rid"),
    Column("param", Integer, nullable=False),
    _element(),
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

uri = _table(
    "uri",
    _key(),
    _key("rid"),
    Column("param", Integer, nullable=False),
    _element(),
    Column("hash", BigInteger, nullable=False),
    Column("value", CText, nullable=False),
    PrimaryKeyConstraint("patient_key", "param", "hash", "rid", "element"),
)
Index("ix_uri_param", uri.c.param, uri.c.hash, uri.c.patient_key, uri.c.rid)

# Words, in their order, as `ehr/search/values/words.py` spells them; this one ends a text.
BOUNDARY = " q "
full_text = _table(
    "full_text",
    _key(),
    _key("rid"),
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

position = _table(
    "position",
    _key(),
    _key("rid"),
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

member = _table(
    "member",
    _key("member_key"),
    _key("owner_key"),
    _key("rid"),
    Column("via", Integer, nullable=False),
    PrimaryKeyConstraint("member_key", "owner_key", "rid", "via"),
    citus="member_key",
)

patient_alias = _table(
    "patient_alias",
    _key(),
    _key("surviving_key"),
    PrimaryKeyConstraint("patient_key"),
    citus="reference",
)

organisation_key = _table(
    "organisation_key",
    Column("organisation", CText, nullable=False),
    _key(),
    PrimaryKeyConstraint("organisation"),
    citus="reference",
)

criteria_lock = _table(
    "criteria_lock",
    Column("hash", BigInteger, nullable=False, autoincrement=False),
    PrimaryKeyConstraint("hash"),
    citus="hash",
)

load_mark = _table(
    "load_mark",
    Column("unit", CText, nullable=False),
    Column("part", CText, nullable=False),
    PrimaryKeyConstraint("unit", "part"),
    citus="unit",
)

# Search parameters that the record adds to those of R4: indexed by from generation `since` on, up
# to `until`; `ready` once it is proven that all rows are there. See `ehr/search/definitions.py`.
search_definition = _table(
    "search_definition",
    Column("url", CText, nullable=False),
    Column("since", Integer, nullable=False, autoincrement=False),
    Column("until", Integer),
    Column("ready", Boolean, nullable=False),
    Column("definition", CText, nullable=False),
    PrimaryKeyConstraint("url", "since"),
    citus="reference",
)

# How far each `$reindex` has come: all up to (at_key, at_rid) is done. One with the highest number.
reindex_run = _table(
    "reindex_run",
    Column("run", Integer, nullable=False, autoincrement=False),
    Column("state", CText, nullable=False),  # running, done or failed
    Column("holder", CText, nullable=False),  # who does it now; another one has to stop
    Column("asked", CText, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("begun", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("phase", CText, nullable=False),
    Column("at_key", BigInteger),
    Column("at_rid", BigInteger),
    Column("visited", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("result", CText),
    PrimaryKeyConstraint("run"),
    citus="reference",
)

blob = _table(
    "blob",
    _key(),
    Column("blob_id", CText, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", CText, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("linked", Boolean, nullable=False),
    PrimaryKeyConstraint("patient_key", "blob_id"),
)

blob_chunk = Table(
    "blob_chunk",
    metadata,
    _key(),
    Column("blob_id", CText, nullable=False),
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("patient_key", "blob_id", "n"),
    info={"citus": "patient_key"},
)

counter = _table(
    "counter",
    Column("name", CText, nullable=False),
    Column("next", BigInteger, nullable=False),
    PrimaryKeyConstraint("name"),
    citus="reference",
)

key_ring = _table(
    "key_ring",
    Column("purpose", CText, nullable=False),
    Column("created", BigInteger, nullable=False, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
    PrimaryKeyConstraint("purpose", "created"),
    citus="reference",
)

database_fact = _table(
    "database_fact",
    Column("name", CText, nullable=False),
    Column("value", CText, nullable=False),
    PrimaryKeyConstraint("name"),
    citus="reference",
)

body_dictionary = _table(
    "body_dictionary",
    Column("dict_id", SmallInteger, nullable=False, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("dict_id"),
    citus="reference",
)
