"""Apps with access: what a person sees of them, and that cutting one off counts at once.

SMART App Launch 2.2 (management endpoint); Inferno (g)(10) 9.3: revocation.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient

from auth.apps import clients
from auth.apps.clients import Client as App
from ehr.app import create_app
from tests import given, oauth_flow, signing_in
from tests.client import Client
from tests.oauth_flow import Flow, begin, heading, told

if TYPE_CHECKING:
    from ehr.record import Record

SCOPE = "openid launch/patient offline_access patient/Patient.rs patient/Observation.rs"


@pytest.fixture
def mary(client: Client) -> str:
    """Give the id of a patient of the record."""
    id: str = client.create(given.patient())["id"]
    return id


@pytest.fixture
def people(record: "Record") -> Callable[..., FlaskClient]:
    """Give what makes a browser in which a patient is signed in."""
    flask_app = create_app(record)

    def make(patient: str, login: str = "mary@example.org") -> FlaskClient:
        browser = flask_app.test_client()
        known = signing_in.make_user(
            record, "patient", login=login, fhir_user=f"Patient/{patient}", patients=[patient]
        )
        signing_in.signed_in(record, browser, known)
        return browser

    return make


@pytest.fixture
def as_mary(people: Callable[..., FlaskClient], mary: str) -> FlaskClient:
    """Give a browser in which the patient is signed in."""
    return people(mary)


def allow(browser: FlaskClient, app: App) -> dict[str, str]:
    """Allow an app what it asks for, and return its tokens."""
    flow = begin(app, SCOPE)
    back = told(flow.decide(browser, flow.open(browser), "allow"))
    return exchange(browser, app, flow, back["code"])


def exchange(browser: FlaskClient, app: App, flow: Flow, code: str) -> dict[str, str]:
    """Change a code for tokens."""
    answer = browser.post(
        "/auth/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect,
            "client_id": app.id,
            "code_verifier": flow.verifier,
        },
    )
    assert answer.status_code == 200, answer.text
    tokens: dict[str, str] = answer.get_json()
    return tokens


def refresh(browser: FlaskClient, app: App, tokens: dict[str, str]) -> int:
    """Ask for fresh tokens; return the status."""
    sent = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return browser.post("/auth/token", data={**sent, "client_id": app.id}).status_code


def read(browser: FlaskClient, tokens: dict[str, str], patient: str) -> int:
    """Read the patient with a token; return the status."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return browser.get(f"/fhir/Patient/{patient}", headers=headers).status_code


def cut_off(browser: FlaskClient, which: str = "") -> str:
    """Cut off the first app of the page, or what is named; return the page after that."""
    page = browser.get("/auth/apps")
    fields = oauth_flow.hidden(page)
    if which:
        fields["grant"] = which
    else:
        fields["grant"] = page.text.partition('name="grant" value="')[2].partition('"')[0]
    return oauth_flow.follow(browser, browser.post("/auth/apps", data=fields)).text


def test_a_person_sees_who_has_access(record: "Record", as_mary: FlaskClient) -> None:
    assert "No app has access" in as_mary.get("/auth/apps").text
    allow(as_mary, oauth_flow.register(record))

    page = as_mary.get("/auth/apps")

    assert heading(page) == "Apps with access"
    for text in ("Growth Charts", "Mary Murray", "Since", "Last used", "Until you stop it"):
        assert text in page.text
    assert "See test results, measurements and observations" in page.text


def test_an_app_that_is_cut_off_gets_nothing_more(
    record: "Record", as_mary: FlaskClient, mary: str
) -> None:
    """Inferno (g)(10) 9.3: the next read is 401 and the next refresh 400."""
    app, other = oauth_flow.register(record), oauth_flow.register(record, "Other")
    kept = allow(as_mary, other)
    tokens = allow(as_mary, app)
    assert read(as_mary, tokens, mary) == 200

    page = cut_off(as_mary)

    assert "The app is cut off" in page
    assert read(as_mary, tokens, mary) == 401
    assert refresh(as_mary, app, tokens) == 400
    assert read(as_mary, kept, mary) == 200
    assert refresh(as_mary, other, kept) == 200


def test_all_apps_are_cut_off_together(record: "Record", as_mary: FlaskClient, mary: str) -> None:
    apps = [oauth_flow.register(record, name) for name in ("One", "Two")]
    held = [allow(as_mary, app) for app in apps]

    page = cut_off(as_mary, "all")

    assert "No app has access" in page
    assert [read(as_mary, tokens, mary) for tokens in held] == [401, 401]
    assert [refresh(as_mary, *each) for each in zip(apps, held, strict=True)] == [400, 400]


def test_an_app_that_was_cut_off_is_asked_anew(record: "Record", as_mary: FlaskClient) -> None:
    app = oauth_flow.register(record)
    scope = "openid launch/patient patient/Patient.rs"
    flow = begin(app, scope)
    flow.decide(as_mary, flow.open(as_mary), "allow")
    assert "code" in told(begin(app, scope).open(as_mary))

    cut_off(as_mary, "all")

    assert heading(begin(app, scope).open(as_mary)).startswith("Allow Growth Charts")


def test_what_is_not_asked_again_is_told_and_taken_back(
    record: "Record", as_mary: FlaskClient, people: Callable[..., FlaskClient], mary: str
) -> None:
    app = oauth_flow.register(record)
    scope = "openid launch/patient patient/Patient.rs"
    flow = begin(app, scope)
    flow.decide(as_mary, flow.open(as_mary), "allow")
    assert "will not ask you again" not in as_mary.get("/auth/apps").text  # it has access
    oauth_flow.end_grants(record)
    page = as_mary.get("/auth/apps").text
    other = people(mary, "other@example.org")

    forget(other, app)
    assert "code" in told(begin(app, scope).open(as_mary))
    oauth_flow.end_grants(record)
    forget(as_mary, app)

    assert "Growth Charts, allowed on" in page
    assert "will not ask you again" not in as_mary.get("/auth/apps").text
    assert heading(begin(app, scope).open(as_mary)).startswith("Allow Growth Charts")


@pytest.mark.parametrize(
    "change", [{"name": "Other"}, {"redirect_uris": [oauth_flow.REDIRECT, "https://b.example/x"]}]
)
def test_a_changed_app_is_asked_about_anew(
    record: "Record", as_mary: FlaskClient, change: dict[str, Any]
) -> None:
    app = oauth_flow.register(record)
    scope = "openid launch/patient patient/Patient.rs"
    flow = begin(app, scope)
    flow.decide(as_mary, flow.open(as_mary), "allow")

    record.database.write(lambda connection: clients.change(connection, app.id, now=1, **change))

    assert heading(begin(app, scope).open(as_mary)).startswith("Allow")


def forget(browser: FlaskClient, app: App) -> None:
    csrf = signing_in.csrf_in(browser.get("/auth/apps"))
    browser.post("/auth/apps", data={"csrf": csrf, "forget": app.id})


def test_nobody_cuts_off_what_another_allowed(
    record: "Record", as_mary: FlaskClient, people: Callable[..., FlaskClient], mary: str
) -> None:
    tokens = allow(as_mary, oauth_flow.register(record))
    theirs = as_mary.get("/auth/apps").text.partition('name="grant" value="')[2].partition('"')[0]
    other = people(mary, "other@example.org")
    allow(other, oauth_flow.register(record, "Other"))

    cut_off(other, theirs)
    assert read(as_mary, tokens, mary) == 200

    cut_off(other, "all")
    assert read(as_mary, tokens, mary) == 200


def test_t06_a_form_of_another_site_cuts_off_nothing(
    record: "Record", as_mary: FlaskClient, mary: str
) -> None:
    tokens = allow(as_mary, oauth_flow.register(record))

    answer = as_mary.post("/auth/apps", data={"grant": "all"})

    assert answer.status_code == 403
    assert read(as_mary, tokens, mary) == 200


def test_who_is_not_signed_in_signs_in_first(record: "Record") -> None:
    browser = create_app(record).test_client()

    assert heading(oauth_flow.follow(browser, browser.get("/auth/apps"))) == "Sign in"
