"""Who may look for somebody among all patients, and that the answer tells of nobody else."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ehr.search.values.intervals import parse_interval
from ehr.store.patient_lookups import find
from tests import given
from tests.client import Client, outcome
from tests.counting import is_counted
from tests.matching import ANN, BORN, CHI, MARY, NHS, NOBODY, number, question, wanted
from tests.unit.ehr.access.access_documents import actor, consent

if TYPE_CHECKING:
    from ehr.record import Record

App = Callable[..., Client]
GENDER = "?gender=http://hl7.org/fhir/administrative-gender|female"


@pytest.fixture(autouse=True)
def _stored(client: Client) -> None:
    client.update(given.patient(id="mary", identifier=[number()]))
    client.update(given.patient(id="john"))


@pytest.mark.parametrize(
    ("kind", "scope", "may"),
    [
        ("professional", "user/Patient.s", True),
        ("professional", "user/Patient.rs", True),
        ("professional", "user/*.cruds", True),
        ("professional", "user/Patient.read", True),
        ("professional", "user/Patient.crud", False),
        ("professional", f"user/Patient.rs{GENDER}", False),
        ("professional", "user/Observation.rs", False),
        ("professional", "patient/Patient.rs", False),
        ("professional", "patient/*.cruds launch/patient", False),
        ("professional", "openid fhirUser", False),
        ("professional", "", False),
        ("system", "system/Patient.s", True),
        ("system", "system/*.cruds", True),
        ("system", "system/Patient.r", False),
        ("system", "user/Patient.rs", False),
        ("patient", "user/Patient.rs", False),
        ("patient", "patient/Patient.rs", False),
        ("patient", "patient/*.cruds user/*.cruds openid fhirUser", False),
        ("carer", "user/Patient.rs patient/Patient.rs", False),
        ("operator", "user/Patient.rs", False),
        ("operator", "system/*.cruds", False),
    ],
)
def test_t28_kinds_and_scopes(client_with: App, kind: str, scope: str, may: bool) -> None:
    """Mary is in context: nobody finds even her by scopes of one patient."""
    app = client_with(scope, kind=kind, patient="mary")

    answer = app.post("Patient/$match", question())

    assert answer.status_code == (200 if may else 403)
    assert ("Murray" in answer.text) == may


@pytest.mark.parametrize(("kind", "status"), [("system", 200), ("operator", 403)])
def test_tokens_without_scopes(client_of: App, kind: str, status: int) -> None:
    answer = client_of(None, kind=kind).post("Patient/$match", question())

    assert answer.status_code == status


def test_a_refusal_names_a_scope_that_would_do(client_with: App) -> None:
    app = client_with("patient/*.rs", kind="professional", patient="mary")

    refused = app.post("Patient/$match", question())

    assert refused.status_code == 403
    assert 'scope="user/Patient.s"' in refused.headers["WWW-Authenticate"]


def test_entries_of_a_batch_are_judged_by_themselves(client_with: App) -> None:
    app = client_with("patient/*.rs", patient="mary")
    entry = given.entry(question(), method="POST", url="Patient/$match")

    [answer] = app.transact(given.batch(entry))["entry"]

    assert answer["response"]["status"].startswith("403")


def test_who_may_not_ask_learns_nothing_from_a_faulty_question(client_with: App) -> None:
    app = client_with("patient/*.rs", patient="mary")

    answers = [
        app.post("Patient/$match", body) for body in (question(), {"resourceType": "Patient"})
    ]

    assert [one.status_code for one in answers] == [403, 403]
    assert answers[0].data == answers[1].data


def _answered(app: Client, statements: Callable[[], Any], body: Any) -> tuple[Any, ...]:
    with statements() as seen:
        answer = app.post("Patient/$match", body)
    headers = {name: value for name, value in answer.headers if name not in CHANGING}
    text = re.sub(r'"(id|lastUpdated)":"[^"]*"', "", answer.text)
    return answer.status_code, headers, text, [sql for sql in seen if is_counted(sql)]


CHANGING = {"Content-Length", "X-Request-Id"}


@pytest.mark.parametrize("hidden", ["born otherwise", "deleted", "replaced", "locked", "inactive"])
def test_t28_who_is_not_found_is_as_who_is_not_there(
    client: Client, client_with: App, statements: Callable[[], Any], hidden: str
) -> None:
    """Status, headers, body and statements: only what is found differs, and by its body alone."""
    app = client_with("user/Patient.s", kind="professional")
    mary = client.read("Patient/mary")
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}
    link = {"other": given.reference("Patient/john"), "type": "replaced-by"}
    app.post("Patient/$match", wanted())
    shown = _answered(app, statements, wanted())
    nobody = _answered(app, statements, wanted(NOBODY))
    match hidden:
        case "deleted":
            client.delete("Patient/mary")
        case "replaced":
            client.update(mary | {"link": [link]})
        case "locked":
            client.update(mary | {"meta": {"security": [label]}})
        case "inactive":
            client.update(mary | {"active": False})
    sent = wanted(MARY, "1950-03-03" if hidden == "born otherwise" else BORN)

    assert _answered(app, statements, sent) == nobody
    assert '"total":0' in nobody[2]
    assert '"total":1' in shown[2]
    assert shown[:2] + shown[3:] == nobody[:2] + nobody[3:]
    assert len(nobody[3]) == 6  # of which three ask whom the patient keeps out by name


def test_t28_no_body_is_read_unless_number_and_birth_date_agree(
    client: Client, record: "Record"
) -> None:
    client.update(given.patient(id="ann", identifier=[number(ANN)], birthDate="1950-01"))

    def found(number: str, born: str, system: str = NHS) -> list[str]:
        with record.database.read() as connection:
            rows = find(connection, system, number, parse_interval(born))
        return [row.id for row in rows]

    assert found(MARY, BORN) == ["mary"]
    assert found(MARY, BORN, CHI) == []
    assert found(ANN, "1950-01-01") == found(ANN, "1950-01-31") == []
    assert found(MARY, "1950-03-03") == found(MARY, "1950-03") == found(MARY, "1950") == []
    assert found(NOBODY, BORN) == []


def test_a_refusal_quotes_no_number(client_with: App) -> None:
    app = client_with("user/Patient.s", kind="professional")

    answer = app.post("Patient/$match", wanted("9434765910", "1950-3-2"))

    assert len(outcome(answer)) == 2
    assert "943476" not in answer.text


def test_who_keeps_somebody_out_by_name_is_not_found_by_them(
    client: Client, client_with: App
) -> None:
    """No claim and no emergency opens the record to them: to be found would tell of the block."""
    client.update(given.practitioner(id="ann"))
    client.update(given.practitioner(id="bo"))
    kept_out = {"type": "deny", "actor": [actor("Practitioner/ann")]}
    client.update({**consent(kept_out), "id": "no"})

    told = {
        who: client_with("user/Patient.s", kind="professional", person=f"Practitioner/{who}").post(
            "Patient/$match", question()
        )
        for who in ("ann", "bo")
    }

    assert told["bo"].get_json()["total"] == 1
    assert told["ann"].status_code == 200
    assert "Murray" not in told["ann"].text
    assert "entry" not in told["ann"].get_json()
