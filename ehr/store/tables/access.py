"""Who has to do with whom, and what patients take away: made from resources, and made again.

Rows of one source (patient_key, rid) come and go together. Names are keyed hashes, 0 for none;
`name` is the text for people. Times in ms, [from_at, to_at). `ehr/access/relationships/kinds.py`
and `ehr/access/consents/model.py` say what the columns mean.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
)

from ehr.store.tables.base import CText, key, table

relationship = table(
    "relationship",
    key(),
    key("rid"),
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("ceiling", SmallInteger, nullable=False),
    Column("grantee", BigInteger, nullable=False),
    Column("behalf", BigInteger, nullable=False),
    Column("basis", BigInteger, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger, nullable=False),
    Column("from_task", Boolean, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("permits", CText, nullable=False),
    Column("name", CText, nullable=False),
    Column("behalf_name", CText, nullable=False),
    Column("basis_name", CText, nullable=False),
    PrimaryKeyConstraint("patient_key", "rid", "n"),
    # A caller's patients; then, of one patient: does this caller have to do with them?
    Index("ix_relationship_grantee", "grantee", "to_at", "patient_key"),
    Index("ix_relationship_patient", "patient_key", "grantee", "to_at"),
)

consent_rule = table(
    "consent_rule",
    key(),
    key("rid"),
    Column("n", Integer, nullable=False, autoincrement=False),
    Column("denial", Integer, nullable=False),  # its number in the Consent
    Column("is_exception", Boolean, nullable=False),
    Column("actor", BigInteger, nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("system", BigInteger, nullable=False),
    Column("code", BigInteger, nullable=False),
    Column("least", SmallInteger, nullable=False),
    Column("most", SmallInteger, nullable=False),
    Column("sens", BigInteger, nullable=False),
    Column("item_type", SmallInteger, nullable=False),
    Column("item_id", CText, nullable=False),
    Column("purpose", CText, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger, nullable=False),
    Column("spares_authors", Boolean, nullable=False),
    Column("may_be_lifted", Boolean, nullable=False),
    Column("name", CText, nullable=False),
    PrimaryKeyConstraint("patient_key", "rid", "n"),
    Index("ix_consent_rule_actor", "actor", "to_at", "patient_key"),
)
