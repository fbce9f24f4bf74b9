"""Threats to access that have no room of their own, each attacked (T23, T25, T27, T29, T31, T41).

T26 is in `test_limits.py`, T28 in `test_match_budget.py`, T38 in `tests/api/test_unusual_looks.py`,
T39 in `test_self_claims.py`, T40 in `tests/api/oauth/test_ended_rights.py`; what this server does
not offer (T31, in part) in `test_known_leaks_absent.py`.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests import audited, given
from tests.client import Client
from tests.policy.house import SEALED, House, is_as_unknown, open_house
from tests.policy.staff import parameters

if TYPE_CHECKING:
    from ehr.record import Record

Resource = dict[str, Any]
MERGE = {"content_type": "application/merge-patch+json"}


@pytest.fixture
def house(record: "Record") -> House:
    return open_house(record)


@pytest.mark.parametrize("name", ["Observation/john-pulse", "Condition/john-condition"])
def test_t23_an_id_swapped_for_anothers_opens_nothing_by_any_verb(house: House, name: str) -> None:
    """API1: object level. Not to be read, and not to be changed, by whoever knows the id."""
    before = house.everything.read(name)
    own = house.gp.read(name.replace("john", "mary"))

    for path in (name, f"{name}/_history", f"{name}/_history/1"):
        assert is_as_unknown(house.gp, "GET", path), path
    assert is_as_unknown(house.gp, "DELETE", name)
    assert is_as_unknown(house.gp, "PATCH", name, {"status": "entered-in-error"}, **MERGE)
    answer = house.gp.put(name, own | {"id": before["id"]})
    assert answer.status_code == 404, answer.data
    assert house.everything.read(name) == before


def test_t25_nothing_is_written_beside_what_is_asked_for(house: House) -> None:
    """API3: property level. Labels, author and version of what is sent are not the sender's."""
    own = house.gp.read("Observation/mary-pulse")
    label = {"security": [*SEALED["security"]]}

    assert house.consultant.put("Observation/mary-pulse", own | {"meta": label}).status_code == 403
    assert house.everything.read("Observation/mary-pulse") == own
    moved = own | {"subject": given.reference("Patient/john")}
    assert house.gp.put("Observation/mary-pulse", moved).status_code == 403
    assert house.everything.read("Observation/mary-pulse") == own


@pytest.mark.parametrize("more", ["_elements=telecom", "_elements=telecom,name", "_summary=false"])
def test_t25_no_choice_of_elements_dodges_a_mask(house: House, more: str) -> None:
    """The consultant is asked to see John, and sees his particulars only."""
    for request in (f"Patient/john?{more}", f"Patient?_id=john&{more}"):
        assert b"0131 john" in house.everything.get(request).data, request
        answer = house.consultant.get(request)
        assert answer.status_code == 200, answer.data
        assert b"0131" not in answer.data, request


ADMINISTRATION = (
    ("POST", "$reindex"),
    ("POST", "Patient/mary/$access-at"),
    ("DELETE", "Patient/mary"),
    ("DELETE", "Observation?patient=mary"),
    ("POST", "SearchParameter"),
    ("POST", "Patient/mary/$break-glass"),
    ("POST", "Patient/mary/$claim-relationship"),
)


@pytest.mark.parametrize(("method", "path"), ADMINISTRATION)
def test_t27_patients_have_no_function_of_staff(house: House, method: str, path: str) -> None:
    """API5: function level, with a patient's own token, of the own record."""
    before = house.everything.read("Patient/mary")
    body = parameters() if "$" in path else {"resourceType": path.split("/")[0]}

    answer = house.mary.request(method, path, None if method == "DELETE" else body)
    assert answer.status_code == 403, answer.data
    assert house.everything.read("Patient/mary") == before
    assert house.everything.read("Observation/mary-pulse")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "Observation/john-pulse", {"If-None-Match": 'W/"1"'}),
        ("GET", "Observation/john-pulse", {"If-None-Match": 'W/"7"'}),
        ("GET", "Observation/john-pulse", {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
        ("DELETE", "Observation/john-pulse", {"If-Match": 'W/"1"'}),
        ("DELETE", "Observation/john-pulse", {"If-Match": 'W/"7"'}),
        ("PATCH", "Observation/john-pulse", {"If-Match": 'W/"7"'}),
    ],
)
def test_t29_no_precondition_tells_what_is_hidden(
    house: House, method: str, path: str, headers: dict[str, str]
) -> None:
    """304, 409 and 412 come only to who sees the row."""
    body = {"status": "final"} if method == "PATCH" else None
    more = MERGE if method == "PATCH" else {}
    assert is_as_unknown(house.gp, method, path, body, headers=headers, **more)


def test_t29_no_condition_counts_what_is_hidden(house: House) -> None:
    """Two of John's match: to who sees neither there is none, and nothing is to be deleted."""
    asked = "Observation?patient=john"
    assert len(house.everything.read(asked)["entry"]) > 1
    for request in (f"{asked}&_summary=count", f"{asked}&_total=accurate", asked):
        assert house.gp.read(request).get("total", 0) == 0, request
    assert house.gp.read("Patient?_has:Observation:patient:code=8867-4&_id=john")["total"] == 0
    assert is_as_unknown(house.gp, "DELETE", asked)
    assert house.everything.read("Observation/john-pulse")


def _is_refused(client: Client) -> bool:
    body = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "to harvest",
        "criteria": "Observation?",
        "channel": {"type": "rest-hook", "endpoint": "https://harvest.example.org"},
    }
    return client.post("Subscription", body).status_code == 403


def test_t31_nobody_subscribes_to_what_they_may_not_read(house: House) -> None:
    """People write no Subscription at all: nothing would be delivered by their rights yet."""
    assert all(map(_is_refused, (house.gp, house.consultant, house.mary)))


@pytest.mark.parametrize("text", ["a\nINFO forged=1", "a\r\nx", "a\x1b[2J", "☃" * 3_000])
def test_t41_no_query_forges_or_floods_the_trail(house: House, text: str) -> None:
    """What was asked stands in one event, encoded and cut; the refusal does as well."""
    with audited.since(house.record) as told:
        answer = house.gp.get(f"Observation?{urlencode({'patient': 'mary', 'code': text})}")

    assert told, answer.data
    for event in told:
        for one in (event.query, event.named, event.agent):
            assert one is None or len(one) <= 2_000
            assert one is None or not any(ord(character) < 32 for character in one)
