"""Who did what with the record: rows that are only ever added, and the seals over them.

Triggers (migration 0010) refuse to change a row or a seal, and to delete one but by retention.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
)

from ehr.store.tables.base import CText, table


def _place() -> tuple[Column[int], ...]:
    """Return the columns that say whose number a row has: numbers of one epoch have no gaps.

    `writer` is one start of a process: > 0 what it adds by itself, < 0 what lies in transactions of
    others, each of which is an epoch of its own.
    """
    return (
        Column("writer", BigInteger, nullable=False, autoincrement=False),
        Column("epoch", BigInteger, nullable=False, autoincrement=False),
    )


# A row is one patient concerned by one request; rows of one request share `request_id`, and those
# beyond the first say by `behind` how far back that one is, which alone has the query.
audit_event = table(
    "audit_event",
    *_place(),
    Column("n", BigInteger, nullable=False, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),  # see `ehr/audit/kinds.py`
    Column("outcome", SmallInteger, nullable=False),  # 0, 4, 8 or 12, as FHIR has them
    Column("patient_key", BigInteger, nullable=False),  # 0 where no patient is concerned
    Column("behind", Integer, nullable=False),
    Column("type", SmallInteger),
    Column("rid", BigInteger),
    Column("version", Integer),
    Column("agent", CText),  # the author, as versions name it
    Column("role", CText),
    Column("organisation", CText),
    Column("client_id", CText),
    Column("token_id", CText),
    Column("purpose", CText),
    Column("on_behalf_of", CText),
    Column("named", CText),  # what was asked for where it is no row: an id, a login, a client
    Column("request_id", CText),
    Column("query", CText),
    Column("found", Integer),  # how many came back
    Column("items", LargeBinary),  # which: see `ehr/audit/items.py`
    Column("source", CText),  # who observed it, where that was not this record
    Column("body", LargeBinary),  # the event as that source sent it
    PrimaryKeyConstraint("writer", "epoch", "n"),
    Index(None, "patient_key", "at"),
    Index(None, "agent", "at"),
    Index(None, "at"),
    citus="writer",
)

# What was committed and is in no seal yet: it goes when the sealer has taken it.
audit_batch = table(
    "audit_batch",
    *_place(),
    Column("first_n", BigInteger, nullable=False, autoincrement=False),
    Column("last_n", BigInteger, nullable=False),
    PrimaryKeyConstraint("writer", "epoch", "first_n"),
    citus="writer",
)

# The one chain: hash = SHA-256(previous, this seal, its rows), see `ehr/audit/chain.py`.
audit_seal = table(
    "audit_seal",
    Column("seq", BigInteger, nullable=False, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("covers", LargeBinary, nullable=False),  # which rows, in their order
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("key_id", CText, nullable=False),
    PrimaryKeyConstraint("seq"),
    citus="seq",
)
