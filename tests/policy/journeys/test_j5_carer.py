"""J5: Mary lets Ben act for her, in parts of her record and until she ends it.

The banner is the page's; `sign_in` tests show the choice of a person.
"""

from typing import TYPE_CHECKING, Any

import pytest

from ehr.audit.kinds import Kind
from tests import audited, given
from tests.client import Client, expect
from tests.policy.conftest import ROLE
from tests.policy.house import found
from tests.policy.journeys.people import MARY, Cast, age
from tests.policy.naive.vocabulary import (
    CONSENT_KIND,
    CONSENT_SCOPE,
    PARTICIPATION,
    PROXY_ACTION,
    PROXY_AREA,
    PROXY_BASIS,
)

if TYPE_CHECKING:
    from ehr.record import Record

BEN = "RelatedPerson/ben"
AREAS = ("demographics", "plan")


def proxy(*areas: str, actions: tuple[str, ...] = ("read",), **more: Any) -> dict[str, Any]:
    """Let Ben act in parts of Mary's record."""
    provision = {
        "type": "permit",
        "actor": [{"role": given.concept("DELEGATEE", ROLE), "reference": given.reference(BEN)}],
        "code": [given.concept(area, PROXY_AREA) for area in areas],
        "action": [given.concept(action, PROXY_ACTION) for action in actions],
    }
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": given.concept("patient-privacy", CONSENT_SCOPE),
        "category": [given.concept("proxy", CONSENT_KIND)],
        "patient": given.reference(MARY),
        "dateTime": "2024-01-01",
        "policyRule": {"text": "proxy"},
        "performer": [given.reference(MARY)],
        "provision": provision | more,
    }


@pytest.fixture
def plan(cast: Cast) -> str:
    """Let the GP write a plan; give its path."""
    return f"CarePlan/{cast.gp.create(given.care_plan(MARY))['id']}"


def test_mary_opens_what_she_chooses(cast: Cast, plan: str) -> None:
    assert cast.ben.get(MARY).status_code == 404
    assert cast.ben.get(plan).status_code == 404

    made = cast.mary.create(proxy(*AREAS))

    assert cast.ben.read(MARY)["id"] == "mary"
    assert cast.ben.read(plan)["id"] == plan.partition("/")[2]
    assert cast.ben.get("Condition/diabetes").status_code == 404
    assert found(cast.ben, "Condition?patient=mary") == set()
    ended = cast.mary.read(f"Consent/{made['id']}") | {"status": "inactive"}
    expect(cast.mary.put(f"Consent/{made['id']}", ended, If_Match='W/"1"'), 200)
    assert cast.ben.get(plan).status_code == 404


def test_what_ben_writes_says_for_whom(cast: Cast, record: "Record") -> None:
    cast.mary.create(proxy("plan", actions=("read", "write")))
    goal = given.goal(MARY, lifecycleStatus="proposed")

    with audited.since(record) as told:
        made = cast.ben.create(goal)

    [event] = [one for one in told if one.kind == Kind.CREATE]
    assert (event.agent, event.on_behalf_of) == (BEN, MARY)
    [who] = cast.gp.read(f"Provenance?target=Goal/{made['id']}")["entry"][0]["resource"]["agent"][
        :1
    ]
    assert who["who"]["reference"] == BEN
    assert who["onBehalfOf"]["reference"] == MARY


def test_block_reading_is_not_writing(cast: Cast) -> None:
    cast.mary.create(proxy("plan"))

    assert cast.ben.post("Goal", given.goal(MARY, lifecycleStatus="proposed")).status_code == 403


def test_block_never_more_than_mary(cast: Cast) -> None:
    cast.mary.create(proxy("plan", "conditions", actions=("read", "write")))

    # No carer has a right to flags; Mary has one to those that are told to her.
    for app, flag in ((cast.mary, 404), (cast.ben, 403)):
        assert app.get("Flag/safeguarding").status_code == flag
        assert app.post("Condition", given.condition(MARY)).status_code == 403
    assert cast.ben.get("Patient/john").status_code == 404


def test_block_what_mary_kept_back(cast: Cast) -> None:
    kinds = [{"system": "http://hl7.org/fhir/resource-types", "code": "Goal"}]
    goal = cast.gp.create(given.goal(MARY))
    cast.mary.create(proxy("plan", provision=[{"type": "deny", "class": kinds}]))

    assert cast.ben.get(f"Goal/{goal['id']}").status_code == 404
    assert found(cast.ben, "Goal?patient=mary") == set()


def test_block_no_carers_no_consents_no_log(cast: Cast) -> None:
    cast.mary.create(proxy(*AREAS, actions=("read", "write")))
    other = proxy("plan") | {"performer": [given.reference(BEN)]}

    assert cast.ben.post("Consent", other).status_code == 403
    assert cast.ben.get("Consent?patient=mary").status_code == 403
    log = "AuditEvent?patient=mary"
    assert found(cast.mary, log)
    assert found(cast.ben, log) == set()


def test_the_log_is_read_by_who_is_granted_it(cast: Cast) -> None:
    log = "AuditEvent?patient=mary"
    cast.nurse.read("CareTeam/team")
    cast.nurse.read("Condition/diabetes")
    assert cast.nurse.get("Condition/none-such").status_code == 404
    made = cast.mary.create(proxy("access-log", "plan"))

    shown = [one["resource"] for one in cast.ben.read(log)["entry"]]

    read = [one for one in shown if one["subtype"][0]["code"] == "read"]
    # He is told who read what is shown to him too, and not of diagnoses or of what was refused.
    assert "CareTeam/team" in str(read)
    assert "diabetes" not in str(shown)
    assert {one["outcome"] for one in shown} == {"0"}
    # Nor of Mary's choices: a consent is no business of his, its own grant included.
    assert f"Consent/{made['id']}" not in str(shown)
    assert cast.ben.get(f"AuditEvent/{read[0]['id']}").status_code == 200
    assert found(cast.ben, "AuditEvent?patient=john") == set()
    ended = made | {"status": "inactive"}
    expect(cast.mary.put(f"Consent/{made['id']}", ended, If_Match='W/"1"'), 200)
    assert found(cast.ben, log) == set()
    assert cast.ben.get(f"AuditEvent/{read[0]['id']}").status_code == 404


def test_a_pressed_patient_ends_it_in_silence(cast: Cast, plan: str) -> None:
    """A relative who presses is kept out at once, and finds neither a word nor a trace of it."""
    made = cast.mary.create(proxy(*AREAS, "access-log", "messages"))
    nobody = cast.ben.get("Patient/nobody").text
    assert cast.ben.get(plan).status_code == 200
    role = given.concept("PRCP", PARTICIPATION)
    kept_out = {"role": role, "reference": given.reference(BEN)}
    cast.mary.create(
        proxy("plan")
        | {
            "category": [given.concept("sharing", CONSENT_KIND)],
            "provision": {"type": "deny", "actor": [kept_out]},
        }
    )

    # The grant stands, and opens nothing: the block of a person overrides it.
    assert cast.mary.read(f"Consent/{made['id']}")["status"] == "active"
    for path in (plan, MARY, "CareTeam/team"):
        assert cast.ben.get(path).status_code == 404
    assert cast.ben.get(MARY).text.replace("mary", "nobody") == nobody
    for search in ("CarePlan", "Communication", "Task", "AuditEvent", "Provenance"):
        assert found(cast.ben, f"{search}?patient=mary") == set(), search


@pytest.mark.parametrize(
    ("name", "status"),
    [("gp", 201), ("officer", 201), ("coordinator", 201), ("nurse", 403), ("receptionist", 403),
     ("consultant", 403), ("analyst", 403), ("admin", 403)],
)  # fmt: skip
def test_a_legal_basis_is_recorded_with_its_document(
    cast: Cast, plan: str, name: str, status: int
) -> None:
    recorded = proxy(*AREAS) | {
        "extension": [{"url": PROXY_BASIS, "valueCode": "lpa-health-welfare"}],
        "performer": [given.reference(BEN)],
        "sourceAttachment": {"title": "Power of attorney, registered 2 May 2024"},
    }
    without = {name: one for name, one in recorded.items() if name != "sourceAttachment"}
    unknown = recorded | {"extension": [{"url": PROXY_BASIS, "valueCode": "family"}]}

    assert cast.app(name).post("Consent", recorded).status_code == status
    assert (cast.ben.get(plan).status_code == 200) is (status == 201)
    if status == 201:
        assert cast.app(name).post("Consent", without).status_code == 422
        assert cast.app(name).post("Consent", unknown).status_code == 422


def test_block_an_expired_grant(cast: Cast, plan: str) -> None:
    cast.mary.create(proxy(*AREAS, period={"start": "2020-01-01", "end": "2021-01-01"}))

    assert cast.ben.get(plan).status_code == 404
    assert cast.ben.get(MARY).status_code == 404


@pytest.mark.parametrize(("years", "plan_is_seen"), [(9, True), (14, False), (17, False)])
def test_block_parents_see_less_of_the_growing(cast: Cast, years: int, plan_is_seen: bool) -> None:
    _make_child(cast.system, years)
    plan = cast.gp.create(given.care_plan(MARY))

    assert (cast.ben.get(f"CarePlan/{plan['id']}").status_code == 200) is plan_is_seen
    # From 13 to 16 appointments and who the child is stay open; from 16 nothing does.
    assert (cast.ben.get(MARY).status_code == 200) is (years < 16)


def _make_child(system: Client, years: int) -> None:
    """Make Mary so many years old, and Ben the parent who looks after her."""
    age(system, years)
    consent = proxy(*AREAS) | {
        "extension": [{"url": PROXY_BASIS, "valueCode": "parental-responsibility"}],
        "performer": [given.reference(BEN)],
        "policyRule": {"text": "parental responsibility"},
    }
    system.create(consent)
