"""Every answer of the record has its event before it leaves, and who asked learns nothing of it."""

from collections.abc import Callable
from typing import Any

import pytest

from ehr.audit.failing import AuditFailed
from ehr.audit.kinds import Kind
from ehr.record import Record
from ehr.store.locator import locate
from fhir_profiles.resource_types import type_number
from tests import audited, given
from tests.client import Client, expect, outcome

Place = tuple[int, int]


@pytest.fixture
def places(record: Record, client: Client) -> dict[str, Place]:
    """Give where two patients with an observation each lie."""
    for name in ("mary", "john"):
        client.put(f"Patient/{name}", given.patient(id=name))
        client.put(
            f"Observation/of-{name}", given.observation(f"Patient/{name}") | {"id": f"of-{name}"}
        )
    names = [("Patient", "mary"), ("Patient", "john")]
    names += [("Observation", "of-mary"), ("Observation", "of-john")]
    with record.database.read() as connection:
        return {id: (at.patient_key, at.rid) for (_, id), at in locate(connection, names).items()}


READS = {
    "Patient/mary": (Kind.READ, "GET"),
    "Patient/mary/_history/1": (Kind.VREAD, "GET"),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", READS)
def test_a_read_is_told_with_the_version_that_was_shown(
    record: Record, client: Client, places: dict[str, Place], path: str, method: str
) -> None:
    with audited.since(record) as told:
        answer = client.request(method, path, headers={"X-Request-Id": "r-1"})

    assert answer.status_code == 200
    [event] = told
    assert event.kind == READS[path][0]
    assert (event.patient_key, event.rid) == places["mary"]
    assert (event.type, event.version, event.outcome) == (type_number("Patient"), 1, 0)
    assert event.request_id == answer.headers["X-Request-Id"]
    assert event.agent == event.token_id
    assert event.role == "system"


def test_what_the_caller_has_already_was_looked_at_as_well(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    with audited.since(record) as told:
        assert client.get("Patient/mary", If_None_Match='W/"1"').status_code == 304

    assert [(event.kind, event.rid) for event in told] == [(Kind.READ, places["mary"][1])]


def test_who_an_app_stands_for_is_told(
    record: Record, client: Client, client_with: Callable[..., Client], places: dict[str, Place]
) -> None:
    gp = client_with(
        "user/*.rs",
        kind="professional",
        person="Practitioner/gp",
        organisation="Organization/1",
    )

    mary, doctor = client.read("Patient/mary"), given.reference("Practitioner/gp")
    client.update(mary | {"generalPractitioner": [doctor]})

    with audited.since(record) as told:
        gp.read("Patient/mary")

    [event] = told
    assert (event.agent, event.role, event.client_id) == ("Practitioner/gp", "gp", "tests")
    assert event.organisation == "Organization/1"


def test_a_search_has_an_event_for_each_patient_found(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    with audited.since(record) as told:
        client.read("Observation?code=8867-4&_include=Observation:subject")

    assert {event.kind for event in told} == {Kind.SEARCH}
    assert {event.patient_key for event in told} == {places["mary"][0], places["john"][0]}
    assert [event.behind for event in told] == [0, 1]
    first, second = told
    assert (first.query, second.query) == (
        "Observation?code=8867-4&_include=Observation:subject",
        None,
    )
    found = {event.patient_key: audited.rids(event) for event in told}
    for name in ("mary", "john"):
        assert found[places[name][0]] == {places[name][1], places[f"of-{name}"][1]}
    assert [event.found for event in told] == [2, 2]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Observation?code=1-1", 0),
        ("Observation?_summary=count", 2),
        ("Observation?code=8867-4&_count=0", 2),
    ],
)
def test_a_search_that_shows_nobody_is_told_once(
    record: Record, client: Client, places: dict[str, Place], path: str, found: int
) -> None:
    with audited.since(record) as told:
        client.read(path)

    [event] = told
    assert (event.kind, event.patient_key, event.found) == (Kind.SEARCH, 0, found)
    assert event.query == path


def test_a_search_by_post_is_told_by_what_its_form_asks(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    with audited.since(record) as told:
        client.request(
            "POST",
            "Patient/_search",
            "_id=mary",
            content_type="application/x-www-form-urlencoded",
        )

    [event] = told
    assert (event.query, event.patient_key) == ("Patient?_id=mary", places["mary"][0])


def test_histories_are_told_by_patient(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    with audited.since(record) as told:
        client.read("Patient/mary/_history")
        client.read("Observation/_history")
        client.read("_history?_count=1")

    assert {event.kind for event in told} == {Kind.HISTORY}
    queries = [event.query for event in told if not event.behind]
    assert queries == ["Patient/mary/_history", "Observation/_history", "_history?_count=1"]
    assert len(told) == 1 + 2 + 1


def test_writes_are_told_in_their_own_transaction(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    key, rid = places["of-mary"]
    with audited.since(record) as told:
        made = client.create(given.observation("Patient/mary"))
        changed = client.read("Observation/of-mary") | {"status": "amended"}
        client.update(changed)
        patch = [{"op": "replace", "path": "/status", "value": "corrected"}]
        assert client.patch("Observation/of-mary", patch).status_code == 200
        assert client.delete("Observation/of-mary").status_code == 204
        assert client.delete("Observation/none").status_code == 204

    kinds = [event.kind for event in told if event.kind != Kind.READ]
    assert sorted(kinds) == [Kind.CREATE, Kind.UPDATE, Kind.PATCH, Kind.DELETE, Kind.DELETE]
    assert {event.patient_key for event in told} == {key, 0}
    versions = {event.kind: event.version for event in told if event.rid == rid}
    assert versions == {Kind.READ: 1, Kind.UPDATE: 2, Kind.PATCH: 3, Kind.DELETE: 4}
    [none] = [event for event in told if event.patient_key == 0]
    assert (none.kind, none.named, none.found) == (Kind.DELETE, "Observation/none", 0)
    assert made["id"]


def test_a_conditional_create_that_finds_has_read(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    client.create(given.patient(identifier=[{"system": "urn:n", "value": "7"}]))
    again = given.patient(identifier=[{"system": "urn:n", "value": "7"}])

    with audited.since(record) as told:
        answer = client.post("Patient", again, If_None_Exist="identifier=urn:n|7")

    assert answer.status_code == 200
    assert [(event.kind, event.version) for event in told] == [(Kind.READ, 1)]


def test_the_entries_of_a_transaction_are_told_with_it(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    entries = [
        {
            "resource": given.observation("Patient/mary"),
            "request": {"method": "POST", "url": "Observation"},
        },
        {"request": {"method": "GET", "url": "Patient/john"}},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    with audited.since(record) as told:
        client.transact(bundle)

    by_kind = {event.kind: event for event in told}
    assert set(by_kind) == {Kind.TRANSACTION, Kind.CREATE, Kind.READ}
    assert by_kind[Kind.CREATE].patient_key == places["mary"][0]
    assert by_kind[Kind.READ].patient_key == places["john"][0]
    assert len({event.request_id for event in told}) == 1


def test_a_transaction_that_only_reads_is_told(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    entries = [{"request": {"method": "GET", "url": "Patient/john"}}]

    with audited.since(record) as told:
        client.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert sorted(event.kind for event in told) == [Kind.READ, Kind.TRANSACTION]


def test_a_refused_transaction_names_what_its_entries_named(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    entries = [
        {
            "resource": given.observation("Patient/mary"),
            "request": {"method": "POST", "url": "Observation"},
        },
        {"request": {"method": "GET", "url": "Patient/nobody"}},
        {"request": {"method": "GET", "url": "Patient/john"}},
    ]

    with audited.since(record) as told:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        assert client.post("", bundle).status_code == 404

    assert {event.outcome for event in told} == {4}
    named = {event.named for event in told if event.named}
    assert named == {"Patient/nobody", "Patient/john"}
    assert sorted(event.kind for event in told) == sorted(
        [Kind.TRANSACTION, Kind.CREATE, Kind.READ, Kind.READ]
    )


def test_each_entry_of_a_batch_is_told_also_one_that_is_refused(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    urls = ("Patient/mary", "Patient/nobody", "Observation?patient=john")
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]

    with audited.since(record) as told:
        client.transact({"resourceType": "Bundle", "type": "batch", "entry": entries})

    said = {(event.kind, event.outcome, event.patient_key) for event in told}
    assert said == {
        (Kind.READ, 0, places["mary"][0]),
        (Kind.READ, 4, 0),
        (Kind.SEARCH, 0, places["john"][0]),
        (Kind.BATCH, 0, 0),
    }


def test_operations_tell_whose_rows_they_showed(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    with audited.since(record) as told:
        client.read("Patient/mary/$everything")
        client.read("Patient/mary/$meta")
        client.read("Patient/$meta")

    assert [(event.kind, event.patient_key) for event in told] == [
        (Kind.OPERATION, places["mary"][0]),
        (Kind.OPERATION, places["mary"][0]),
        (Kind.OPERATION, 0),
    ]
    assert told[0].query == "Patient/mary/$everything"
    assert audited.rids(told[0]) == {places["mary"][1], places["of-mary"][1]}


def test_labels_are_told_as_changed(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    sent = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"security": [label]}}],
    }

    with audited.since(record) as told:
        expect(client.post("Patient/mary/$meta-add", sent), 200)

    assert {(event.kind, event.patient_key) for event in told} == {
        (Kind.LABEL_CHANGED, places["mary"][0]),
        (Kind.OPERATION, 0),
    }


def test_a_consent_is_told_as_what_it_changes(
    record: Record, client: Client, places: dict[str, Place]
) -> None:
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                    "code": "patient-privacy",
                }
            ]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/mary"},
        "policyRule": {"text": "as agreed"},
        "provision": {"type": "permit"},
    }

    with audited.since(record) as told:
        client.create(consent)

    assert [event.kind for event in told] == [Kind.CREATE, Kind.CONSENT_CHANGED]
    assert {event.patient_key for event in told} == {places["mary"][0]}


# -- what is refused --


def test_what_is_hidden_is_told_as_what_it_is_but_not_to_who_asks(
    record: Record, client_with: Callable[..., Client], places: dict[str, Place]
) -> None:
    app = client_with("patient/*.rs", patient="john")
    app.read("Patient/john")

    with audited.since(record) as told:
        hidden, absent = app.get("Patient/mary"), app.get("Patient/nobody")
        old = app.get("Observation/of-mary/_history/1")

    assert [answer.status_code for answer in (hidden, absent, old)] == [404, 404, 404]
    text = hidden.get_data(as_text=True).replace("mary", "nobody")
    assert text == absent.get_data(as_text=True)
    assert [(event.kind, event.outcome, event.named) for event in told] == [
        (Kind.READ, 4, "Patient/mary"),
        (Kind.READ, 4, "Patient/nobody"),
        (Kind.VREAD, 4, "Observation/of-mary"),
    ]
    assert [(event.patient_key, event.rid) for event in told] == [
        places["mary"],
        (0, None),
        places["of-mary"],
    ]


def test_hidden_and_absent_cost_the_same_statements(
    client_with: Callable[..., Client], places: dict[str, Place], statements: Callable[[], Any]
) -> None:
    app = client_with("patient/*.rs", patient="john")
    seen = []
    for path in ("Patient/mary", "Patient/nobody", "Patient/mary", "Patient/nobody"):
        with statements() as ran:
            app.get(path)
        seen.append(list(ran))

    assert seen[2] == seen[3]


def test_what_a_scope_does_not_permit_is_told(
    record: Record, client_with: Callable[..., Client], places: dict[str, Place]
) -> None:
    app = client_with("patient/Observation.rs", patient="john")

    with audited.since(record) as told:
        assert app.get("Patient/mary").status_code == 403
        assert app.post("Observation", given.observation("Patient/john")).status_code == 403

    assert [(event.kind, event.outcome) for event in told] == [(Kind.READ, 4), (Kind.CREATE, 4)]
    assert told[0].patient_key == places["mary"][0]


def test_a_search_that_cannot_be_read_is_told_as_refused(record: Record, client: Client) -> None:
    with audited.since(record) as told:
        assert client.get("Patient?nothing-such=1").status_code == 400

    [event] = told
    assert (event.kind, event.outcome) == (Kind.SEARCH, 4)
    assert event.query == "Patient?nothing-such=1"


UNREAD: dict[str, tuple[str, str, str, str, dict[str, str], int, Kind]] = {
    # method, path, body, its type, headers; status, and what is told
    "a format that is none": ("GET", "Observation/of-mary?_format=zzz", "", "", {}, 406, Kind.READ),
    "a type that is not given": (
        "GET", "Observation/of-mary", "", "", {"Accept": "image/png"}, 406, Kind.READ,
    ),
    "a body that breaks off": (
        "PUT", "Observation/of-mary", "{", "application/fhir+json", {}, 400, Kind.UPDATE,
    ),
    "a patch that breaks off": (
        "PATCH", "Observation/of-mary", "{", "application/json-patch+json", {}, 400, Kind.PATCH,
    ),
    "a body that is no resource": (
        "PUT", "Observation/of-mary", "a,b", "text/csv", {}, 415, Kind.UPDATE,
    ),
    "a view that is none": ("GET", "Observation/of-mary?_summary=some", "", "", {}, 400, Kind.READ),
}  # fmt: skip


@pytest.mark.parametrize("unread", UNREAD)
def test_what_cannot_be_read_is_told_where_it_names_something(
    record: Record, client: Client, places: dict[str, Place], unread: str
) -> None:
    """Else rows could be probed, and records tried to be opened, without a trace."""
    method, path, body, media, headers, status, kind = UNREAD[unread]
    with audited.since(record) as told:
        answer = client.request(method, path, body or None, headers=headers, content_type=media)

    assert answer.status_code == status
    [event] = told
    assert (event.kind, event.outcome) == (kind, 4)
    assert (event.patient_key, event.rid) == places["of-mary"]


def test_a_break_glass_that_cannot_be_read_is_told(record: Record, client: Client) -> None:
    client.put("Patient/mary", given.patient(id="mary"))
    with audited.since(record) as told:
        answer = client.request(
            "POST", "Patient/mary/$break-glass", "{", content_type="application/fhir+json"
        )

    assert answer.status_code == 400
    [event] = told
    assert event.outcome == 4


def test_a_revoked_token_is_told_with_whose_it_was(
    record: Record, client_with: Callable[..., Client]
) -> None:
    from auth import tokens

    app = client_with("patient/*.rs", patient="john", person="Patient/john")
    assert app.token is not None
    assert record.database.write(lambda c: tokens.revoke(c, app.token or "", now=record.clock()))

    with audited.since(record) as told:
        assert app.get("Patient/john").status_code == 401
        assert Client(app.flask, "secr_" + "x" * 43).get("Patient/john").status_code == 401
        assert Client(app.flask, None).get("Patient/john").status_code == 401

    [event] = told
    assert (event.kind, event.outcome, event.agent) == (Kind.REFUSED, 4, "Patient/john")
    assert event.named == "GET /Patient/john"


# -- what can't be recorded --


def _fail(*_: object) -> None:
    raise AuditFailed


def test_nothing_is_shown_that_cannot_be_recorded(
    record: Record, client: Client, places: dict[str, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(record.trail), "record", _fail)
    for path in (
        "Patient/mary",
        "Patient/mary/_history",
        "Observation?patient=mary",
        "Patient/none",
    ):
        answer = client.get(path)
        assert answer.status_code == 503, path
        assert outcome(answer)[0]["code"] == "transient"
        assert answer.headers["Retry-After"]


def test_nothing_is_written_that_cannot_be_recorded(
    record: Record, client: Client, places: dict[str, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.read("_history?_summary=count")["total"]
    changed = client.read("Observation/of-mary") | {"status": "amended"}
    with monkeypatch.context() as patch:
        patch.setattr(type(record.trail), "within", _fail)
        answers = [
            client.post("Observation", given.observation("Patient/mary")),
            client.put("Observation/of-mary", changed),
            client.delete("Observation/of-mary"),
            client.post("", given.transaction(given.observation("Patient/mary"))),
        ]

    assert [answer.status_code for answer in answers] == [503] * 4
    assert client.read("_history?_summary=count")["total"] == before


def test_a_batch_whose_reads_cannot_be_recorded_is_not_answered(
    record: Record, client: Client, places: dict[str, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [{"request": {"method": "GET", "url": "Patient/mary"}}]
    monkeypatch.setattr(type(record.trail), "record", _fail)

    answer = client.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})

    assert answer.status_code == 503


def test_a_server_that_cannot_record_is_not_ready(
    record: Record, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.flask.get("/readyz").status_code == 200
    monkeypatch.setattr(type(record.trail), "healthy", lambda _self: False)

    answer = client.flask.get("/readyz")

    assert answer.status_code == 503
    assert "recorded" in answer.get_data(as_text=True)


def test_what_anybody_may_read_is_not_told(record: Record, client: Client) -> None:
    with audited.since(record) as told:
        client.read("metadata")
        client.flask.get("/healthz")
        client.flask.get("/fhir/.well-known/smart-configuration")
        client.flask.options("/fhir/Patient")

    assert told == []
