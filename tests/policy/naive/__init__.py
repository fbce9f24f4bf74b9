"""A naive evaluator of the access policy: one resource at a time, as a person would read the text.

The text is `auth/README.md`, *From the role to the row*, and the vocabulary below it. This is what
the server's answers are compared with, so it shares no code and no derived rows with the server: it
imports nothing of `auth`, `ehr` or `fhir_profiles`, reads relationships from the resources
themselves, each time anew, and the role table from `tests/policy/roles.toml`. README.md in this
folder lists what was decided where the text leaves something open.
"""

from tests.policy.naive.caller import Caller, names
from tests.policy.naive.consents import consents_permit
from tests.policy.naive.decision import (
    may_see,
    may_see_version,
    may_write,
    shown,
    shown_version,
)
from tests.policy.naive.labels import labels_permit
from tests.policy.naive.record import SERVER, Fact, Record, Row, Version
from tests.policy.naive.relationships import relationships
from tests.policy.naive.roles import role_permits
from tests.policy.naive.trail import (
    may_see_event,
    may_see_told,
    named_by_event,
    shown_of_event,
)

__all__ = [
    "SERVER",
    "Caller",
    "Fact",
    "Record",
    "Row",
    "Version",
    "consents_permit",
    "labels_permit",
    "may_see",
    "may_see_event",
    "may_see_told",
    "may_see_version",
    "may_write",
    "named_by_event",
    "names",
    "relationships",
    "role_permits",
    "shown",
    "shown_of_event",
    "shown_version",
]
