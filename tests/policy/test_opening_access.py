"""$claim-relationship, $delegate and $review, and that nobody writes their Tasks otherwise."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from auth.roles.known import OF_STAFF
from ehr.access.relationships import Kind
from ehr.access.relationships.known import relationships_to
from ehr.access.terms import DAY, HOUR
from ehr.operations.opening.calling import MOST_IN_AN_HOUR
from ehr.store.locator import locate
from fhir_profiles.own_names import REVIEW_OUTCOME
from tests import given
from tests.client import Client, expect, outcome
from tests.policy.naive.vocabulary import CONFIDENTIALITY
from tests.policy.staff import (
    ANN,
    OFFICER,
    REID,
    WHY,
    emergency,
    parameters,
    put_ward,
    staff,
    task_of,
    told,
)
from tests.unit.ehr.access.access_documents import access_task

if TYPE_CHECKING:
    from ehr.access.relationships import Relationship
    from ehr.record import Record

CLAIM, DELEGATE = "Patient/mary/$claim-relationship", "Patient/mary/$delegate"
SEAL = {"system": CONFIDENTIALITY, "code": "R"}
TEXT = ("String", "Asked to see her on ward 3 tonight.")


@pytest.fixture(autouse=True)
def _ward(client: Client) -> None:
    put_ward(client)


def rows(record: "Record", kind: Kind) -> list["Relationship"]:
    """Return Mary's relationships of a kind."""
    with record.database.read() as connection:
        key = locate(connection, [("Patient", "mary")])["Patient", "mary"].patient_key
        return [one for one in relationships_to(connection, key) if one.kind is kind]


def later(record: "Record", ms: int) -> tuple[str, str]:
    """Return a parameter that is an instant so far from now."""
    at = datetime.fromtimestamp((record.clock() + ms) / 1000, UTC)
    return "Instant", at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_who_claims_a_relationship_has_it_for_a_day(client: Client, record: "Record") -> None:
    answer = expect(staff(record, "nurse").post(CLAIM, parameters(text=TEXT)), 201)

    [held] = rows(record, Kind.SELF_CLAIMED)
    assert held.grantee == REID
    assert held.to - held.from_ == 24 * HOUR
    assert task_of(client, answer)["description"] == TEXT[1]
    [alert] = client.read("Communication?patient=mary")["entry"]
    assert alert["resource"]["recipient"] == [{"reference": "Organization/surgery"}]
    assert "Nurse" in alert["resource"]["payload"][0]["contentString"]


@pytest.mark.parametrize("role", sorted(OF_STAFF))
def test_only_who_cares_for_people_claims_to(record: "Record", role: str) -> None:
    may = role in {"gp", "hospital-consultant", "nurse", "urgent-care", "social-worker",
                   "care-coordinator"}  # fmt: skip
    answer = staff(record, role).post(CLAIM, parameters(text=TEXT))

    assert answer.status_code == (201 if may else 403)
    assert bool(rows(record, Kind.SELF_CLAIMED)) == may


@pytest.mark.parametrize("text", [None, ("String", "short"), ("Code", "because-I-say")])
def test_a_claim_says_why(record: "Record", text: Any) -> None:
    assert staff(record).post(CLAIM, parameters(text=text)).status_code == 422


def test_claims_and_emergencies_are_counted_together(record: "Record") -> None:
    app = staff(record)
    statuses = [
        app.post("Patient/nobody/$claim-relationship", parameters(text=TEXT)).status_code
        for _ in range(MOST_IN_AN_HOUR)
    ]

    assert statuses == [404] * MOST_IN_AN_HOUR
    assert app.post("Patient/mary/$break-glass", emergency()).status_code == 429


@pytest.fixture
def cared_for(client: Client) -> None:
    """Let Reid be in Mary's team."""
    client.create(
        {"resourceType": "CareTeam", "status": "active",
         "participant": [{"member": given.reference(REID)}],
         "subject": given.reference("Patient/mary")}
    )  # fmt: skip


def to(who: str) -> tuple[str, Any]:
    """Return a parameter that refers to somebody."""
    return "Reference", given.reference(who)


@pytest.mark.usefixtures("cared_for")
def test_a_colleague_has_what_is_delegated(client: Client, record: "Record") -> None:
    asked = parameters(to=to(ANN), until=later(record, 10 * DAY))
    answer = expect(staff(record, organisation="surgery").post(DELEGATE, asked), 201)

    [held] = rows(record, Kind.DELEGATED)
    assert held.grantee == ANN
    assert held.basis in (REID, "Organization/surgery")
    assert task_of(client, answer)["requester"] == given.reference(REID)
    assert told(answer, "until") == task_of(client, answer)["executionPeriod"]["end"]


def test_who_only_claims_or_breaks_in_delegates_nothing(record: "Record") -> None:
    """Nor does who was delegated to: Con's hospital has nothing to do with Mary."""
    app = staff(record, person="Practitioner/con", organisation="hospital")
    asked = parameters(to=to("Practitioner/con"), until=later(record, DAY))
    expect(app.post(CLAIM, parameters(text=TEXT)), 201)
    expect(app.post("Patient/mary/$break-glass", emergency()), 201)

    assert app.post(DELEGATE, asked).status_code == 403
    assert rows(record, Kind.DELEGATED) == []


@pytest.mark.parametrize(
    ("who", "days"),
    [(ANN, 31), (ANN, 0), (ANN, -1), (REID, 5), ("PractitionerRole/reid-surgery", 5),
     ("Practitioner/con", 5), ("Practitioner/no", 5),
     ("Patient/john", 5), ("Organization/surgery", 5), ("PractitionerRole/con-hospital", 5)],
)  # fmt: skip
def test_only_to_a_colleague_and_for_30_days_at_most(record: "Record", who: str, days: int) -> None:
    asked = parameters(to=to(who), until=later(record, days * DAY))

    assert staff(record).post(DELEGATE, asked).status_code == 422
    assert rows(record, Kind.DELEGATED) == []


def test_a_role_may_be_named_too(record: "Record") -> None:
    asked = parameters(to=to("PractitionerRole/ann-surgery"), until=later(record, DAY))

    assert staff(record).post(DELEGATE, asked).status_code == 201
    assert [one.grantee for one in rows(record, Kind.DELEGATED)] == ["PractitionerRole/ann-surgery"]


def test_nobody_delegates_another_s_patient(record: "Record") -> None:
    asked = parameters(to=to(ANN), until=later(record, DAY))
    app = staff(record)

    for who in ("nobody", "john"):
        assert app.post(f"Patient/{who}/$delegate", asked).status_code == 404


def verdict(code: str, text: str = "Seen with the ward: it was needed.") -> dict[str, Any]:
    """Return what $review is asked."""
    coding = {"system": REVIEW_OUTCOME, "code": code}
    return parameters(outcome=("Coding", coding), text=("String", text))


@pytest.fixture
def review(client: Client, record: "Record") -> str:
    """Give the path of the review of what Reid opened."""
    answer = expect(staff(record).post("Patient/mary/$break-glass", emergency()), 201)
    return f"{told(answer, 'review')['reference']}/$review"


def officer(record: "Record", **more: Any) -> Client:
    """Give a privacy officer of the surgery."""
    return staff(record, "privacy-officer", **{"person": OFFICER, **more})


def test_a_review_is_closed_once(record: "Record", review: str) -> None:
    answer = expect(officer(record).post(review, verdict("justified")), 200)

    assert answer["status"] == "completed"
    assert answer["businessStatus"]["coding"][0]["code"] == "justified"
    assert answer["note"][0]["authorReference"] == given.reference(OFFICER)
    again = officer(record).post(review, verdict("not-justified"))
    assert again.status_code == 409
    assert len(rows(record, Kind.BREAK_GLASS)) == 1


@pytest.mark.usefixtures("review")
def test_a_review_does_not_tell_who_is_sealed(client: Client, record: "Record") -> None:
    """Whose it is stands in the Task: what is sealed of them is for their practice."""
    app, mary = officer(record), client.read("Patient/mary")
    client.update({name: mary[name] for name in mary if name != "generalPractitioner"})
    assert app.get("Patient/mary").status_code == 200  # by the review alone
    client.update(given.patient(id="mary", meta={"security": [SEAL]}))

    assert app.get("Patient/mary").status_code == 404
    assert "entry" not in app.read("Patient?given:contains=Mary")
    assert len(app.read("Task")["entry"]) == 1


def test_what_is_not_justified_ends_at_once(record: "Record", review: str) -> None:
    expect(officer(record).post(review, verdict("not-justified")), 200)

    assert all(one.to <= record.clock() for one in rows(record, Kind.BREAK_GLASS))


def test_what_is_to_be_discussed_stays_open(record: "Record", review: str) -> None:
    first = expect(officer(record).post(review, verdict("needs-discussion")), 200)
    second = expect(officer(record).post(review, verdict("justified")), 200)

    assert (first["status"], second["status"]) == ("in-progress", "completed")
    assert [len(one["output"]) for one in (first, second)] == [1, 2]


def test_nobody_reviews_themselves_nor_for_others(record: "Record", review: str) -> None:
    asked = verdict("justified")

    assert officer(record, person=REID).post(review, asked).status_code == 403
    assert officer(record, organisation="hospital").post(review, asked).status_code == 404
    assert officer(record, organisation=None).post(review, asked).status_code == 404


@pytest.mark.parametrize("role", sorted(OF_STAFF - {"privacy-officer"}))
def test_only_privacy_officers_review(record: "Record", review: str, role: str) -> None:
    app = staff(record, role, person=OFFICER)

    assert app.post(review, verdict("justified")).status_code == 403


@pytest.mark.parametrize("code", ["", "fine", "completed"])
def test_a_review_comes_to_one_of_three(record: "Record", review: str, code: str) -> None:
    assert officer(record).post(review, verdict(code)).status_code == 422
    assert officer(record).post(review, verdict("justified", "ok")).status_code == 422


def test_no_other_task_is_reviewed(client: Client, record: "Record", review: str) -> None:
    task = client.create(
        {"resourceType": "Task", "status": "requested", "intent": "order",
         "for": given.reference("Patient/mary")}
    )  # fmt: skip

    for id in (task["id"], "nobody"):
        answer = officer(record).post(f"Task/{id}/$review", verdict("justified"))
        assert answer.status_code == 404


CODES = ("break-glass", "self-claim", "delegation", "break-glass-review")


def _access_task(code: str) -> dict[str, Any]:
    return access_task(code) | {"owner": given.reference(REID)}


@pytest.mark.parametrize("code", CODES)
def test_no_caller_writes_a_task_that_opens_access(
    client: Client, record: "Record", code: str
) -> None:
    """Not a system that may write everything, nor in whatever form."""
    task = _access_task(code)
    plain = {name: value for name, value in task.items() if name != "code"}
    known = client.create(plain)
    path = f"Task/{known['id']}"
    coded = [{"op": "add", "path": "/code", "value": task["code"]}]
    put = given.entry({**task, "id": "new"}, method="PUT", url="Task/new")

    for caller in (client, staff(record)):
        answers = [
            caller.post("Task", task),
            caller.put("Task/mine", {**task, "id": "mine"}),
            caller.put(path, {**task, "id": known["id"]}),
            caller.put("Task?identifier=urn:x|1", task),
            caller.post("Task", task, If_None_Exist="identifier=urn:x|1"),
            caller.patch(path, coded),
            caller.patch(path, {"code": task["code"]}, "application/merge-patch+json"),
            caller.post("", given.transaction(given.entry(task))),
        ]
        chooses = 403 if caller is client else 404  # nobody else chooses ids
        assert [one.status_code for one in answers] == [403, chooses, *[403] * 6]
        [entry] = caller.transact(given.batch(put))["entry"]
        assert entry["response"]["status"].startswith(str(chooses))
    assert "$" in outcome(client.post("Task", task))[0]["diagnostics"]
    assert client.read(path)["meta"]["versionId"] == "1"


def test_nor_changes_or_deletes_one(client: Client, record: "Record") -> None:
    answer = expect(staff(record).post("Patient/mary/$break-glass", emergency()), 201)
    for name in ("task", "review"):
        task = task_of(client, answer, name)
        path = f"Task/{task['id']}"
        ended = [{"op": "replace", "path": "/status", "value": "cancelled"}]
        label = {"system": "urn:x", "code": "y"}
        meta = parameters(meta=("Meta", {"tag": [label]}))
        for caller in (client, staff(record)):
            answers = [
                caller.put(path, task | {"status": "cancelled"}),
                caller.put(path, {name: one for name, one in task.items() if name != "code"}),
                caller.patch(path, ended),
                caller.delete(path) if caller is client else caller.patch(path, ended),
                client.delete("Task?patient=mary&status=in-progress,requested&_id=" + task["id"]),
                client.post(f"{path}/$meta-add", meta),
            ]
            assert [one.status_code for one in answers] == [403] * len(answers)
    assert len(rows(record, Kind.BREAK_GLASS)) == 1
    assert WHY in str(task_of(client, answer))


@pytest.mark.parametrize(
    ("provision", "place"),
    [
        ({"type": "permit", "provision": [{"type": "deny", "provision": [{"type": "deny"}]}]},
         "Consent.provision.provision[0].provision[0].type"),
        ({"action": [given.concept("access", "urn:x")]}, "Consent.provision.type"),
    ],
)  # fmt: skip
def test_a_consent_that_cant_be_obeyed_is_refused(
    client: Client, provision: dict[str, Any], place: str
) -> None:
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": given.concept(
            "patient-privacy", "http://terminology.hl7.org/CodeSystem/consentscope"
        ),
        "category": [given.concept("59284-0", "http://loinc.org")],
        "patient": given.reference("Patient/mary"),
        "policyRule": given.concept("OPTIN", "http://terminology.hl7.org/CodeSystem/v3-ActCode"),
        "provision": provision,
    }

    alone, together = (
        client.post("Consent", consent),
        client.post("", given.transaction(given.entry(consent))),
    )
    draft = client.post("Consent", consent | {"status": "draft"})

    assert (alone.status_code, together.status_code, draft.status_code) == (422, 422, 201)
    assert outcome(alone)[0]["expression"] == [place]
    inside = f"Bundle.entry[0].resource{place.removeprefix('Consent')}"
    assert outcome(together)[0]["expression"] == [inside]
    activated = [{"op": "replace", "path": "/status", "value": "active"}]
    path = f"Consent/{expect(draft, 201)['id']}"
    assert client.patch(path, activated).status_code == 422
