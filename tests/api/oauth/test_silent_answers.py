"""What must not answer a request: a link, another request's address, a question about a page."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from tests import given, oauth_flow, signing_in
from tests.oauth_flow import begin, heading, told

if TYPE_CHECKING:
    from ehr.record import Record
    from tests.client import Client

CHART = "launch/patient patient/*.rs openid"


@pytest.fixture
def signed_in(record: "Record", web: FlaskClient) -> FlaskClient:
    """Give a browser with a professional signed in."""
    signing_in.signed_in(record, web, signing_in.make_user(record))
    return web


def test_t11_no_link_chooses_a_patient_for_what_was_allowed(
    record: "Record", client: "Client", signed_in: FlaskClient
) -> None:
    """T11: the app names another patient in a link; the person is asked for whom."""
    one, other = (client.create(given.patient(name))["id"] for name in ("Mary", "John"))
    app = oauth_flow.register(record)
    first = begin(app, CHART)
    fields = oauth_flow.hidden(first.open(signed_in))
    chosen = signed_in.post("/auth/patient", data={**fields, "patient": one, "choose": "1"})
    first.decide(signed_in, oauth_flow.follow(signed_in, chosen), "allow")

    handle = oauth_flow.hidden(begin(app, CHART).open(signed_in))["request"]
    answer = signed_in.get(f"/auth/consent?request={handle}&patient={other}")

    assert answer.location == f"/auth/patient?request={handle}"
    assert heading(oauth_flow.follow(signed_in, answer)).startswith("Whose record")


@pytest.mark.parametrize("more", [{"prompt": "login"}, {"max_age": "0"}], ids=str)
def test_t37_a_pushed_request_is_no_page(
    record: "Record", signed_in: FlaskClient, more: dict[str, str]
) -> None:
    flow = begin(oauth_flow.register(record), "openid fhirUser", **more)
    pushed = signed_in.post("/auth/par", data=flow.parameters).json
    assert pushed is not None
    uri = pushed["request_uri"]

    assert signed_in.get("/auth/consent?" + urlencode({"request": uri})).status_code == 400


def test_only_a_form_that_was_sent_decides(record: "Record", signed_in: FlaskClient) -> None:
    flow = begin(oauth_flow.register(record), "openid fhirUser user/Observation.rs")
    page = flow.open(signed_in)
    at = f"/auth/consent?request={oauth_flow.hidden(page)['request']}"

    got = signed_in.get(at, data={"decision": "allow", "scope": oauth_flow.ticked(page)})
    signed_in.head(at)

    assert got.location is None
    assert "code" in told(flow.decide(signed_in, page, "allow"))


def test_a_question_about_a_page_answers_nothing(record: "Record", web: FlaskClient) -> None:
    flow = begin(oauth_flow.register(record), prompt="none")
    at = web.get("/auth/authorize?" + urlencode(flow.parameters)).location

    asked = web.head(at)

    assert asked.status_code == 405
    assert told(web.get(at))["error"] == "login_required"
