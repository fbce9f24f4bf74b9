"""Who wrote what a transaction has: what versions do not tell of their author.

One row a transaction, under `rid` 0; where changes of several callers share one, a row each, under
the rid of what each wrote. Times, authors and organisations stand on the versions.
"""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint

from ehr.store.tables.base import CText, key, table

provenance_fact = table(
    "provenance_fact",
    Column("txn_id", BigInteger, nullable=False, autoincrement=False),
    key("rid"),
    Column("kind", CText, nullable=False),
    Column("person", CText, nullable=False),
    Column("role", CText, nullable=False),
    Column("client", CText, nullable=False),
    Column("purpose", CText, nullable=False),
    Column("patient", CText, nullable=False),
    PrimaryKeyConstraint("txn_id", "rid"),
    citus="txn_id",
)
