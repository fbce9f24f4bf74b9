"""Starting an app from the workspace: what is bound to a launch, and who else may use it.

SMART App Launch 2.2, EHR launch (Inferno: smart_app_launch, smart_launch_received; (g)(10) group 3
and 9.8).
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth.apps.clients import Client as App
from auth.models import access_grant
from auth.models import launch as launches
from ehr.app import create_app
from tests import given, oauth_flow, signing_in
from tests.client import Client
from tests.oauth_flow import BASE, begin, heading, told

if TYPE_CHECKING:
    from ehr.record import Record

START = "https://app.example.org/launch?tenant=1"
SCOPE = "launch openid fhirUser patient/Patient.rs patient/Observation.rs"


@pytest.fixture
def app(record: "Record") -> App:
    """Give an app that can be started."""
    return oauth_flow.register(record, launch_uri=START)


@pytest.fixture
def mary(client: Client) -> dict[str, Any]:
    """Give a patient of the record."""
    return client.create(given.patient(**signing_in.registered(client)))


@pytest.fixture
def people(record: "Record") -> Callable[..., FlaskClient]:
    """Give what makes a browser in which somebody is signed in."""
    flask_app = create_app(record)

    def make(kind: str = "professional", **more: Any) -> FlaskClient:
        browser = flask_app.test_client()
        signing_in.signed_in(record, browser, signing_in.make_user(record, kind, **more))
        return browser

    return make


@pytest.fixture
def doctor(people: Callable[..., FlaskClient]) -> FlaskClient:
    """Give a browser in which a professional is signed in."""
    return people()


def start(browser: FlaskClient, app: App, patient: str, **more: Any) -> dict[str, str]:
    """Start an app from the page; return what its launch address is told."""
    page = browser.get("/auth/launch", query_string={"patient": patient, **more})
    assert page.status_code == 200, page.text
    sent = {**oauth_flow.hidden(page), "client": app.id, **more}
    answer = browser.post("/auth/launch", data=sent)
    assert answer.location is not None, answer.text
    assert answer.location.startswith("https://app.example.org/launch?tenant=1&")
    return dict(parse_qsl(urlsplit(answer.location).query))


def context_of(record: "Record") -> dict[str, Any]:
    """Return what stands beside the token of the only grant."""
    with record.database.read() as connection:
        row = connection.execute(select(access_grant)).one()
    context: dict[str, Any] = json.loads(row.context)["launch"]
    return context


def test_an_app_is_started_with_issuer_and_launch(
    doctor: FlaskClient, app: App, mary: dict[str, Any]
) -> None:
    sent = start(doctor, app, mary["id"])

    assert sent["iss"] == BASE
    assert sent["tenant"] == "1"
    assert len(sent["launch"]) == 43  # 256 bits
    assert mary["id"] not in sent["launch"]


def test_the_context_comes_from_the_launch(
    record: "Record", doctor: FlaskClient, app: App, client: Client, mary: dict[str, Any]
) -> None:
    visit = client.create(given.encounter(mary))
    seen = client.create(given.observation(mary))
    reference = f"Observation/{seen['id']}"
    sent = start(doctor, app, mary["id"], encounter=visit["id"], intent="review", context=reference)
    flow = begin(app, SCOPE, launch=sent["launch"])

    page = flow.open(doctor)
    assert heading(page) == "Allow Growth Charts to use the record of Mary Murray?"
    assert "which visit is open" in page.text
    assert "code" in told(flow.decide(doctor, page, "allow"))

    assert context_of(record) == {
        "patient": mary["id"],
        "encounter": visit["id"],
        "intent": "review",
        "fhirContext": [{"reference": reference}],
        "need_patient_banner": True,
        "smart_style_url": "http://127.0.0.1:8000/auth/style/v1.json",
    }


def test_no_visit_is_told_of_where_the_launch_has_none(
    doctor: FlaskClient, app: App, mary: dict[str, Any]
) -> None:
    page = begin(app, SCOPE, launch=start(doctor, app, mary["id"])["launch"]).open(doctor)

    assert "whose record is open" in page.text
    assert "which visit is open" not in page.text


def test_t10_a_launch_counts_once(doctor: FlaskClient, app: App, mary: dict[str, Any]) -> None:
    launch = start(doctor, app, mary["id"])["launch"]
    first, second = (begin(app, SCOPE, launch=launch) for _ in range(2))
    open_page = second.open(doctor)
    assert "code" in told(first.decide(doctor, first.open(doctor), "allow"))

    later = told(begin(app, SCOPE, launch=launch).open(doctor))
    beside = second.decide(doctor, open_page, "allow")

    assert later["error"] == "invalid_request"
    assert "code=" not in (beside.location or "")


def test_t10_a_launch_is_of_one_user(
    people: Callable[..., FlaskClient], doctor: FlaskClient, app: App, mary: dict[str, Any]
) -> None:
    launch = start(doctor, app, mary["id"])["launch"]
    other = people(login="other@example.org", fhir_user="Practitioner/other")

    back = told(begin(app, SCOPE, launch=launch).open(other))

    assert back["error"] == "invalid_request"


def test_t10_a_launch_is_of_one_session(
    record: "Record", people: Callable[..., FlaskClient], app: App, mary: dict[str, Any]
) -> None:
    known = signing_in.make_user(record, login="two@example.org")
    here, there = (create_app(record).test_client() for _ in range(2))
    for browser in (here, there):
        signing_in.signed_in(record, browser, known)
    launch = start(here, app, mary["id"])["launch"]

    back = told(begin(app, SCOPE, launch=launch).open(there))

    assert back["error"] == "invalid_request"


def test_t10_a_launch_is_of_one_app(
    record: "Record", doctor: FlaskClient, app: App, mary: dict[str, Any]
) -> None:
    other = oauth_flow.register(record, "Other", launch_uri=START)
    launch = start(doctor, app, mary["id"])["launch"]

    back = told(begin(other, SCOPE, launch=launch).open(doctor))

    assert back["error"] == "invalid_request"


def test_t10_a_launch_ends_after_five_minutes(
    record: "Record", doctor: FlaskClient, app: App, mary: dict[str, Any]
) -> None:
    launch = start(doctor, app, mary["id"])["launch"]
    with record.database.read() as connection:
        row = connection.execute(select(launches)).one()
    assert row.expires - record.clock() <= 5 * 60_000
    record.database.write(
        lambda connection: connection.execute(update(launches).values(expires=record.clock()))
    )

    back = told(begin(app, SCOPE, launch=launch).open(doctor))

    assert back["error"] == "invalid_request"


def test_t10_no_context_is_taken_from_the_request(
    record: "Record", doctor: FlaskClient, app: App, client: Client, mary: dict[str, Any]
) -> None:
    tom = client.create(given.patient("Tom"))
    launch = start(doctor, app, mary["id"])["launch"]
    flow = begin(app, SCOPE, launch=launch, patient=tom["id"], encounter="x")

    page = flow.open(doctor)
    handle = oauth_flow.hidden(page)["request"]
    forced = doctor.get(f"/auth/consent?request={handle}&patient={tom['id']}")
    posted = flow.decide(doctor, page, "allow", patient=tom["id"])
    flow.decide(doctor, posted, "allow")

    assert "Tom" not in forced.text + posted.text
    assert posted.status_code == 422
    assert context_of(record)["patient"] == mary["id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"patient": "unknown"},
        {"patient": "stranger"},
        {"encounter": "unknown"},
        {"encounter": "of-tom"},
        {"context": "Observation/unknown"},
        {"context": "Patient/unknown"},
        {"intent": "<script>"},
    ],
    ids=str,
)
def test_what_the_user_may_not_open_is_not_launched(
    doctor: FlaskClient,
    app: App,
    client: Client,
    mary: dict[str, Any],
    changes: dict[str, str],
) -> None:
    tom = client.create(given.patient("Tom", **signing_in.registered(client)))
    client.update({**given.encounter(tom), "id": "of-tom"})
    client.update({**given.patient("Ann"), "id": "stranger"})
    page = doctor.get(f"/auth/launch?patient={mary['id']}")
    sent = {**oauth_flow.hidden(page), "client": app.id, **changes}

    shown = doctor.get("/auth/launch", query_string={"patient": mary["id"], **changes})
    answer = doctor.post("/auth/launch", data=sent)

    assert shown.status_code == answer.status_code == 400
    assert answer.location is None


def test_a_patient_starts_apps_for_own_record_only(
    people: Callable[..., FlaskClient], app: App, client: Client, mary: dict[str, Any]
) -> None:
    tom = client.create(given.patient("Tom"))
    browser = people("patient", patients=[mary["id"]], fhir_user=f"Patient/{mary['id']}")

    assert start(browser, app, mary["id"])["iss"] == BASE
    assert browser.get(f"/auth/launch?patient={tom['id']}").status_code == 400


def test_t01_only_registered_apps_are_started(
    record: "Record", doctor: FlaskClient, app: App, mary: dict[str, Any]
) -> None:
    oauth_flow.register(record, "Without a start")
    page = doctor.get(f"/auth/launch?patient={mary['id']}")
    sent = {**oauth_flow.hidden(page), "launch_uri": "https://evil.example.org"}

    unknown = doctor.post("/auth/launch", data={**sent, "client": "https://evil.example.org"})

    assert "Start Growth Charts" in page.text
    assert "Without a start" not in page.text
    assert unknown.status_code == 400
    assert unknown.location is None


def test_t06_a_launch_form_of_another_site_starts_nothing(
    doctor: FlaskClient, app: App, mary: dict[str, Any]
) -> None:
    answer = doctor.post("/auth/launch", data={"client": app.id, "patient": mary["id"]})

    assert answer.status_code == 403


def test_without_a_patient_one_is_chosen_first(doctor: FlaskClient, mary: dict[str, Any]) -> None:
    page = doctor.get("/auth/launch")

    found = doctor.post(
        "/auth/launch", data={**oauth_flow.hidden(page), "search": "Murray 1950-03-02"}
    )
    sent = {**oauth_flow.hidden(found), "patient": mary["id"], "choose": "1"}
    chosen = doctor.post("/auth/launch", data=sent)

    assert heading(page) == "For whom do you want to start an app?"
    assert "Mary Murray" in found.text
    assert heading(chosen) == "Start an app"


def test_the_style_never_changes_at_its_address(doctor: FlaskClient) -> None:
    answer = doctor.get("/auth/style/v1.json", headers={"Origin": "https://app.example.org"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.get_json()["color_highlight"] == "#0a5566"
