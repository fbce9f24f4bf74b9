"""Events told as FHIR: every kind is a sound AuditEvent of R4, in the patterns of BALP."""

import base64
from typing import Any

import pytest

from ehr.audit import rows
from ehr.audit.event import AuditRow, Event, of_request
from ehr.audit.ids import Ids
from ehr.audit.items import pack
from ehr.audit.kinds import CODINGS, Kind
from ehr.audit.rendering import names_for, observer, render
from ehr.audit.trail import Trail
from ehr.messages import replace
from ehr.record import Record
from ehr.store.locator import locate
from fhir_profiles.resource_types import type_number
from tests import given
from tests.client import Client
from tests.given_events import event_row

BASE = "https://record.example.org/fhir"
Told = list[dict[str, Any]]


@pytest.fixture
def places(record: Record, client: Client) -> dict[str, tuple[int, int]]:
    """Give where a patient and two observations lie."""
    client.put("Patient/mary", given.patient(id="mary"))
    for id in ("o1", "o2"):
        client.put(f"Observation/{id}", given.observation("Patient/mary") | {"id": id})
    names = [("Patient", "mary"), ("Observation", "o1"), ("Observation", "o2")]
    with record.database.read() as connection:
        found = locate(connection, names)
    return {name[1]: (one.patient_key, one.rid) for name, one in found.items()}


def _told(record: Record, *added: AuditRow) -> Told:
    """Record events of one request and return them as FHIR."""
    trail = Trail(record.database, record.settings, record.clock, is_sealed=False)
    with record.database.read() as connection:
        known = {event.place for event in rows.listed(connection)}
    trail.record(added)
    with record.database.read() as connection:
        fresh = [event for event in rows.listed(connection) if event.place not in known]
        events = sorted(fresh, key=lambda event: event.place)
        names = names_for(connection, events)
        first = [rows.first_of(connection, event) for event in events]
    ids = Ids(record.database)
    queries = [one.row.query if one else None for one in first]
    return [
        render(event, ids, names, base=BASE, query=query)
        for event, query in zip(events, queries, strict=True)
    ]


def _at(place: tuple[int, int], **more: Any) -> AuditRow:
    key, rid = place
    return event_row(patient_key=key, rid=rid, type=type_number("Observation"), **more)


def _assert_valid(client: Client, told: dict[str, Any]) -> None:
    answer = client.post("AuditEvent/$validate", told)
    issues = [one for one in answer.json["issue"] if one["severity"] in ("error", "fatal")]
    assert not issues, (issues, told)


@pytest.mark.parametrize("outcome", [0, 4, 8, 12])
def test_every_kind_is_a_sound_audit_event(
    record: Record, client: Client, places: dict[str, tuple[int, int]], outcome: int
) -> None:
    key = places["o1"][0]
    full = _at(
        places["o1"],
        outcome=outcome,
        token_id="t1",
        on_behalf_of="Patient/mary",
        query="code=8867-4",
        found=1,
        items=pack([(*places["o2"], 1)], key),
    )
    bare = AuditRow(kind=Kind.READ, at=full.at, outcome=outcome, named="somebody")
    kinds = [kind for kind in Kind if kind is not Kind.FOREIGN]

    found = _told(record, *(replace(row, kind=kind) for kind in kinds for row in (full, bare)))

    for kind, told in zip((kind for kind in kinds for _ in range(2)), found, strict=True):
        _assert_valid(client, told)
        coding = CODINGS[kind]
        assert (told["action"], told["type"]["code"]) == (coding.action, coding.type[1])
        assert told["outcome"] == str(outcome)
        assert ("outcomeDesc" in told) == bool(outcome)


def test_each_kind_is_coded() -> None:
    assert set(CODINGS) == set(Kind)
    assert {coding.action for coding in CODINGS.values()} <= set("CRUDE")


def test_a_read_names_who_what_and_why(record: Record, places: dict[str, tuple[int, int]]) -> None:
    [told] = _told(record, _at(places["o1"], version=3, token_id="t1"))

    client, server, user, organisation = told["agent"]
    assert client["type"]["coding"][0]["code"] == "110152"
    assert client["who"] == {"identifier": {"value": "app"}}
    assert server["type"]["coding"][0]["code"] == "110153"
    assert server["who"] == told["source"]["observer"] == observer(BASE)
    assert [agent["requestor"] for agent in told["agent"]] == [False, False, True, False]
    assert user["who"] == {"reference": "Practitioner/1"}
    assert user["role"] == [{"text": "gp"}]
    assert user["policy"] == ["urn:ehr:token:t1"]
    assert user["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert organisation["who"] == {"reference": "Organization/1"}
    data, patient, request = told["entity"]
    assert data["what"] == {"reference": "Observation/o1/_history/3"}
    assert patient["what"] == {"reference": "Patient/mary"}
    assert request["what"] == {"identifier": {"value": "0192-a"}}
    assert told["recorded"] == "2027-01-15T08:00:00.000Z"


def test_of_what_is_written_the_client_is_the_source(
    record: Record, places: dict[str, tuple[int, int]]
) -> None:
    [told] = _told(record, _at(places["o1"], kind=Kind.CREATE))

    codes = [agent["type"]["coding"][0]["code"] for agent in told["agent"][:3]]
    assert codes == ["110153", "110152", "AUT"]


def test_a_search_tells_its_query_and_what_came_back_for_each_patient(
    record: Record, client: Client, places: dict[str, tuple[int, int]]
) -> None:
    client.put("Patient/ann", given.patient(id="ann"))
    with record.database.read() as connection:
        ann = locate(connection, [("Patient", "ann")])["Patient", "ann"]
    key = places["o1"][0]
    row = event_row(kind=Kind.SEARCH, query="code=ü", type=None, rid=None, version=None)
    items = pack([(*places["o1"], 1), (*places["o2"], 2)], key)
    concerned = [
        {"patient_key": key, "found": 2, "items": items},
        {"patient_key": ann.patient_key, "found": 0},
    ]

    first, second = _told(record, *of_request(row, concerned))

    for told in (first, second):
        _assert_valid(client, told)
        assert base64.b64decode(told["entity"][0]["query"]).decode() == "code=ü"
        assert told["entity"][-1]["what"]["identifier"]["value"] == "0192-a"
    detail = [(one["type"], one["valueString"]) for one in first["entity"][0]["detail"]]
    assert detail == [
        ("found", "2"),
        ("returned", "Observation/o1/_history/1"),
        ("returned", "Observation/o2/_history/2"),
    ]
    assert first["entity"][1]["what"]["reference"] == "Patient/mary"
    assert second["entity"][1]["what"]["reference"] == "Patient/ann"


def test_what_is_not_there_is_told_in_words(
    record: Record, client: Client, places: dict[str, tuple[int, int]]
) -> None:
    gone, named = _told(
        record,
        _at((places["o1"][0], 999_999)),
        event_row(outcome=4, patient_key=0, rid=None, named="Observation/none"),
    )

    assert gone["entity"][0]["what"] == {"display": "Observation that is no longer there"}
    assert named["entity"][0]["what"] == {"identifier": {"value": "Observation/none"}}
    _assert_valid(client, gone)
    _assert_valid(client, named)


def test_an_event_of_another_system_is_told_as_it_was_sent(record: Record, client: Client) -> None:
    body = b"""{"resourceType":"AuditEvent","id":"theirs","meta":{"versionId":"9"},
        "type":{"system":"urn:x","code":"x"},"recorded":"2026-01-01T00:00:00Z",
        "agent":[{"requestor":true,"who":{"display":"x"}}],
        "source":{"observer":{"display":"them"}},
        "extension":[{"url":"urn:e","valueDecimal":1.50}]}"""

    [told] = _told(record, event_row(kind=Kind.FOREIGN, source="Device/them", body=body))

    assert told["id"] != "theirs"
    assert told["meta"]["versionId"] == "1"
    assert told["source"]["observer"] == {"display": "them"}
    assert str(told["extension"][0]["valueDecimal"]) == "1.50"
    del told["extension"]  # a decimal does not pass json.dumps
    _assert_valid(client, told)


def test_an_event_is_found_by_its_id(record: Record) -> None:
    [told] = _told(record, event_row())

    place = Ids(record.database).place(told["id"])
    assert place is not None
    with record.database.read() as connection:
        found = rows.at_place(connection, place)
    assert isinstance(found, Event)
    assert found.row.request_id == "0192-a"
