"""Who is chosen for an app, and where: by a form of ours, in one browser and one session (T6, T11).

RFC 9700 §4.7; the attacks are those of an app whose server begins requests itself.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.apps.clients import Client as App
from auth.endpoints.authorize import open_authorize
from auth.models import access_grant
from ehr.app import create_app, surroundings_of
from tests import given, oauth_flow, signing_in
from tests.oauth_flow import Flow, begin, follow, heading, hidden, told
from tests.signing_in import Known

if TYPE_CHECKING:
    from ehr.record import Record
    from tests.client import Client

CHART = "launch/patient patient/*.rs openid"
VISIT = "openid launch/encounter patient/Encounter.rs"


@pytest.fixture
def app(record: "Record") -> App:
    """Give a registered app."""
    return oauth_flow.register(record)


@pytest.fixture
def doctor(record: "Record") -> Known:
    """Give a professional who can sign in."""
    return signing_in.make_user(record)


@pytest.fixture
def browser(record: "Record", web: FlaskClient, doctor: Known) -> FlaskClient:
    """Give a browser with the professional signed in."""
    signing_in.signed_in(record, web, doctor)
    return web


@pytest.fixture
def patients(client: "Client") -> list[dict[str, Any]]:
    """Give two patients."""
    practice = signing_in.registered(client)
    return [client.create(given.patient(name, "Murray", **practice)) for name in ("Mary", "John")]


def choose(browser: FlaskClient, flow: Flow, patient: dict[str, Any]) -> Any:
    """Open a request and choose a patient for it; return where that leads."""
    fields = hidden(flow.open(browser))
    sent = {**fields, "patient": patient["id"], "choose": "1"}
    return follow(browser, browser.post("/auth/patient", data=sent))


def handle_of(browser: FlaskClient, flow: Flow) -> str:
    """Begin a request in a browser and stop there; return its handle."""
    location = browser.get("/auth/authorize?" + urlencode(flow.parameters)).location
    assert location is not None
    return location.partition("request=")[2]


def test_t06_a_form_of_another_site_leaves_the_mark_of_a_browser(
    record: "Record", browser: FlaskClient, app: App
) -> None:
    """Browsers send no cookie with it (SameSite): a new mark would end what other tabs began."""
    first, second = begin(app, "openid user/Patient.rs"), begin(app, "openid user/Observation.rs")
    page = first.open(browser)
    without_cookies = create_app(record).test_client()

    posted = without_cookies.post("/auth/authorize", data=second.parameters)
    other = follow(browser, posted)

    assert "Set-Cookie" not in posted.headers
    assert posted.status_code == 303
    assert told(second.decide(browser, other, "allow"))["state"] == second.parameters["state"]
    assert told(first.decide(browser, page, "allow"))["state"] == first.parameters["state"]


def test_t06_what_a_form_of_another_site_brings_counts_once(
    record: "Record", browser: FlaskClient, app: App
) -> None:
    posted = create_app(record).test_client().post("/auth/authorize", data=begin(app).parameters)
    assert posted.location is not None

    first, second = browser.get(posted.location), browser.get(posted.location)

    assert (first.status_code, second.status_code) == (303, 400)


def grants(record: "Record") -> list[Any]:
    """Return every grant there is."""
    with record.database.read() as connection:
        return list(connection.execute(select(access_grant)))


@pytest.mark.parametrize("page", ["consent", "patient", "visit"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_t06_a_request_begun_elsewhere_does_not_open_here(
    record: "Record",
    browser: FlaskClient,
    app: App,
    patients: list[dict[str, Any]],
    method: str,
    page: str,
) -> None:
    """The app's server begins a request of its own, and has the person go on with it."""
    allowed = begin(app, CHART)
    allowed.decide(browser, choose(browser, allowed, patients[0]), "allow")
    handle = handle_of(create_app(record).test_client(), begin(app, CHART))
    sent = {"request": handle, "patient": patients[1]["id"]}

    answer = browser.open(f"/auth/{page}?" + urlencode(sent), method=method)

    assert (answer.status_code, answer.location) == (400, None)
    assert "begun in another browser" in answer.text
    assert len(grants(record)) == 1


def test_t06_a_browser_without_our_cookie_opens_nothing(
    record: "Record", browser: FlaskClient, app: App
) -> None:
    page = begin(app, "openid user/Goal.rs").open(browser)
    browser.delete_cookie("ehr-browser")

    answer = browser.post("/auth/consent", data={**hidden(page), "decision": "refuse"})

    assert (answer.status_code, answer.location) == (400, None)


def test_the_cookie_of_a_browser_is_for_us_alone_and_stays(browser: FlaskClient, app: App) -> None:
    """Requests in two tabs go on side by side."""
    first = begin(app, "openid user/Goal.rs")
    page = first.open(browser)
    begun = browser.get("/auth/authorize?" + urlencode(begin(app).parameters))
    cookie = begun.headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "code" in told(first.decide(browser, page, "allow"))


def test_t11_a_patient_is_chosen_by_a_form_and_by_no_address(
    browser: FlaskClient, app: App, patients: list[dict[str, Any]]
) -> None:
    flow = begin(app, CHART)
    page = flow.open(browser)
    at = urlencode({"request": hidden(page)["request"], "patient": patients[0]["id"]})

    for path in ("consent", "patient", "visit"):
        assert heading(follow(browser, browser.get(f"/auth/{path}?{at}"))) == heading(page)
    unsigned = {**hidden(page), "csrf": "0" * 64, "patient": patients[0]["id"], "choose": "1"}
    assert browser.post("/auth/patient", data=unsigned).status_code == 403
    assert heading(browser.get(f"/auth/patient?{at}")).startswith("Whose record")


def test_what_was_chosen_is_forgotten_when_somebody_signs_in(
    record: "Record",
    browser: FlaskClient,
    doctor: Known,
    app: App,
    patients: list[dict[str, Any]],
) -> None:
    flow = begin(app, CHART)
    page = choose(browser, flow, patients[0])
    assert "Mary Murray" in heading(page)

    signing_in.signed_in(record, browser, doctor)

    again = follow(browser, browser.get(f"/auth/consent?request={hidden(page)['request']}"))
    assert heading(again).startswith("Whose record")


def test_t11_another_choice_meanwhile_is_told_before_it_counts(
    record: "Record", browser: FlaskClient, app: App, patients: list[dict[str, Any]]
) -> None:
    """Two tabs: what is allowed is what that tab shows."""
    flow = begin(app, CHART)
    fields = hidden(flow.open(browser))
    page = choose_again(browser, fields, patients[0])
    choose_again(browser, fields, patients[1])

    answer = flow.decide(browser, page, "allow")

    assert answer.status_code == 422
    assert "John Murray" in heading(answer)
    assert grants(record) == []
    assert "code" in told(flow.decide(browser, answer, "allow"))


def choose_again(browser: FlaskClient, fields: dict[str, str], patient: dict[str, Any]) -> Any:
    """Send the form of the picker, as who went back to it does."""
    sent = {**fields, "patient": patient["id"], "choose": "1"}
    return follow(browser, browser.post("/auth/patient", data=sent))


def test_what_was_allowed_is_not_asked_again_for_whom_one_chose(
    record: "Record", browser: FlaskClient, app: App, patients: list[dict[str, Any]]
) -> None:
    first = begin(app, CHART)
    page = choose(browser, first, patients[0])
    first.decide(browser, page, "allow")

    second = begin(app, CHART)
    answer = choose(browser, second, patients[1])

    assert "code" in told(answer)
    assert sorted(patients[1]["id"] in row.context for row in grants(record)) == [False, True]


def test_a_visit_is_kept_with_the_patient(
    record: "Record", browser: FlaskClient, app: App, client: "Client", patients: list[Any]
) -> None:
    visit = client.create(given.encounter(patients[0]))
    flow = begin(app, VISIT)
    page = choose(browser, flow, patients[0])
    assert heading(page).startswith("Which visit")

    sent = {**hidden(page), "visit": visit["id"]}
    consent = follow(browser, browser.post("/auth/visit", data=sent))
    flow.decide(browser, consent, "allow")

    (row,) = grants(record)
    assert patients[0]["id"] in row.context
    assert visit["id"] in row.context


@pytest.mark.parametrize("allowed", [True, False])
def test_a_silent_request_answers_the_app_without_the_cookie(
    record: "Record", browser: FlaskClient, app: App, allowed: bool
) -> None:
    """In a frame of the app no Lax cookie arrives; no page can follow, only the redirect."""
    known = begin(app, "openid user/Goal.rs")
    if allowed:
        known.decide(browser, known.open(browser), "allow")
    handle = handle_of(browser, begin(app, "openid user/Goal.rs", prompt="none"))
    frame = create_app(record).test_client()

    back = told(frame.get(f"/auth/consent?request={handle}"))

    assert back["error"] == "login_required"


def test_t06_under_tls_no_other_host_can_set_the_cookie(record: "Record", app: App) -> None:
    """RFC 6265bis: `__Host-` is of this host alone; Secure keeps it from plain http."""
    around = replace(surroundings_of(record), root="https://record.example.org")
    web = Flask(__name__)
    routes = Blueprint("auth", __name__, url_prefix="/auth")
    open_authorize(routes, around)
    web.register_blueprint(routes)

    begun = web.test_client().get("/auth/authorize?" + urlencode(begin(app).parameters))

    cookie = begun.headers["Set-Cookie"]
    assert cookie.startswith("__Host-ehr-browser=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_t11_a_silent_request_begun_elsewhere_opens_no_patient(
    record: "Record", browser: FlaskClient, app: App, patients: list[dict[str, Any]]
) -> None:
    """It needs no cookie of the browser, and so must come to nothing that was not forced."""
    allowed = begin(app, CHART)
    allowed.decide(browser, choose(browser, allowed, patients[0]), "allow")
    silent = begin(app, CHART, prompt="none")
    handle = handle_of(create_app(record).test_client(), silent)
    sent = {"request": handle, "patient": patients[1]["id"]}

    back = told(browser.get("/auth/consent?" + urlencode(sent)))

    assert back["error"] == "interaction_required"
    assert len(grants(record)) == 1
