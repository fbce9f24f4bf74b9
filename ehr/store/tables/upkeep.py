"""What the record keeps of itself: definitions, runs, marks of loads, look-ups, locks, keys …"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
)

from ehr.store.tables.base import CText, table

# Search parameters that the record adds to those of R4: indexed by from generation `since` on, up
# to `until`; `ready` once it is proven that all rows are there. See `ehr/search/definitions.py`.
search_definition = table(
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
reindex_run = table(
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

load_mark = table(
    "load_mark",
    Column("unit", CText, nullable=False),
    Column("part", CText, nullable=False),
    PrimaryKeyConstraint("unit", "part"),
    citus="unit",
)

# Look-ups of patients by number, and records opened without a relationship: how many a caller made
# in the last hour (since 1970) with any.
patient_lookup = table(
    "patient_lookup",
    Column("caller", CText, nullable=False),
    Column("hour", BigInteger, nullable=False),
    Column("lookups", BigInteger, nullable=False),
    PrimaryKeyConstraint("caller"),
    citus="caller",
)

criteria_lock = table(
    "criteria_lock",
    Column("hash", BigInteger, nullable=False, autoincrement=False),
    PrimaryKeyConstraint("hash"),
    citus="hash",
)

counter = table(
    "counter",
    Column("name", CText, nullable=False),
    Column("next", BigInteger, nullable=False),
    PrimaryKeyConstraint("name"),
    citus="reference",
)

key_ring = table(
    "key_ring",
    Column("purpose", CText, nullable=False),
    Column("created", BigInteger, nullable=False, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
    PrimaryKeyConstraint("purpose", "created"),
    citus="reference",
)

database_fact = table(
    "database_fact",
    Column("name", CText, nullable=False),
    Column("value", CText, nullable=False),
    PrimaryKeyConstraint("name"),
    citus="reference",
)

body_dictionary = table(
    "body_dictionary",
    Column("dict_id", SmallInteger, nullable=False, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("dict_id"),
    citus="reference",
)
