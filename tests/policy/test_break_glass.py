"""$break-glass (J7): who may open a record in an emergency, what comes of it, and who is told."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from auth.roles.known import OF_STAFF
from ehr.access.relationships import Ceiling, Kind
from ehr.access.relationships.held import grantees, is_related
from ehr.access.terms import HOUR
from ehr.interactions.access.terms import terms_of
from ehr.operations.opening.calling import MOST_IN_AN_HOUR
from ehr.store.tables import relationship
from fhir_profiles.facets import release_times
from fhir_profiles.own_names import ACCESS, BREAK_GLASS, BREAK_GLASS_ALLOWED, REVIEW
from tests import given
from tests.client import Client, expect, outcome
from tests.policy.staff import (
    ANN,
    MINUTE,
    REID,
    WHY,
    emergency,
    put_ward,
    staff,
    task_of,
    told,
)

if TYPE_CHECKING:
    from ehr.record import Record

PATH = "Patient/mary/$break-glass"
DUTY = {"gp", "hospital-consultant", "nurse", "urgent-care", "social-worker"}
LOCKED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}


@pytest.fixture(autouse=True)
def _ward(client: Client) -> None:
    put_ward(client)


def opened(record: "Record", person: str = REID, *, after: int = 0) -> bool:
    """Tell whether a person has Mary's record open by break-glass, so many ms from now."""
    names = grantees(
        record.database.hasher, record.database.dialect, [person], record.clock() + after
    )
    c = relationship.c
    asked = is_related(c.patient_key, names, Ceiling.ROLE, [Kind.BREAK_GLASS])
    with record.database.read() as connection:
        return bool(connection.execute(relationship.select().where(asked)).all())


def test_it_opens_the_record_for_four_hours(client: Client, record: "Record") -> None:
    answer = expect(staff(record).post(PATH, emergency()), 201)

    task = task_of(client, answer)
    assert (task["status"], task["owner"]["reference"]) == ("in-progress", REID)
    assert task["code"]["coding"][0] | {"display": ""} == {
        "system": ACCESS, "code": BREAK_GLASS, "display": "",
    }  # fmt: skip
    assert (task["for"]["reference"], task["description"]) == ("Patient/mary", WHY)
    assert task["executionPeriod"]["end"] == told(answer, "until")
    assert opened(record)
    assert opened(record, after=4 * HOUR - MINUTE)
    assert not opened(record, after=4 * HOUR + MINUTE)
    assert not opened(record, ANN)


def test_the_answer_is_what_a_banner_shows(record: "Record") -> None:
    answer = expect(staff(record).post(PATH, emergency()), 201)

    banner = {
        one["name"]: next(value for key, value in one.items() if key != "name")
        for one in told(answer, "banner")
    }
    assert banner["patient"] == "Mary Murray"
    assert banner["until"] == told(answer, "until")
    assert banner["reason"]["code"] == "risk-to-life"
    assert told(answer, "warning") is None
    again = expect(staff(record).post(PATH, emergency()), 201)
    assert "before, 1 time." in told(again, "warning")


@pytest.mark.parametrize(("more", "hours"), [({}, 24), ({"delayNotice": ("UnsignedInt", 2)}, 2)])
def test_the_patient_sees_none_of_it_until_then(
    client: Client, record: "Record", more: dict[str, Any], hours: int
) -> None:
    before = record.clock()
    expect(staff(record).post(PATH, emergency(**more)), 201)

    bundles = [client.read(f"{type}?patient=mary") for type in ("Task", "Communication")]
    written = [one["resource"] for bundle in bundles for one in bundle["entry"]]
    assert len(written) == 4
    [times] = {release_times(one) for one in written}
    released = terms_of(record).moment(times[0])
    assert released is not None
    assert 0 <= released[0] - hours * HOUR - before < MINUTE


def test_at_once_is_without_a_release_time(client: Client, record: "Record") -> None:
    expect(staff(record).post(PATH, emergency(delayNotice=("UnsignedInt", 0))), 201)

    bundle = client.read("Communication?patient=mary")
    assert [release_times(one["resource"]) for one in bundle["entry"]] == [(), ()]


def test_practice_lead_patient_and_reviewers_are_told(client: Client, record: "Record") -> None:
    lead = {"role": [given.concept("named-lead", "urn:roles")], "member": given.reference(ANN)}
    client.create(
        {"resourceType": "CareTeam", "status": "active", "participant": [lead],
         "subject": given.reference("Patient/mary")}
    )  # fmt: skip
    answer = expect(staff(record).post(PATH, emergency()), 201)

    some = [one["resource"] for one in client.read("Communication?patient=mary")["entry"]]
    by_kind = {one["category"][0]["coding"][0]["code"]: one for one in some}
    assert [one["reference"] for one in by_kind["alert"]["recipient"]] == [
        "Organization/surgery", ANN,
    ]  # fmt: skip
    assert WHY in by_kind["alert"]["payload"][0]["contentString"]
    notice = by_kind["notification"]
    assert notice["recipient"] == [{"reference": "Patient/mary"}]
    text = notice["payload"][0]["contentString"]
    assert "GP of Riverside Surgery" in text
    assert "Life is at risk" in text
    assert WHY not in text
    assert {one["about"][0]["reference"] for one in some} == {told(answer, "task")["reference"]}
    review = task_of(client, answer, "review")
    assert (review["status"], review["code"]["coding"][0]["code"]) == ("requested", REVIEW)
    assert review["owner"]["reference"] == "Organization/surgery"
    assert review["focus"] == told(answer, "task")


@pytest.mark.parametrize("role", sorted(OF_STAFF))
def test_only_roles_with_a_clinical_duty(record: "Record", role: str) -> None:
    answer = staff(record, role).post(PATH, emergency())

    assert answer.status_code == (201 if role in DUTY else 403)
    assert opened(record) == (role in DUTY)


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("system", "system/*.cruds"),
        ("operator", "user/*.cruds"),
        ("patient", "user/*.cruds"),
        ("carer", "user/*.cruds"),
    ],
)
def test_no_other_kind_of_caller(record: "Record", kind: str, scope: str) -> None:
    answer = staff(record, "gp", kind=kind, scope=scope).post(PATH, emergency())

    assert answer.status_code == 403
    assert not opened(record)


@pytest.mark.parametrize("kind", ["system", "operator"])
def test_no_token_without_scopes(client_of: Any, record: "Record", kind: str) -> None:
    assert client_of(None, kind).post(PATH, emergency()).status_code == 403
    assert not opened(record)


@pytest.mark.parametrize(
    "scope",
    ["", "openid fhirUser", "user/Patient.rs", "user/Task.c", "user/Patient.s user/Task.cru",
     "patient/*.cruds", "user/Patient.r?gender=female user/Task.c"],
)  # fmt: skip
def test_scopes_say_so_as_well(record: "Record", scope: str) -> None:
    assert staff(record, scope=scope).post(PATH, emergency()).status_code == 403
    assert (
        staff(record, scope="user/Patient.r user/Task.c").post(PATH, emergency()).status_code == 201
    )


@pytest.mark.parametrize("signed_in", [None, 5 * MINUTE + 1000, 11 * HOUR])
def test_who_signed_in_long_ago_does_so_again(record: "Record", signed_in: int | None) -> None:
    answer = staff(record, signed_in=signed_in).post(PATH, emergency())

    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'error="insufficient_user_authentication"' in challenge
    assert "max_age=300" in challenge
    assert not opened(record)
    assert staff(record, signed_in=4 * MINUTE).post(PATH, emergency()).status_code == 201


def test_a_token_that_names_nobody_opens_nothing(record: "Record") -> None:
    assert staff(record, person=None).post(PATH, emergency()).status_code == 403


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"reason": None}, "Parameters.parameter"),
        ({"reason": ("Code", "TREAT")}, "Parameters.parameter[0]"),
        ({"reason": ("Coding", {"system": "urn:x", "code": "ETREAT"})}, "Parameters.parameter[0]"),
        ({"reason": ("String", "ETREAT")}, "Parameters.parameter[0]"),
        ({"text": None}, "Parameters.parameter"),
        ({"text": ("String", "  help   me ")}, "Parameters.parameter[1]"),
        ({"text": ("String", "a" * 2001)}, "Parameters.parameter[1]"),
        ({"delayNotice": ("UnsignedInt", 25)}, "Parameters.parameter"),
        ({"delayNotice": ("UnsignedInt", 721)}, "Parameters.parameter[2]"),
        ({"delayNotice": ("String", "soon")}, "Parameters.parameter[2]"),
    ],
    ids=str,
)
def test_what_is_asked_is_read_strictly(record: "Record", more: dict[str, Any], place: str) -> None:
    answer = staff(record).post(PATH, emergency(**more))

    assert answer.status_code == 422
    assert outcome(answer)[0]["expression"] == [place]
    assert not opened(record)


def test_a_longer_delay_has_a_reason_for_the_reviewer_alone(
    client: Client, record: "Record"
) -> None:
    why = "The partner reads her post and her phone."
    asked = emergency(delayNotice=("UnsignedInt", 72), delayReason=("String", why))
    answer = expect(staff(record).post(PATH, asked), 201)

    assert task_of(client, answer, "review")["input"][0]["valueString"] == why
    for one in client.read("Communication?patient=mary")["entry"]:
        assert why not in str(one)
    assert why not in str(task_of(client, answer))


@pytest.mark.parametrize("path", [f"{PATH}?text=Unconscious+at+home", f"{PATH}?x=1"])
def test_nothing_of_it_stands_in_an_address(record: "Record", path: str) -> None:
    assert staff(record).post(path, emergency()).status_code == 400


def test_it_is_by_post_alone_and_never_in_a_transaction(record: "Record") -> None:
    app = staff(record)
    entry = given.entry(emergency(), method="POST", url=PATH)

    assert app.get(PATH).status_code == 405
    assert app.post("", given.transaction(entry)).status_code == 400
    assert not opened(record)


@pytest.mark.parametrize("state", ["unknown", "deleted", "replaced", "inactive", "locked", "shut"])
def test_who_is_not_in_use_is_answered_as_who_is_not_there(
    client: Client, record: "Record", state: str
) -> None:
    mary = client.read("Patient/mary")
    id = "nobody" if state == "unknown" else "mary"
    match state:
        case "deleted":
            client.delete("Patient/mary")
        case "replaced":
            link = {"other": given.reference("Patient/john"), "type": "replaced-by"}
            client.update(mary | {"link": [link]})
        case "inactive":
            client.update(mary | {"active": False})
        case "locked":
            client.update(mary | {"meta": {"security": [LOCKED]}})
        case "shut":
            client.create(_denial(actor=_actor(REID)))

    answer = staff(record).post(f"Patient/{id}/$break-glass", emergency())

    assert answer.status_code == 404
    assert outcome(answer)[0]["diagnostics"] == f"There is no Patient/{id}."
    assert "Murray" not in answer.text


@pytest.mark.parametrize("role", sorted(OF_STAFF))
def test_who_may_is_told_so_where_a_record_is_not_there(record: "Record", role: str) -> None:
    caller = staff(record, role=role)

    hidden, unknown = caller.get("Patient/john"), caller.get("Patient/nobody")

    assert hidden.status_code == unknown.status_code
    assert hidden.status_code == (403 if role in {"analyst", "other-staff"} else 404)
    assert hidden.text.replace("john", "nobody") == unknown.text
    assert ("$break-glass" in hidden.text) is (role in DUTY)


def test_what_patients_do_not_find_says_nothing_of_breaking_glass(
    client_with: Callable[..., Client],
) -> None:
    answer = client_with("patient/*.rs", patient="john").get("Patient/mary")

    assert answer.status_code == 404
    assert "$" not in answer.text


def _actor(*names: str) -> list[dict[str, Any]]:
    role = given.concept("PRCP", "http://terminology.hl7.org/CodeSystem/v3-ParticipationType")
    return [{"role": role, "reference": given.reference(name)} for name in names]


def _denial(**provision: Any) -> dict[str, Any]:
    scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": given.concept("patient-privacy", scope),
        "category": [given.concept("59284-0", "http://loinc.org")],
        "patient": given.reference("Patient/mary"),
        "dateTime": "2026-01-01",
        "policyRule": given.concept("OPTIN", "http://terminology.hl7.org/CodeSystem/v3-ActCode"),
        "provision": {"type": "permit", "provision": [{"type": "deny", **provision}]},
    }


@pytest.mark.parametrize(
    "provision",
    [
        {"actor": _actor("Organization/surgery")},
        {"actor": _actor(ANN)},
        {"actor": _actor(REID), "class": [{"system": "http://hl7.org/fhir/resource-types",
                                           "code": "Condition"}]},
        {"extension": [{"url": BREAK_GLASS_ALLOWED, "valueBoolean": False}],
         "data": [{"meaning": "instance", "reference": given.reference("Patient/mary")}]},
        {"actor": _actor(REID), "period": {"end": "2026-01-02"}},
    ],
    ids=["organisation", "somebody else", "a type", "an item", "over"],
)  # fmt: skip
def test_a_denial_of_less_stays_and_the_record_is_opened(
    client: Client, record: "Record", provision: dict[str, Any]
) -> None:
    client.create(_denial(**provision))

    assert staff(record).post(PATH, emergency()).status_code == 201
    assert opened(record)


def test_each_person_has_only_so_many_tries(record: "Record") -> None:
    """Found or not; a person who asks wrongly, or must sign in again, is not counted."""
    apps = [staff(record), staff(record)]
    paths = [PATH, "Patient/nobody/$break-glass"]
    apps[0].post(PATH, emergency(text=None))
    tried = [
        apps[n % 2].post(paths[n % 2], emergency()).status_code for n in range(MOST_IN_AN_HOUR)
    ]

    assert tried == [201, 404] * (MOST_IN_AN_HOUR // 2)
    refused = apps[0].post(PATH, emergency())
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert staff(record, person=ANN).post(PATH, emergency()).status_code == 201
