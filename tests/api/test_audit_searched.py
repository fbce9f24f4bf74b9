"""Events of the trail over FHIR: read, searched, paged, added by other systems, never changed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from auth import tokens
from ehr.audit.kinds import Kind
from ehr.audit.verifying import verify
from ehr.record import Record
from tests import audited, given
from tests.client import Client, expect, outcome

App = Callable[..., Client]
Found = list[dict[str, Any]]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def staff(record: Record, client: Client) -> App:
    """Give what makes apps of staff: `staff("gp")` is that of Practitioner/gp in this role."""

    def make(role: str, organisation: str | None = None) -> Client:
        context = {"author": f"Practitioner/{role}", "person": f"Practitioner/{role}", "role": role}
        token = record.database.write(
            lambda connection: tokens.create(
                connection,
                kind="professional",
                name=role,
                organisation=organisation,
                now=record.clock(),
                client_id="tests",
                scope="user/*.rs",
                context=json.dumps(context),
            )
        )
        return Client(client.flask, token)

    return make


@pytest.fixture
def officer(staff: App) -> Client:
    """Give the privacy officer's app."""
    return staff("privacy-officer")


@pytest.fixture
def gp(staff: App) -> Client:
    """Give a GP's app."""
    return staff("gp", "Organization/northside")


@pytest.fixture
def people(client: Client) -> Client:
    """Give a system that put two patients in, of one GP, with an observation each."""
    doctor = [given.reference("Practitioner/gp")]
    for name in ("mary", "john"):
        client.put(f"Patient/{name}", given.patient(id=name, generalPractitioner=doctor))
        id = f"of-{name}"
        client.put(f"Observation/{id}", given.observation(f"Patient/{name}") | {"id": id})
    return client


def event(**more: Any) -> dict[str, Any]:
    """Return an event as another system sends it."""
    return {
        "resourceType": "AuditEvent",
        "type": {"system": "http://example.org/audit", "code": "looked"},
        "recorded": "2024-05-01T09:15:00Z",
        "agent": [{"requestor": True, "who": {"reference": "Practitioner/theirs"}}],
        "source": {"observer": {"display": "gateway"}},
        **more,
    }


def found(app: Client, query: str) -> Found:
    bundle = app.read(f"AuditEvent?{query}" if query else "AuditEvent")
    assert bundle["type"] == "searchset"
    return [entry["resource"] for entry in bundle.get("entry", ())]


def subtypes(events: Found) -> list[str]:
    return [one["subtype"][0]["code"] for one in events]


def entities(one: dict[str, Any]) -> set[str]:
    return {
        e["what"]["reference"] for e in one.get("entity", ()) if "reference" in e.get("what", {})
    }


def test_an_event_is_found_and_read_as_it_was_found(
    people: Client, gp: Client, officer: Client, client_of: App
) -> None:
    gp.read("Observation/of-mary")

    [one] = found(officer, "patient=mary&agent=Practitioner/gp")

    assert one["action"] == "R"
    assert entities(one) == {"Observation/of-mary/_history/1", "Patient/mary"}
    answer = officer.get(f"AuditEvent/{one['id']}")
    assert expect(answer, 200) == one
    assert answer.headers["ETag"] == 'W/"1"'
    assert officer.read(f"AuditEvent/{one['id']}/_history/1") == one
    refused = officer.get(f"AuditEvent/{one['id']}/_history")
    assert refused.status_code == 403
    assert "The role privacy-officer may not" in outcome(refused)[0]["diagnostics"]
    history = client_of(kind="operator").read(f"AuditEvent/{one['id']}/_history")
    assert [entry["resource"] for entry in history["entry"]] == [one]
    assert officer.get(f"AuditEvent/{one['id']}/_history/2").status_code == 404
    again = officer.get(f"AuditEvent/{one['id']}", If_None_Match='W/"1"')
    assert (again.status_code, again.data) == (304, b"")


QUERIES = {
    "patient=Patient/mary": {"read", "search", "update"},
    "patient=mary,john": {"read", "search", "update"},
    "patient=nobody": set(),
    "patient=mary&action=R": {"read"},
    "patient=mary&action=R,U": {"read", "update"},
    "patient=mary&action=R&action=U": set(),
    "patient=mary&date=ge2026": {"read", "search", "update"},
    "patient=mary&date=lt2026": set(),
    "patient=mary&date=ge2020&date=lt2021": set(),
    "patient=mary&_lastUpdated=gt2020-01-01": {"read", "search", "update"},
    "agent=Practitioner/gp": {"read", "search"},
    "agent=gp&patient=mary": {"read", "search"},
    "agent=Practitioner/other": set(),
    "agent=Organization/northside&outcome=4": {"read"},
    "agent=Practitioner/gp&entity=Observation/of-mary": {"read"},
    "agent=Practitioner/gp&entity=Patient/mary": {"read", "search"},
    "agent=Practitioner/gp&entity=Observation/none": {"read"},
    "agent=Practitioner/gp&outcome=0": {"read", "search"},
    "agent=Practitioner/gp&type=rest": {"read", "search"},
    "agent=Practitioner/gp&type=http://dicom.nema.org/resources/ontology/DCM|110114": set(),
    "agent=Practitioner/gp&subtype=search": {"search"},
    "source=Device/theirs": set(),
}


@pytest.mark.parametrize("query", QUERIES)
def test_events_are_searched(people: Client, gp: Client, officer: Client, query: str) -> None:
    gp.read("Observation/of-mary")
    gp.read("Observation?patient=mary")
    assert gp.get("Observation/none").status_code == 404

    assert set(subtypes(found(officer, query))) == QUERIES[query]


def test_a_search_by_post_and_in_the_compartment_finds_the_same(
    people: Client, gp: Client, officer: Client
) -> None:
    gp.read("Observation/of-mary")
    wanted = found(officer, "patient=mary&agent=Practitioner/gp")
    sent = "patient=mary&agent=Practitioner/gp"

    posted = officer.request("POST", "AuditEvent/_search", sent, content_type=FORM)
    compartment = officer.read("Patient/mary/AuditEvent?agent=Practitioner/gp")

    for bundle in (expect(posted, 200), compartment):
        assert [entry["resource"] for entry in bundle["entry"]] == wanted


def test_by_id_many_are_found(people: Client, gp: Client, officer: Client) -> None:
    gp.read("Observation/of-mary")
    gp.read("Observation/of-john")
    ids = {one["id"] for one in found(officer, "agent=Practitioner/gp")}
    assert len(ids) == 2

    assert {one["id"] for one in found(officer, f"_id={','.join(ids)},{'0' * 32},no-id")} == ids


@pytest.mark.parametrize("sort", ["", "&_sort=-date", "&_sort=date"])
def test_pages_show_every_event_once_in_order(
    people: Client, gp: Client, officer: Client, sort: str
) -> None:
    for _ in range(7):
        gp.read("Patient/mary")
    seen: Found = []
    address: str | None = f"AuditEvent?agent=Practitioner/gp&_count=3{sort}"
    while address:
        bundle = officer.read(address)
        assert len(bundle["entry"]) <= 3
        seen += [entry["resource"] for entry in bundle["entry"]]
        links = {one["relation"]: one["url"] for one in bundle["link"]}
        address = links["next"].partition("/fhir/")[2] if "next" in links else None

    assert len(seen) == len({one["id"] for one in seen}) == 7
    recorded = [one["recorded"] for one in seen]
    assert recorded == sorted(recorded, reverse=sort != "&_sort=date")


def test_a_page_is_of_its_caller_and_its_search(
    people: Client, gp: Client, officer: Client
) -> None:
    for _ in range(3):
        gp.read("Patient/mary")
    bundle = officer.read("AuditEvent?agent=Practitioner/gp&_count=1")
    address = next(one["url"] for one in bundle["link"] if one["relation"] == "next")
    path = address.partition("/fhir/")[2]

    assert gp.get(path).status_code == 400
    assert officer.get(path.replace("Practitioner/gp", "Practitioner/other")).status_code == 400


def test_events_are_counted(people: Client, gp: Client, officer: Client) -> None:
    for _ in range(3):
        gp.read("Patient/mary")

    counted = officer.read("AuditEvent?agent=Practitioner/gp&_summary=count")
    total = officer.read("AuditEvent?agent=Practitioner/gp&_total=accurate&_count=1")

    assert (counted["total"], "entry" in counted) == (3, False)
    assert (total["total"], len(total["entry"])) == (3, 1)


@pytest.mark.parametrize(
    "query",
    ["policy=x", "date=yesterday", "outcome=7", "_sort=agent", "entity=Nothing/x", "_count=x"],
)
def test_what_cannot_be_asked_is_refused(officer: Client, query: str) -> None:
    answer = officer.get(f"AuditEvent?{query}")

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == [query.partition("=")[0]]


def test_parts_of_events_are_shown_on_request(people: Client, gp: Client, officer: Client) -> None:
    gp.read("Patient/mary")

    [one] = found(officer, "agent=Practitioner/gp&_elements=action")

    assert one["action"] == "R"
    assert "entity" not in one
    assert one["meta"]["tag"][0]["code"] == "SUBSETTED"


# -- to read it is an event --


def test_to_read_events_is_told_for_each_patient(
    record: Record, people: Client, gp: Client, officer: Client
) -> None:
    gp.read("Patient/mary")
    gp.read("Patient/john")
    with audited.since(record) as told:
        events = found(officer, "agent=Practitioner/gp")
        officer.read(f"AuditEvent/{events[0]['id']}")

    assert {one.kind for one in told} == {Kind.AUDIT_READ}
    assert [one.found for one in told] == [1, 1, None]
    assert told[0].query == "AuditEvent?agent=Practitioner/gp"
    assert len({one.patient_key for one in told}) == 2
    assert told[2].named == f"AuditEvent/{events[0]['id']}"


# -- who --


def test_staff_read_what_they_did_and_not_what_they_were_refused(
    people: Client, gp: Client, officer: Client, staff: App
) -> None:
    other = staff("nurse")
    nurse = given.reference("Practitioner/nurse")
    people.create(given.encounter("Patient/mary", status="in-progress",
                                  participant=[{"individual": nurse}]))  # fmt: skip
    gp.read("Observation/of-mary")
    other.read("Observation/of-mary")
    assert gp.get("Observation/none").status_code == 404
    theirs = found(officer, "agent=Practitioner/nurse")[0]["id"]
    refused = found(officer, "agent=Practitioner/gp&outcome=4")[0]["id"]

    mine = found(gp, "patient=mary")

    assert [entities(one) for one in mine] == [{"Observation/of-mary/_history/1", "Patient/mary"}]
    assert gp.get(f"AuditEvent/{mine[0]['id']}").status_code == 200
    for id in (theirs, refused, "0" * 32):
        assert gp.get(f"AuditEvent/{id}").status_code == 404
    assert found(gp, "agent=Practitioner/nurse") == []
    assert found(gp, "outcome=4") == []


def test_systems_find_nothing_of_the_trail_and_an_operators_token_finds_all(
    record: Record, people: Client, client_with: App, client_of: App, officer: Client
) -> None:
    people.read("Patient/mary")
    id = found(officer, "patient=mary")[0]["id"]
    operator = client_of(kind="operator")

    assert found(people, "patient=mary") == []
    assert people.get(f"AuditEvent/{id}").status_code == 404
    registered = client_with("system/*.cruds", kind="system")
    assert registered.get("AuditEvent?patient=mary").status_code == 403
    assert registered.get(f"AuditEvent/{id}").status_code == 403
    assert operator.get(f"AuditEvent/{id}").status_code == 200
    assert found(operator, "patient=mary")


def test_a_patient_reads_who_dealt_with_the_record(
    people: Client, gp: Client, client_with: App
) -> None:
    gp.read("Observation/of-mary")
    gp.read("Observation/of-john")
    gp.read("Observation?_id=of-mary,of-john")
    mary = client_with("patient/*.rs", patient="mary", person="Patient/mary")

    events = found(mary, "agent=Practitioner/gp")

    assert sorted(subtypes(events)) == ["read", "search"]
    text = str(events)
    assert "of-mary" in text
    assert "john" not in text
    assert "query" not in text
    assert found(mary, "patient=john") == []
    assert {one["subtype"][0]["code"] for one in found(mary, "")} >= {"update", "read"}


def test_a_carer_reads_none_without_a_grant(people: Client, client_with: App) -> None:
    carer = client_with("patient/*.rs", patient="mary", kind="carer", person="RelatedPerson/r")

    assert found(carer, "patient=mary") == []


def test_a_patient_is_not_told_what_was_refused(people: Client, client_with: App) -> None:
    stranger = client_with("patient/*.rs", patient="john", person="Patient/john")
    assert stranger.get("Observation/of-mary").status_code == 404
    mary = client_with("patient/*.rs", patient="mary", person="Patient/mary")

    assert found(mary, "agent=Patient/john") == []


def test_staff_whom_safety_lets_be_unnamed_are_told_without_a_name(
    people: Client, gp: Client, officer: Client, client_with: App
) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    worker = {"resourceType": "Practitioner", "id": "gp", "meta": {"security": [label]}}
    people.update(worker)
    gp.read("Observation/of-mary")
    mary = client_with("patient/*.rs", patient="mary", person="Patient/mary")

    assert found(mary, "agent=Practitioner/gp") == []
    events = [one for one in found(mary, "") if subtypes([one]) == ["read"]]
    [user] = [agent for agent in events[0]["agent"] if agent["requestor"]]
    assert user["who"] == {"display": "A member of staff"}
    assert user["role"] == [{"text": "gp"}]
    assert "Practitioner/gp" not in str(events)
    assert mary.get(f"AuditEvent/{events[0]['id']}").get_json()["agent"] == events[0]["agent"]
    assert "Practitioner/gp" in str(found(officer, "patient=mary&subtype=read"))


def test_what_safeguarding_does_is_held_back_while_its_flag_lies_there(
    people: Client, client_of: App, client_with: App, gp: Client
) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}
    flag = {
        "resourceType": "Flag",
        "id": "danger",
        "meta": {"security": [label]},
        "status": "active",
        "code": {"text": "safeguarding"},
        "subject": {"reference": "Patient/mary"},
    }
    council = client_of("Organization/council")
    council.update(flag)
    council.read("Observation/of-mary")
    gp.read("Observation/of-mary")
    mary = client_with("patient/*.rs", patient="mary", person="Patient/mary")

    held = found(mary, "subtype=read")
    council.update({name: value for name, value in flag.items() if name != "meta"})
    after = found(mary, "subtype=read")

    assert [_user(one) for one in held] == ["Practitioner/gp"]
    assert len(after) > len(held)


def _user(one: dict[str, Any]) -> str | None:
    who: dict[str, str] = next(agent["who"] for agent in one["agent"] if agent["requestor"])
    return who.get("reference")


# -- where else events could come out --


@pytest.mark.parametrize(
    "path",
    [
        "Patient?_id=mary&_revinclude=AuditEvent:patient",
        "Patient?_id=mary&_revinclude=AuditEvent:entity",
        "Observation?patient=mary&_revinclude=AuditEvent:entity",
        "Patient/mary/$everything",
        "Patient/mary/$everything?_type=AuditEvent",
        "Patient/mary/*?_type=AuditEvent",
        "?_type=AuditEvent",
        "?_type=AuditEvent&_lastUpdated=gt2020",
        "_history",
        "AuditEvent/_history",
        "Patient/_history",
    ],
)
@pytest.mark.parametrize("who", ["system", "officer", "patient"])
def test_no_other_path_shows_an_event(
    people: Client, gp: Client, officer: Client, client_with: App, path: str, who: str
) -> None:
    gp.read("Observation/of-mary")
    mary = client_with("patient/*.rs user/*.rs", patient="mary", person="Patient/mary")
    app = {"system": people, "officer": officer, "patient": mary}[who]

    answer = app.get(path)

    if answer.status_code == 200:
        assert b'"resourceType":"AuditEvent"' not in answer.data
    elif answer.status_code == 404:  # the officer has nothing to do with Mary
        assert who == "officer"
        assert path.startswith("Patient/mary/")
    else:
        assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "path",
    [
        "Patient?_has:AuditEvent:patient:action=R",
        "Patient?_has:AuditEvent:entity:date=ge2020",
        "Observation?_has:AuditEvent:entity:agent=Practitioner/gp",
    ],
)
def test_no_condition_tells_that_there_are_events(
    people: Client, gp: Client, officer: Client, path: str
) -> None:
    gp.read("Observation/of-mary")

    for app in (people, gp):
        assert app.read(path).get("entry", []) == []
    answer = officer.get(path)
    if path.startswith("Observation"):
        assert answer.status_code == 403
    else:
        assert "entry" not in expect(answer, 200)


# -- events of other systems --


def test_a_system_reads_what_it_added_and_nothing_else(
    people: Client, client_with: App, gp: Client, officer: Client
) -> None:
    gp.read("Patient/mary")
    scope = "system/AuditEvent.crs"
    mine, other = (client_with(scope, kind="system", client_id=name) for name in ("mine", "other"))
    about_mary = event(entity=[{"what": {"reference": "Patient/mary"}}])
    made = expect(mine.post("AuditEvent", about_mary), 201)
    theirs = expect(people.post("AuditEvent", about_mary), 201)

    assert [one["id"] for one in found(mine, "patient=mary")] == [made["id"]]
    assert mine.read(f"AuditEvent/{made['id']}") == made
    assert mine.read(f"AuditEvent/{made['id']}/_history/1") == made
    assert mine.read(f"AuditEvent/{made['id']}/_history")["total"] == 1
    assert mine.read("AuditEvent?_summary=count")["total"] == 1
    assert people.read(f"AuditEvent/{theirs['id']}") == theirs
    assert [one["id"] for one in found(people, "patient=mary")] == [theirs["id"]]
    ours = [one["id"] for one in found(officer, "patient=mary")]
    assert len(ours) > 3
    for id in {*ours, theirs["id"]} - {made["id"]}:
        assert mine.get(f"AuditEvent/{id}").status_code == 404
    assert other.get(f"AuditEvent/{made['id']}").status_code == 404
    assert found(other, "patient=mary") == []


def test_a_system_adds_events_to_the_same_chain(
    record: Record, people: Client, client_with: App, officer: Client
) -> None:
    system = client_with("system/AuditEvent.c", kind="system")
    sent = event(entity=[{"what": {"reference": "Patient/mary"}}], outcome="4", id="theirs")
    sent["source"]["observer"] = {"reference": "Device/theirs"}

    answer = system.post("AuditEvent", sent)
    made = expect(answer, 201)

    assert answer.headers["Location"].endswith(f"/AuditEvent/{made['id']}/_history/1")
    assert made["id"] != "theirs"
    kept = officer.read(f"AuditEvent/{made['id']}")
    assert kept == made
    assert {k: v for k, v in kept.items() if k not in ("id", "meta")} == {
        k: v for k, v in sent.items() if k != "id"
    }
    for query in (
        "patient=mary&outcome=4",
        "source=Device/theirs",
        "agent=Practitioner/theirs",
    ):
        assert [one["id"] for one in found(officer, query)] == [made["id"]]
    record.trail.close()
    assert verify(record.database, None, lambda _seals, _rows: None).is_sound


@pytest.mark.parametrize(
    "observer",
    [
        {"identifier": {"system": "urn:ietf:rfc:3986", "value": "{base}"}},
        {"identifier": {"value": "{base}/"}},
        {"reference": "{base}"},
        {"reference": "{base}/Device/1"},
        {"display": "Shared Care Record "},
    ],
)
def test_nobody_speaks_for_this_server(
    people: Client, officer: Client, gp: Client, observer: dict[str, Any]
) -> None:
    gp.read("Patient/mary")
    own = found(officer, "agent=Practitioner/gp")[0]["source"]["observer"]
    text = json.dumps(observer).replace("{base}", own["identifier"]["value"])

    answer = people.post("AuditEvent", event(source={"observer": json.loads(text)}))

    assert answer.status_code == 422
    assert outcome(answer)[0]["expression"] == ["AuditEvent.source.observer"]


@pytest.mark.parametrize("caller", ["system", "officer", "gp", "operator", "patient", "carer"])
def test_nobody_changes_an_event(
    people: Client, gp: Client, officer: Client, client_of: App, client_with: App, caller: str
) -> None:
    gp.read("Patient/mary")
    id = found(officer, "agent=Practitioner/gp")[0]["id"]
    of_mary = {"scope": "patient/*.cruds", "patient": "mary"}
    app = {
        "system": people,
        "officer": officer,
        "gp": gp,
        "operator": client_of(kind="operator"),
        "patient": client_with(**of_mary, person="Patient/mary"),
        "carer": client_with(**of_mary, kind="carer", person="RelatedPerson/r"),
    }[caller]
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": f"AuditEvent/{id}"}}]}  # fmt: skip
    meta = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {}}]}

    answers = [
        app.put(f"AuditEvent/{id}", event(id=id)),
        app.put("AuditEvent?date=2024", event()),
        app.patch(f"AuditEvent/{id}", [{"op": "remove", "path": "/outcome"}]),
        app.delete(f"AuditEvent/{id}"),
        app.delete("AuditEvent?date=ge2024"),
        app.post(f"AuditEvent/{id}/$meta-add", meta),
    ]
    if caller != "operator":  # who may send no transaction at all
        answers.append(app.post("", whole))

    assert [answer.status_code for answer in answers] == [405] * len(answers)
    assert officer.get(f"AuditEvent/{id}").status_code == 200


def test_an_event_is_no_part_of_a_transaction_but_of_a_batch(people: Client) -> None:
    entry = {"resource": event(), "request": {"method": "POST", "url": "AuditEvent"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}

    assert people.post("", bundle).status_code == 400
    answered = people.transact(bundle | {"type": "batch"})

    assert answered["entry"][0]["response"]["status"].startswith("201")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (event(outcome="9"), 400),
        ({"resourceType": "AuditEvent"}, 400),
        (event(outcomeDesc="x" * 70_000), 413),
    ],
)
def test_an_event_that_cannot_be_kept_is_refused(
    people: Client, sent: dict[str, Any], status: int
) -> None:
    assert people.post("AuditEvent", sent).status_code == status


def test_an_event_is_added_without_a_condition(people: Client) -> None:
    assert people.post("AuditEvent", event(), If_None_Exist="date=2024").status_code == 400
