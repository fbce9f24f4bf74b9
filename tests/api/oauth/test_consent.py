"""The consent page: what it says, what its boxes grant, and whose record it is.

SMART App Launch 2.2; Inferno (g)(10) group 2 (limited app) and 9.15 (granular selection).
"""

import re
from collections.abc import Callable
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from auth import scopes
from auth.apps import clients, tickets
from auth.models import access_grant, browser_session
from auth.scopes import Scopes
from ehr.app import create_app
from tests import given, oauth_flow, signing_in
from tests.client import Client
from tests.oauth_flow import begin, heading, told

if TYPE_CHECKING:
    from ehr.record import Record

LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
CONDITION = "http://terminology.hl7.org/CodeSystem/condition-category"
US_CORE = "http://hl7.org/fhir/us/core/CodeSystem"
LIMITED = (
    "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Condition.rs "
    "patient/Observation.rs patient/AllergyIntolerance.cruds"
)
NORTHSIDE = {"resourceType": "Organization", "name": "Northside Practice"}
PERSON = "openid fhirUser launch/patient patient/Patient.rs"


@pytest.fixture
def mary(client: Client) -> dict[str, Any]:
    """Give a patient of the record."""
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


@pytest.fixture
def as_mary(people: Callable[..., FlaskClient], mary: dict[str, Any]) -> FlaskClient:
    """Give a browser in which the patient is signed in."""
    return people("patient", mary["id"], fhir_user=f"Patient/{mary['id']}")


def held(record: "Record") -> tuple[Scopes, str]:
    """Return scope and context of the only grant."""
    with record.database.read() as connection:
        row = connection.execute(select(access_grant)).one()
    return scopes.parse(row.scope), row.context


def fact(page: TestResponse, name: str) -> str | None:
    """Return what a page says of an app under a name."""
    found = re.search(f"<dt>{name}</dt><dd>(.*?)</dd>", page.text)
    return None if found is None else unescape(found[1])


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def test_who_has_one_record_is_not_asked_for_whom(
    record: "Record", as_mary: FlaskClient, mary: dict[str, Any]
) -> None:
    flow = begin(oauth_flow.register(record), LIMITED)

    page = flow.open(as_mary)
    back = told(flow.decide(as_mary, page, "allow"))

    granted, context = held(record)
    assert heading(page) == "Allow Growth Charts to use your record?"
    assert "code" in back
    assert str(granted) == LIMITED
    assert f'"patient": "{mary["id"]}"' in context


def test_each_scope_is_a_sentence_and_time_is_told(record: "Record", as_mary: FlaskClient) -> None:
    page = begin(oauth_flow.register(record), LIMITED).open(as_mary).text

    assert "See name, birth date, address and contact details" in page
    assert "See allergies and bad reactions" in page
    assert "Add, change and delete allergies and bad reactions" in page
    assert "For up to one hour" in page
    assert "Keep its access when you are not using it" in page
    assert "What is added to the record later is included" in page
    for code in ("patient/Condition.rs</", "AllergyIntolerance</", "rs</label>"):
        assert code not in page


def test_t07_an_app_that_nobody_checked_says_so(record: "Record", as_mary: FlaskClient) -> None:
    """T7, consent phishing: its name is what it calls itself, and text, not markup."""
    name = "NHS <b>Official</b>"
    known = begin(oauth_flow.register(record, "Known"), LIMITED).open(as_mary).text
    app = oauth_flow.register(record, name, verified=False, about={"client_uri": "https://x.org"})

    page = begin(app, LIMITED).open(as_mary).text

    assert "This app has not been checked" in page
    assert "<b>Official" not in page
    assert "https://x.org" in page
    assert "app.example.org" in page  # where the answer goes
    assert "This app has not been checked" not in known


def test_who_registered_an_app_is_told(
    record: "Record", as_mary: FlaskClient, client: Client
) -> None:
    made = {"organisation": client.create(NORTHSIDE)["id"]}

    by_operator = begin(oauth_flow.register(record, "A", **made), LIMITED).open(as_mary)
    by_name = begin(oauth_flow.register(record, "B", publisher="Maker Ltd"), LIMITED).open(as_mary)
    by_nobody = begin(oauth_flow.register(record, "C"), LIMITED).open(as_mary)

    assert fact(by_operator, "Registered by") == "Northside Practice"
    assert fact(by_name, "Registered by") == "Maker Ltd"
    assert fact(by_nobody, "Registered by") is None


@pytest.mark.parametrize("is_there", [True, False])
def test_an_app_that_registered_itself_says_whose_ticket_that_was(
    record: "Record", as_mary: FlaskClient, client: Client, is_there: bool
) -> None:
    """What a client says of its maker does not count, and a change by it does not hide it."""
    place = client.create(NORTHSIDE)["id"] if is_there else "nowhere"
    now = record.clock()
    ticket = record.database.write(
        lambda connection: tickets.create(
            connection, name="Maker Ltd", organisation=place, uses=1, now=now, expires=now + 60_000
        )
    )
    said = {
        "client_name": "Growth Charts",
        "redirect_uris": [oauth_flow.REDIRECT],
        "token_endpoint_auth_method": "none",
        "scope": LIMITED,
        "publisher": "The NHS",
        "organisation": "The NHS",
    }
    web = create_app(record).test_client()
    told = web.post("/auth/register", json=said, headers=bearer(ticket)).json
    assert told is not None, ticket
    path = f"/auth/register/{told['client_id']}"
    changed = web.put(path, json=said, headers=bearer(told["registration_access_token"]))
    assert changed.status_code == 200
    with record.database.read() as connection:
        app = clients.find(connection, told["client_id"])
    assert app is not None

    page = begin(app, LIMITED).open(as_mary)

    assert fact(page, "Registered by") == ("Northside Practice" if is_there else "Maker Ltd")
    assert "The NHS" not in page.text


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("user/*.rs", ["will be added in the future", "everyone whose record you can open"]),
        ("user/Observation.rs", ["everyone whose record you can open"]),
    ],
)
def test_t07_what_reaches_far_is_warned_of(
    record: "Record", people: Callable[..., FlaskClient], scope: str, said: list[str]
) -> None:
    browser = people("professional")

    page = begin(oauth_flow.register(record), f"openid {scope}").open(browser).text

    assert "Warning: " in page
    assert all(text in page for text in said)


@pytest.mark.parametrize("named", ["user/*.rs", "user/Observation.rs user/Patient.cruds"])
def test_t07_an_app_that_nobody_checked_never_gets_anything_of_everybody(
    record: "Record", people: Callable[..., FlaskClient], named: str
) -> None:
    """An operator allows that by verifying it, and no user does, whatever types it names."""
    browser = people("professional")
    app = oauth_flow.register(record, verified=False)
    flow = begin(app, f"openid {named}")

    page = flow.open(browser)
    flow.decide(browser, page, "allow", *named.split())
    alone = begin(app, named).open(browser)

    assert "everything" not in page.text
    assert str(held(record)[0]) == "openid"
    assert told(alone)["error"] == "invalid_scope"


@pytest.mark.parametrize("scope", ["patient/Goal.rs", "patient/*.rs", "user/Goal.rs"])
def test_t07_only_everything_is_warned_of_in_the_own_record(
    record: "Record", as_mary: FlaskClient, scope: str
) -> None:
    page = begin(oauth_flow.register(record), f"openid {scope}").open(as_mary).text

    assert ("will be added in the future" in page) == ("*" in scope)
    assert "everyone whose record" not in page


def test_boxes_that_are_not_ticked_are_not_granted(record: "Record", as_mary: FlaskClient) -> None:
    """Inferno (g)(10) group 2: the user takes types away."""
    flow = begin(oauth_flow.register(record), LIMITED)

    flow.decide(as_mary, flow.open(as_mary), "allow", "patient/Patient.rs", "patient/Condition.rs")

    granted, _ = held(record)
    assert str(granted) == (
        "launch/patient openid fhirUser patient/Patient.rs patient/Condition.rs"
    )


def test_categories_in_place_of_a_type_leave_no_scope_of_the_type(
    record: "Record", as_mary: FlaskClient
) -> None:
    """Inferno (g)(10) 9.15: no resource-level Condition or Observation scope is left."""
    flow = begin(oauth_flow.register(record), LIMITED)
    page = flow.open(as_mary)
    chosen = {
        f"patient/Condition.rs?category={CONDITION}|problem-list-item",
        f"patient/Observation.rs?category={LABORATORY}",
        "patient/Patient.rs",
    }
    assert all(f'value="{value}"' in page.text for value in chosen)

    flow.decide(as_mary, page, "allow", *chosen)

    granted, _ = held(record)
    assert {str(one) for one in granted.resources} == chosen


def test_categories_count_where_the_whole_type_is_left_ticked(
    record: "Record", as_mary: FlaskClient
) -> None:
    flow = begin(oauth_flow.register(record), LIMITED)
    page = flow.open(as_mary)
    laboratory = f"patient/Observation.rs?category={LABORATORY}"

    flow.decide(as_mary, page, "allow", *oauth_flow.ticked(page), laboratory)

    granted, _ = held(record)
    assert "even if “See test results, measurements and observations” above" in page.text
    assert [str(one) for one in granted.resources if one.type == "Observation"] == [laboratory]


@pytest.mark.parametrize(
    "category",
    ["problem-list-item", "encounter-diagnosis", "health-concern", "laboratory", "vital-signs",
     "social-history", "survey", "sdoh"],
)  # fmt: skip
def test_every_category_of_us_core_is_offered(
    record: "Record", as_mary: FlaskClient, category: str
) -> None:
    page = begin(oauth_flow.register(record), LIMITED).open(as_mary).text

    assert f'|{category}"' in page


@pytest.mark.parametrize(
    ("type", "category"),
    [
        ("DiagnosticReport", "http://terminology.hl7.org/CodeSystem/v2-0074|LAB"),
        ("DiagnosticReport", "http://loinc.org|LP29684-5"),
        ("DiagnosticReport", "http://loinc.org|LP29708-2"),
        ("DiagnosticReport", "http://loinc.org|LP7839-6"),
        ("DocumentReference", f"{US_CORE}/us-core-documentreference-category|clinical-note"),
        ("ServiceRequest", f"{US_CORE}/us-core-category|sdoh"),
        ("ServiceRequest", f"{US_CORE}/us-core-category|functional-status"),
    ],
)
def test_a_category_of_us_core_in_place_of_a_type_is_granted(
    record: "Record", as_mary: FlaskClient, type: str, category: str
) -> None:
    flow = begin(oauth_flow.register(record), f"launch/patient patient/{type}.rs")
    page = flow.open(as_mary)
    chosen = f"patient/{type}.rs?category={category}"
    assert f'value="{chosen}"' in page.text

    flow.decide(as_mary, page, "allow", chosen)

    assert [str(one) for one in held(record)[0].resources] == [chosen]


@pytest.mark.parametrize(
    "forged", ["patient/*.cruds", "user/Patient.rs", "system/*.rs", "patient/Goal.rs"]
)
def test_t08_a_box_made_by_hand_grants_nothing(
    record: "Record", as_mary: FlaskClient, forged: str
) -> None:
    flow = begin(oauth_flow.register(record), LIMITED)
    page = flow.open(as_mary)

    flow.decide(as_mary, page, "allow", "patient/Patient.rs", forged)

    granted, _ = held(record)
    assert [str(one) for one in granted.resources] == ["patient/Patient.rs"]


def test_nothing_ticked_is_asked_again(record: "Record", as_mary: FlaskClient) -> None:
    flow = begin(oauth_flow.register(record), LIMITED)

    again = flow.decide(as_mary, flow.open(as_mary), "allow", "offline_access")

    assert again.status_code == 422
    assert "<title>Error: " in again.text
    assert oauth_flow.ticked(again) == ["offline_access"]
    assert told(flow.decide(as_mary, again, "refuse"))["error"] == "access_denied"


def test_who_refuses_grants_nothing(record: "Record", as_mary: FlaskClient) -> None:
    flow = begin(oauth_flow.register(record), LIMITED)

    back = told(flow.decide(as_mary, flow.open(as_mary), "refuse"))

    assert back["error"] == "access_denied"
    assert back["state"] == flow.parameters["state"]
    with record.database.read() as connection:
        assert connection.execute(select(access_grant)).all() == []


@pytest.mark.parametrize("forged", [{"csrf": "0" * 64}, {"csrf": ""}], ids=["wrong", "none"])
def test_t06_a_form_that_is_not_ours_decides_nothing(
    record: "Record", as_mary: FlaskClient, forged: dict[str, str]
) -> None:
    """T6, consent CSRF."""
    flow = begin(oauth_flow.register(record), LIMITED)
    page = flow.open(as_mary)

    answer = flow.decide(as_mary, page, "allow", **forged)

    assert answer.status_code == 403
    assert answer.location is None
    with record.database.read() as connection:
        assert connection.execute(select(access_grant)).all() == []


def test_t06_the_form_of_one_person_is_no_good_for_another(
    record: "Record", as_mary: FlaskClient, people: Callable[..., FlaskClient]
) -> None:
    app = oauth_flow.register(record)
    doctor = people("professional")
    page = begin(app, "openid user/Goal.rs").open(as_mary)
    flow = begin(app, "openid user/Goal.rs")
    theirs = oauth_flow.hidden(flow.open(doctor))["request"]

    answer = flow.decide(doctor, page, "allow", request=theirs)

    assert answer.status_code == 403


def test_t06_lasting_access_is_given_by_who_has_just_signed_in(
    record: "Record", as_mary: FlaskClient
) -> None:
    """An unattended browser is not enough for access that goes on for months."""
    earlier = update(browser_session).values(authenticated=record.clock() - 20 * 60_000)
    record.database.write(lambda connection: connection.execute(earlier))

    lasting = begin(oauth_flow.register(record), LIMITED).open(as_mary)
    passing = begin(oauth_flow.register(record, "B"), PERSON).open(as_mary)

    assert heading(lasting) == "Sign in"
    assert heading(passing).startswith("Allow B")


VISIT = "openid launch/encounter patient/Encounter.rs"


def test_the_visit_of_an_app_is_chosen(
    record: "Record", as_mary: FlaskClient, client: Client, mary: dict[str, Any]
) -> None:
    """SMART *context-standalone-encounter*."""
    visit = client.create(given.encounter(mary, type=[{"text": "Asthma review"}]))
    flow = begin(oauth_flow.register(record), VISIT)

    page = flow.open(as_mary)
    unchosen = as_mary.post("/auth/visit", data=oauth_flow.hidden(page))
    sent = {**oauth_flow.hidden(unchosen), "visit": visit["id"]}
    consent = oauth_flow.follow(as_mary, as_mary.post("/auth/visit", data=sent))
    flow.decide(as_mary, consent, "allow")

    assert heading(page) == "Which visit is Growth Charts for?"
    assert "Asthma review" in page.text
    assert "1 May 2024" in page.text
    assert unchosen.status_code == 422
    assert f'"encounter": "{visit["id"]}"' in held(record)[1]


def test_no_visit_need_be_chosen(
    record: "Record", as_mary: FlaskClient, client: Client, mary: dict[str, Any]
) -> None:
    app = oauth_flow.register(record)
    without = begin(app, VISIT).open(as_mary)
    client.create(given.encounter(mary))
    flow = begin(app, VISIT)

    page = flow.open(as_mary)
    sent = {**oauth_flow.hidden(page), "visit": "none"}
    consent = oauth_flow.follow(as_mary, as_mary.post("/auth/visit", data=sent))
    flow.decide(as_mary, consent, "allow")

    assert heading(without).startswith("Allow Growth Charts")
    assert "encounter" not in held(record)[1]


def test_t11_a_visit_of_somebody_else_is_not_opened(
    record: "Record", as_mary: FlaskClient, client: Client, mary: dict[str, Any]
) -> None:
    client.create(given.encounter(mary))
    other = client.create(given.encounter(client.create(given.patient("Tom"))))
    flow = begin(oauth_flow.register(record), VISIT)

    page = flow.open(as_mary)
    forged = {**oauth_flow.hidden(page), "visit": other["id"]}
    posted = as_mary.post("/auth/visit", data=forged)
    decided = flow.decide(as_mary, page, "allow", visit=other["id"])

    assert posted.status_code == 422
    assert decided.location is None
    with record.database.read() as connection:
        assert connection.execute(select(access_grant)).all() == []
