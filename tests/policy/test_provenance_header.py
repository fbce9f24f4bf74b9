"""X-Provenance (R4): stored with the write that it tells of, in the caller's own name."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.client import Client, expect, outcome
from tests.policy.staff import REID, put_ward, staff

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from ehr.record import Record

GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "proposed",
    "description": {"text": "Walk"},
    "subject": given.reference("Patient/mary"),
}


@pytest.fixture(autouse=True)
def _ward(client: Client) -> None:
    put_ward(client)


def sent(who: str | None = REID, **more: Any) -> dict[str, str]:
    """Return the header of a Provenance by somebody."""
    agent = {"who": given.reference(who)} if who else {}
    found = {
        "resourceType": "Provenance",
        "recorded": "2026-11-22T09:00:00Z",
        "agent": [agent],
        "reason": [{"text": "Asked for by Jürgen"}],
        **more,
    }
    kept = {name: value for name, value in found.items() if value is not None}
    return {"X_Provenance": json.dumps(kept)}


def stored(client: Client) -> list[dict[str, Any]]:
    """Return every Provenance of the record that somebody sent."""
    return [one["resource"] for one in client.read("Provenance").get("entry", ())]


def targets(client: Client) -> list[list[str]]:
    """Return what these are about."""
    return [[one["reference"] for one in each["target"]] for each in stored(client)]


def test_it_is_about_what_is_created(client: Client, record: "Record") -> None:
    made = expect(staff(record).post("Goal", GOAL, **sent()), 201)

    assert targets(client) == [[f"Goal/{made['id']}"]]
    [found] = stored(client)
    assert found["agent"][0]["who"] == given.reference(REID)
    along = client.read(f"Goal?_id={made['id']}&_revinclude=Provenance:target")["entry"]
    assert found["id"] in [one["resource"]["id"] for one in along]


@pytest.mark.parametrize("method", ["update", "conditional", "patch", "delete"])
def test_or_changed_or_deleted(client: Client, method: str) -> None:
    made = client.create(GOAL | {"identifier": [{"system": "urn:x", "value": "1"}]})
    path, header = f"Goal/{made['id']}", sent("Practitioner/ann")
    answer = {
        "update": lambda: client.put(path, made | {"priority": {"text": "high"}}, **header),
        "conditional": lambda: client.put(
            "Goal?identifier=urn:x|1", made | {"description": {"text": "Run"}}, **header
        ),
        "patch": lambda: client.patch(
            path, [{"op": "add", "path": "/priority", "value": {"text": "high"}}], **header
        ),
        "delete": lambda: client.delete(path, **header),
    }
    assert answer[method]().status_code in (200, 204)
    assert targets(client) == [[path]]


def test_of_a_transaction_it_is_about_everything(client: Client) -> None:
    known = client.create(GOAL)
    changed = known | {"priority": {"text": "high"}}
    path = f"Goal/{known['id']}"
    bundle = given.transaction(given.entry(GOAL), given.entry(changed, method="PUT", url=path))

    answer = expect(client.post("", bundle, **sent()), 200)

    assert len(answer["entry"]) == 2
    new = (
        answer["entry"][0]["response"]["location"].partition("/_history")[0].rpartition("/fhir/")[2]
    )
    assert targets(client) == [[new, path]]


def test_it_is_there_with_the_write_or_neither_is(client: Client) -> None:
    wrong = GOAL | {"lifecycleStatus": "dreamt"}

    assert client.post("Goal", wrong, **sent()).status_code == 400
    assert client.post("Goal", GOAL, **sent(agent=[])).status_code == 400
    assert stored(client) == []
    assert "entry" not in client.read("Goal")


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ({"X_Provenance": "{"}, "X-Provenance"),
        ({"X_Provenance": "[]"}, "X-Provenance"),
        ({"X_Provenance": '{"resourceType":"Patient"}'}, "X-Provenance"),
        (sent(target=[given.reference("Patient/john")]), "Provenance.target"),
        (sent(id="mine"), "Provenance.id"),
        (sent(recorded="yesterday"), "Provenance.recorded"),
        (sent(reason="ill"), "Provenance.reason"),
    ],
    ids=str,
)
def test_one_that_breaks_r4_says_where(client: Client, header: dict[str, str], place: str) -> None:
    answer = client.post("Goal", GOAL, **header)

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == [place]
    assert "entry" not in client.read("Goal")


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (REID, 201),
        ("PractitionerRole/reid-surgery", 201),
        ("Organization/surgery", 201),
        ("Practitioner/ann", 403),
        ("PractitionerRole/ann-surgery", 403),
        ("Patient/mary", 403),
        ("https://elsewhere.example/fhir/Practitioner/reid", 403),
    ],
)
def test_people_speak_for_themselves_alone(
    client: Client, record: "Record", who: str, status: int
) -> None:
    answer = staff(record).post("Goal", GOAL, **sent(who))

    assert answer.status_code == status
    assert len(stored(client)) == (1 if status == 201 else 0)
    if status == 403:
        assert outcome(answer)[0]["expression"] == ["Provenance.agent[0].who"]


ANN = given.reference("Practitioner/ann")
ME = {"who": given.reference(REID)}


@pytest.mark.parametrize(
    "who",
    [
        {"display": "Dr Ann"},
        {"identifier": {"value": "1234"}},
        {"reference": "Practitioner?identifier=urn:staff|ann"},
        {"reference": "#ann"},
        {"reference": "Organization/hospital"},
    ],
    ids=["words", "a value alone", "a condition", "contained", "another organisation"],
)
def test_whoever_is_not_surely_the_caller_is_no_agent(
    client: Client, record: "Record", who: dict[str, Any]
) -> None:
    client.update(
        given.practitioner(id="ann", identifier=[{"system": "urn:staff", "value": "ann"}])
    )
    inside = [{"resourceType": "Practitioner", "id": "ann", "name": [{"text": "Dr Ann"}]}]
    contained = inside if who == {"reference": "#ann"} else None

    answer = staff(record).post("Goal", GOAL, **sent(agent=[{"who": who}], contained=contained))

    assert answer.status_code == 403
    assert outcome(answer)[0]["expression"] == ["Provenance.agent[0].who"]
    assert stored(client) == []


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"agent": [ME | {"onBehalfOf": ANN}]}, "Provenance.agent[0].onBehalfOf"),
        (
            {"agent": [ME, ME | {"onBehalfOf": given.reference("Organization/hospital")}]},
            "Provenance.agent[1].onBehalfOf",
        ),
        (
            {"entity": [{"role": "source", "what": ANN, "agent": [{"who": ANN}]}]},
            "Provenance.entity[0].agent[0].who",
        ),
        (
            {"signature": [{"type": [{"code": "1.2.840.10065.1.12.1.1"}], "who": ANN,
                            "when": "2026-11-22T09:00:00Z"}]},
            "Provenance.signature[0].who",
        ),
    ],
    ids=["for another", "for another organisation", "of a source", "signed"],
)  # fmt: skip
def test_nor_is_it_for_others_or_signed_by_them(
    client: Client, record: "Record", more: dict[str, Any], place: str
) -> None:
    answer = staff(record).post("Goal", GOAL, **sent(**more))

    assert answer.status_code == 403
    assert outcome(answer)[0]["expression"] == [place]
    assert stored(client) == []


def test_who_speaks_for_their_own_organisation_says_so(client: Client, record: "Record") -> None:
    agent = ME | {"onBehalfOf": given.reference("Organization/surgery")}

    expect(staff(record).post("Goal", GOAL, **sent(agent=[agent])), 201)

    assert stored(client)[0]["agent"] == [agent]


def test_software_may_be_named_beside(client: Client, record: "Record") -> None:
    agents = [ME, {"who": given.reference("Device/app")}]

    expect(staff(record).post("Goal", GOAL, **sent(agent=agents)), 201)

    assert stored(client)[0]["agent"] == agents


@pytest.mark.parametrize("who", [REID, "Practitioner/ann"])
def test_by_itself_people_send_none(client: Client, record: "Record", who: str) -> None:
    told = {
        "resourceType": "Provenance",
        "recorded": "2026-11-22T09:00:00Z",
        "target": [given.reference("Patient/mary")],
        "agent": [{"who": given.reference(who)}],
    }
    gp = staff(record)

    assert gp.post("Provenance", told).status_code == 403
    assert gp.post("", given.transaction(given.entry(told))).status_code == 403
    assert gp.post("", given.transaction(given.entry(told), given.entry(GOAL))).status_code == 403
    assert stored(client) == []
    assert "entry" not in client.read("Goal")
    expect(client.post("Provenance", told), 201)  # systems bring what they hold


def test_systems_tell_of_whoever_did_it(client: Client) -> None:
    assert client.post("Goal", GOAL, **sent("Practitioner/ann")).status_code == 201


def test_it_needs_the_scope_to_write_one(client: Client, record: "Record") -> None:
    answer = staff(record, scope="user/Goal.cruds").post("Goal", GOAL, **sent())

    assert answer.status_code == 403
    assert 'scope="user/Provenance.c"' in answer.headers["WWW-Authenticate"]
    assert "entry" not in client.read("Goal")


META = {"resourceType": "Parameters"}
Call = Callable[[Client, dict[str, str]], "TestResponse"]


@pytest.mark.parametrize(
    "call",
    [
        lambda client, header: client.get("Goal", **header),
        lambda client, header: client.get("Patient/mary", **header),
        lambda client, header: client.post("", given.batch(given.entry(GOAL)), **header),
        lambda client, header: client.post("Patient/mary/$meta-add", META, **header),
        lambda client, header: client.post(
            "Goal", GOAL, If_None_Exist="identifier=urn:x|1", **header
        ),
        lambda client, header: client.delete("Goal?identifier=urn:x|1", **header),
    ],
    ids=["search", "read", "batch", "operation", "conditional create", "conditional delete"],
)
def test_what_it_cant_be_about_is_refused(client: Client, call: Call) -> None:
    answer = call(client, sent())

    assert answer.status_code == 400
    assert "X-Provenance" in outcome(answer)[0]["diagnostics"]
    assert "entry" not in client.read("Goal")
