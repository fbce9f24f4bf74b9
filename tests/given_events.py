"""Events that tests of the audit trail record."""

from typing import Any

from hypothesis import strategies as st

from ehr.audit.event import TEXTS, AuditRow, Place, numbered
from ehr.audit.kinds import Kind

_HIGH = 2**63 - 1


def event_row(**given: Any) -> AuditRow:
    """Return a read of an Observation, but for what is given."""
    values = {
        "kind": Kind.READ,
        "at": 1_800_000_000_000,
        "patient_key": 7,
        "type": 100,
        "rid": 12,
        "version": 1,
        "agent": "Practitioner/1",
        "role": "gp",
        "organisation": "Organization/1",
        "client_id": "app",
        "purpose": "TREAT",
        "request_id": "0192-a",
    }
    return AuditRow(**(values | given))


_texts = st.none() | st.text(max_size=20)
_counts = st.none() | st.integers(0, 2**31 - 1)
any_row = st.builds(
    AuditRow,
    kind=st.sampled_from(Kind),
    at=st.integers(0, _HIGH),
    outcome=st.sampled_from((0, 4, 8, 12)),
    patient_key=st.integers(-_HIGH, _HIGH),
    behind=st.integers(0, 2**31 - 1),
    type=st.none() | st.integers(1, 148),
    rid=st.none() | st.integers(0, _HIGH),
    version=_counts,
    found=_counts,
    items=st.none() | st.binary(max_size=20),
    body=st.none() | st.binary(max_size=20),
    **dict.fromkeys(TEXTS, _texts),
)
_places = st.builds(Place, st.integers(-_HIGH, _HIGH), st.integers(0, _HIGH), st.integers(0, _HIGH))
any_event = st.builds(lambda row, place: numbered([row], place)[0], any_row, _places)
