"""The schema, once for SQLite, PostgreSQL and Citus (ehr/README.md, *How rows lie*).

`patient_key` leads every primary key: > 0 a patient, 0 shared resources, < 0 unfiled, one per
organisation. `info["citus"]` names the distribution column, or "reference". Times are milliseconds
since 1970. Hashes are keyed and 64 bit.
"""

from ehr.store.tables.access import consent_rule as consent_rule
from ehr.store.tables.access import relationship as relationship
from ehr.store.tables.audit import audit_batch as audit_batch
from ehr.store.tables.audit import audit_event as audit_event
from ehr.store.tables.audit import audit_seal as audit_seal
from ehr.store.tables.base import metadata as metadata
from ehr.store.tables.indexed import BOUNDARY as BOUNDARY
from ehr.store.tables.indexed import date as date
from ehr.store.tables.indexed import full_text as full_text
from ehr.store.tables.indexed import position as position
from ehr.store.tables.indexed import quantity as quantity
from ehr.store.tables.indexed import reference as reference
from ehr.store.tables.indexed import string as string
from ehr.store.tables.indexed import token as token
from ehr.store.tables.indexed import uri as uri
from ehr.store.tables.provenance import provenance_fact as provenance_fact
from ehr.store.tables.record import blob as blob
from ehr.store.tables.record import blob_chunk as blob_chunk
from ehr.store.tables.record import identifier_locator as identifier_locator
from ehr.store.tables.record import locator as locator
from ehr.store.tables.record import member as member
from ehr.store.tables.record import organisation_key as organisation_key
from ehr.store.tables.record import patient_alias as patient_alias
from ehr.store.tables.record import resource as resource
from ehr.store.tables.record import txn as txn
from ehr.store.tables.record import version as version
from ehr.store.tables.upkeep import body_dictionary as body_dictionary
from ehr.store.tables.upkeep import counter as counter
from ehr.store.tables.upkeep import criteria_lock as criteria_lock
from ehr.store.tables.upkeep import database_fact as database_fact
from ehr.store.tables.upkeep import key_ring as key_ring
from ehr.store.tables.upkeep import load_mark as load_mark
from ehr.store.tables.upkeep import patient_lookup as patient_lookup
from ehr.store.tables.upkeep import reindex_run as reindex_run
from ehr.store.tables.upkeep import search_definition as search_definition
