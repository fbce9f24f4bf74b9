"""Whose record an app opens: who is found, who is offered, and who is neither (T11, T28).

SMART App Launch 2.2, *launch/patient*.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from auth.models import access_grant
from ehr.app import create_app
from tests import given, oauth_flow, signing_in
from tests.client import Client
from tests.oauth_flow import begin, heading, told

if TYPE_CHECKING:
    from ehr.record import Record

PERSON = "openid fhirUser launch/patient patient/Patient.rs"


@pytest.fixture
def mary(client: Client) -> dict[str, Any]:
    """Give a patient of the practice where staff work."""
    return client.create(given.patient("Mary", "Murray", **signing_in.registered(client)))


@pytest.fixture
def people(record: "Record", client: Client) -> Callable[..., FlaskClient]:
    """Give what makes a browser in which somebody of a kind is signed in."""
    app = create_app(record)

    def make(kind: str, *patients: str, **more: Any) -> FlaskClient:
        browser = app.test_client()
        known = signing_in.make_user(record, kind, patients=patients, **more)
        signing_in.signed_in(record, browser, known)
        return browser

    return make


def held(record: "Record") -> str:
    """Return the context of the only grant."""
    with record.database.read() as connection:
        return str(connection.execute(select(access_grant)).one().context)


def test_a_professional_finds_the_patient(
    record: "Record", people: Callable[..., FlaskClient], client: Client
) -> None:
    made = client.create(
        given.patient(
            identifier=[{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765919"}],
            **signing_in.registered(client),
        )
    )
    browser = people("professional")
    flow = begin(oauth_flow.register(record), PERSON)
    page = flow.open(browser)
    assert heading(page) == "Whose record should Growth Charts open?"

    found = browser.post(
        "/auth/patient", data={**oauth_flow.hidden(page), "search": "943 476 5919"}
    )
    assert "Mary Murray" in found.text
    assert "Number 943 476 5919" in found.text
    sent = {**oauth_flow.hidden(found), "patient": made["id"], "choose": "1"}
    consent = oauth_flow.follow(browser, browser.post("/auth/patient", data=sent))

    assert heading(consent) == "Allow Growth Charts to use the record of Mary Murray?"
    assert "code" in told(flow.decide(browser, consent, "allow"))
    assert f'"patient": "{made["id"]}"' in held(record)


@pytest.mark.parametrize(
    ("text", "said"),
    [("Nobody 1901-01-01", "Nobody was found"), (" ", "Write a number"), ("Murray", "Nobody was")],
)
def test_what_is_not_found_is_said(
    record: "Record",
    people: Callable[..., FlaskClient],
    mary: dict[str, Any],
    text: str,
    said: str,
) -> None:
    """Names alone find nobody: no list of people can be read off (T28)."""
    browser = people("professional")
    page = begin(oauth_flow.register(record), PERSON).open(browser)

    found = browser.post("/auth/patient", data={**oauth_flow.hidden(page), "search": text})

    assert said in found.text
    assert mary["id"] not in found.text


def test_a_professional_finds_nobody_whom_they_have_nothing_to_do_with(
    record: "Record", people: Callable[..., FlaskClient], client: Client
) -> None:
    number = {"system": given.NHS_NUMBER, "value": "9434765919"}
    made = client.create(given.patient(identifier=[number]))
    browser = people("professional")
    page = begin(oauth_flow.register(record), PERSON).open(browser)
    fields = oauth_flow.hidden(page)

    found = browser.post("/auth/patient", data={**fields, "search": "943 476 5919"})
    chosen = browser.post("/auth/patient", data={**fields, "patient": made["id"], "choose": "1"})

    assert "Nobody was found whose record you can open" in found.text
    assert "Murray</" not in found.text + chosen.text
    assert (chosen.status_code, chosen.location) == (200, None)


def test_somebody_of_two_records_chooses_one(
    record: "Record", people: Callable[..., FlaskClient], client: Client, mary: dict[str, Any]
) -> None:
    tom = client.create(given.patient("Tom", "Murray"))
    browser = people("patient", mary["id"], tom["id"], fhir_user=f"Patient/{mary['id']}")
    flow = begin(oauth_flow.register(record), PERSON)

    page = flow.open(browser)
    unchosen = browser.post("/auth/patient", data={**oauth_flow.hidden(page), "choose": "1"})
    sent = {**oauth_flow.hidden(page), "patient": tom["id"], "choose": "1"}
    consent = oauth_flow.follow(browser, browser.post("/auth/patient", data=sent))

    assert "Mary Murray" in page.text
    assert "Tom Murray" in page.text
    assert unchosen.status_code == 422
    assert heading(consent) == "Allow Growth Charts to use the record of Tom Murray?"


def test_a_carer_is_offered_nobody_for_whom_they_may_not_act(
    record: "Record", people: Callable[..., FlaskClient], client: Client, mary: dict[str, Any]
) -> None:
    """The account names two; one of them let the carer act."""
    tom = client.create(given.patient("Tom", "Murray"))
    browser = people("carer", mary["id"], tom["id"])
    flow = begin(oauth_flow.register(record), PERSON)

    page = flow.open(browser)
    refused = chosen(browser, page, tom["id"])
    consent = chosen(browser, page, mary["id"])

    assert "Mary Murray" in page.text
    assert "Tom Murray" not in page.text + refused.text
    assert heading(consent) == "Allow Growth Charts to use the record of Mary Murray?"


def test_what_was_allowed_for_one_person_is_asked_for_another(
    record: "Record", people: Callable[..., FlaskClient], client: Client, mary: dict[str, Any]
) -> None:
    tom = client.create(given.patient("Tom", "Murray"))
    browser = people("patient", mary["id"], tom["id"], fhir_user=f"Patient/{mary['id']}")
    app = oauth_flow.register(record)
    flow = begin(app, PERSON)
    flow.decide(browser, chosen(browser, flow.open(browser), mary["id"]), "allow")

    page = chosen(browser, begin(app, PERSON).open(browser), tom["id"])

    assert heading(page) == "Allow Growth Charts to use the record of Tom Murray?"


def chosen(browser: FlaskClient, page: TestResponse, patient: str) -> TestResponse:
    sent = {**oauth_flow.hidden(page), "patient": patient, "choose": "1"}
    return oauth_flow.follow(browser, browser.post("/auth/patient", data=sent))


def test_t11_a_patient_written_by_hand_is_not_opened(
    record: "Record", people: Callable[..., FlaskClient], client: Client, mary: dict[str, Any]
) -> None:
    """T11: at the picker, in the address of the consent page, and in its form."""
    other = client.create(given.patient("Tom", "Murray"))
    browser = people("patient", mary["id"], fhir_user=f"Patient/{mary['id']}")
    carer = people("carer", mary["id"], other["id"])
    app = oauth_flow.register(record)
    flow = begin(app, PERSON)

    page = flow.open(browser)
    handle = oauth_flow.hidden(page)["request"]
    forced = browser.get(f"/auth/consent?request={handle}&patient={other['id']}")
    posted = flow.decide(browser, page, "allow", patient=other["id"])
    theirs = begin(app, PERSON).open(carer)
    named = carer.get(
        f"/auth/consent?request={oauth_flow.hidden(theirs)['request']}&patient={mary['id']}"
    )
    picked = carer.post(
        "/auth/patient", data={**oauth_flow.hidden(theirs), "patient": "unknown", "choose": "1"}
    )

    assert "Tom" not in forced.text
    assert "Tom" not in posted.text
    assert (posted.status_code, posted.location) == (422, None)
    assert named.location == f"/auth/patient?request={oauth_flow.hidden(theirs)['request']}"
    assert picked.status_code == 422
    with record.database.read() as connection:
        assert connection.execute(select(access_grant)).all() == []


def test_who_may_open_nobody_is_told_by_the_app(
    record: "Record", people: Callable[..., FlaskClient]
) -> None:
    back = told(begin(oauth_flow.register(record), PERSON).open(people("patient")))

    assert back["error"] == "access_denied"


def test_leaving_the_picker_is_a_refusal(
    record: "Record", people: Callable[..., FlaskClient]
) -> None:
    browser = people("professional")
    page = begin(oauth_flow.register(record), PERSON).open(browser)

    sent = {**oauth_flow.hidden(page), "decision": "refuse"}
    back = told(browser.post("/auth/consent", data=sent))

    assert back["error"] == "access_denied"
