"""What access adds to a request: no statement to most reads, and none that is built anew."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.policy.house import SEALED
from tests.policy.staff import put_ward, staff
from tests.unit.ehr.access.access_documents import actor, consent

if TYPE_CHECKING:
    from ehr.record import Record
    from tests.client import Client

_KEPT = ("shown", "simply shown", "permitting", "page", "judged")
Statements = Callable[[], Any]


@pytest.fixture
def gp(record: "Record", client: "Client") -> "Client":
    """Give Mary's GP, who has asked before."""
    put_ward(client)
    client.update(given.observation("Patient/mary", id="pulse"))
    found = staff(record)
    for path in ("Observation/pulse", "Patient/mary", "Observation?patient=mary"):
        assert found.get(path).status_code == 200
    return found


@pytest.mark.parametrize("path", ["Observation/pulse", "Patient/mary"])
def test_a_read_takes_two_statements(gp: "Client", statements: Statements, path: str) -> None:
    """One asks of token and caller, one of the resource and who may see it."""
    with statements() as seen:
        assert gp.get(path).status_code == 200
    assert len(_asked(seen)) == 2, seen


def test_a_search_of_a_patient_takes_three_statements(gp: "Client", statements: Statements) -> None:
    with statements() as seen:
        assert gp.get("Observation?patient=mary").status_code == 200
    assert len(_asked(seen)) == 3, seen


def test_no_statement_is_built_twice(gp: "Client", record: "Record") -> None:
    known = _built(record)
    for path in ("Observation/pulse", "Patient/mary", "Observation?patient=mary"):
        gp.get(path)
    assert _built(record) == known


@pytest.mark.parametrize("kept", ["label", "consent", "registration"])
def test_the_short_way_ends_with_what_it_goes_by(gp: "Client", client: "Client", kept: str) -> None:
    changed = {
        "label": given.observation("Patient/mary", id="pulse", meta=SEALED),
        "consent": _objection(),
        "registration": given.patient(id="mary"),
    }
    client.update(changed[kept])

    # The practice that has registered her sees what is sealed.
    assert gp.get("Observation/pulse").status_code == (200 if kept == "label" else 404)


def test_what_is_hidden_takes_as_many_statements_as_what_is_not_there(
    gp: "Client", client: "Client", statements: Statements
) -> None:
    client.update(given.observation("Patient/john", id="hidden"))
    counts = []
    for id in ("nobody", "hidden", "nothing", "hidden"):
        with statements() as seen:
            assert gp.get(f"Observation/{id}").status_code == 404
        counts.append(len(_asked(seen)))
    assert counts[1:] == [counts[1]] * 3


def _asked(statements: list[str]) -> list[str]:
    """Return the statements of a request but for those that record it."""
    return [sql for sql in statements if "audit_" not in sql]


def _built(record: "Record") -> set[Any]:
    """Return what is kept for callers, by what it depends on."""
    return {key for key in record.database.shapes if isinstance(key, tuple) and key[0] in _KEPT}


def _objection() -> dict[str, Any]:
    made = consent({"type": "deny", "actor": [actor("Practitioner/reid")]})
    return {**made, "id": "no", "patient": given.reference("Patient/mary")}
