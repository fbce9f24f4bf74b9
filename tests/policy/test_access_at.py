"""$access-at: who somebody was to a patient at a past moment, as the resources stood then."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from auth.roles.known import OF_STAFF
from tests import given
from tests.client import Client, expect
from tests.policy.staff import ANN, OFFICER, REID, emergency, parameters, put_ward, staff
from tests.unit.ehr.access.access_documents import proxy

if TYPE_CHECKING:
    from ehr.record import Record

PATH = "Patient/mary/$access-at"


@pytest.fixture(autouse=True)
def _ward(client: Client) -> None:
    put_ward(client)


def asked(who: str, at: str) -> dict[str, Any]:
    return parameters(who=("Reference", given.reference(who)), at=("Instant", at))


def instant(ms: int) -> str:
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def officer(record: "Record", **more: Any) -> Client:
    """Give a privacy officer."""
    return staff(record, "privacy-officer", person=OFFICER, **more)


def past(record: "Record", who: str, at: str, path: str = PATH) -> dict[str, list[dict[str, Any]]]:
    """Return what is told, the parts of each relationship and consent by their names."""
    answer = expect(officer(record).post(path, asked(who, at)), 200)
    found: dict[str, list[dict[str, Any]]] = {"relationship": [], "consent": [], "name": []}
    for one in answer["parameter"]:
        if "part" in one:
            parts = {
                part["name"]: next(value for key, value in part.items() if key != "name")
                for part in one["part"]
            }
            found[one["name"]].append(parts)
        elif one["name"] == "name":
            found["name"].append(one["valueString"])
    return found


def moment(resource: dict[str, Any]) -> str:
    """Return when a version was written."""
    return str(resource["meta"]["lastUpdated"])


def before(resource: dict[str, Any]) -> str:
    """Return the millisecond before a version was written."""
    at = datetime.fromisoformat(moment(resource))
    return instant(int(at.timestamp() * 1000 + 0.5) - 1)


def _team(*members: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CareTeam",
        "id": "care",
        "status": "active",
        "participant": [{"member": given.reference(one)} for one in members],
        "subject": given.reference("Patient/mary"),
        **more,
    }


def test_it_is_told_by_the_versions_of_then(client: Client, record: "Record") -> None:
    first = client.update(_team(ANN))
    second = client.update(_team(REID))
    client.delete("CareTeam/care")
    third = client.update(_team(ANN, REID))

    def of(who: str, at: str) -> list[str]:
        return [one["source"]["reference"] for one in past(record, who, at)["relationship"]
                if one["kind"] == "team"]  # fmt: skip

    assert of(ANN, before(first)) == []
    assert of(ANN, moment(first)) == ["CareTeam/care/_history/1"]
    assert of(ANN, before(second)) == ["CareTeam/care/_history/1"]
    assert of(ANN, moment(second)) == []
    assert of(REID, moment(second)) == ["CareTeam/care/_history/2"]
    assert of(REID, before(third)) == []
    assert of(ANN, moment(third)) == ["CareTeam/care/_history/4"]


def test_what_was_entered_later_was_not_known_then(client: Client, record: "Record") -> None:
    """Though it says of itself that it began long before."""
    visit = client.create(
        given.encounter("Patient/mary", status="in-progress", period={"start": "2020-01-01"},
                        participant=[{"individual": given.reference(ANN)}])
    )  # fmt: skip
    kinds = [
        {one["kind"] for one in past(record, ANN, at)["relationship"]}
        for at in (before(visit), moment(visit))
    ]

    assert kinds == [{"registered"}, {"registered", "encounter"}]


def test_roles_count_while_they_were_there(client: Client, record: "Record") -> None:
    """By her practice Mary has to do with Ann, until Ann leaves it."""
    role = client.read("PractitionerRole/ann-surgery")
    left = client.update(role | {"active": False})

    told = past(record, ANN, before(left))
    assert [one["to-whom"] for one in told["relationship"]] == ["Organization/surgery"]
    assert "PractitionerRole/ann-surgery" in told["name"]
    assert past(record, ANN, moment(left))["relationship"] == []


def test_an_emergency_is_over_after_four_hours(client: Client, record: "Record") -> None:
    con = staff(record, person="Practitioner/con", organisation="hospital")
    expect(con.post("Patient/mary/$break-glass", emergency()), 201)
    [task] = client.read("Task?code=break-glass")["entry"]
    at = moment(task["resource"])

    [found] = past(record, "Practitioner/con", at)["relationship"]

    assert (found["kind"], found["opens"]) == ("break-glass", "role")
    assert found["to"] > found["from"] > "2026"
    assert past(record, "Practitioner/con", before(task["resource"]))["relationship"] == []


def test_consents_of_then_are_told(client: Client, record: "Record") -> None:
    scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    role = given.concept("PRCP", "http://terminology.hl7.org/CodeSystem/v3-ParticipationType")
    made = client.create(
        {
            "resourceType": "Consent",
            "status": "active",
            "scope": given.concept("patient-privacy", scope),
            "category": [given.concept("59284-0", "http://loinc.org")],
            "patient": given.reference("Patient/mary"),
            "policyRule": given.concept(
                "OPTIN", "http://terminology.hl7.org/CodeSystem/v3-ActCode"
            ),
            "provision": {
                "type": "deny",
                "actor": [{"role": role, "reference": given.reference(ANN)}],
            },
        }
    )
    withdrawn = client.update(made | {"status": "inactive"})

    [rule] = past(record, ANN, moment(made))["consent"]
    assert (rule["effect"], rule["whom"], rule["break-glass"]) == ("deny", ANN, "does-not-lift")
    assert past(record, REID, moment(made))["consent"] == []
    assert past(record, ANN, before(made))["consent"] == []
    assert past(record, ANN, moment(withdrawn))["consent"] == []


def test_patients_and_carers_are_asked_about_too(client: Client, record: "Record") -> None:
    mary = given.reference("Patient/mary")
    client.update({"resourceType": "RelatedPerson", "id": "rel", "patient": mary})
    grant = proxy() | {"patient": mary}
    grant["provision"]["period"] = {"start": "2020-01-01", "end": "2090-01-01"}
    for one in grant["provision"]["actor"]:
        one["reference"] = given.reference("RelatedPerson/rel")
    made = client.create(grant)

    def kinds(who: str, at: str) -> set[str]:
        return {one["kind"] for one in past(record, who, at)["relationship"]}

    assert kinds("Patient/mary", moment(made)) == {"self"}
    assert kinds("Patient/john", moment(made)) == set()
    assert "proxy" in kinds("RelatedPerson/rel", moment(made))
    assert "proxy" not in kinds("RelatedPerson/rel", before(made))


@pytest.mark.parametrize("role", sorted(OF_STAFF))
def test_privacy_officers_ask_and_no_other_professionals(record: "Record", role: str) -> None:
    answer = staff(record, role).post(PATH, asked(ANN, instant(record.clock())))

    assert answer.status_code == (200 if role == "privacy-officer" else 403)


@pytest.mark.parametrize(
    ("kind", "scope", "status"),
    [
        ("operator", "user/Patient.r", 200),
        ("operator", "user/Observation.r", 403),
        ("professional", "user/Observation.r", 403),
        ("professional", "patient/*.rs", 403),
        ("system", "system/*.cruds", 403),
        ("patient", "user/*.rs", 403),
        ("carer", "user/*.rs", 403),
    ],
)
def test_kinds_and_scopes(record: "Record", kind: str, scope: str, status: int) -> None:
    app = officer(record, kind=kind, scope=scope)

    assert app.post(PATH, asked(ANN, instant(record.clock()))).status_code == status


def test_operators_ask_without_scopes_and_systems_do_not(client_of: Any, record: "Record") -> None:
    sent = asked(ANN, instant(record.clock()))

    assert client_of(None, "operator").post(PATH, sent).status_code == 200
    assert client_of(None, "system").post(PATH, sent).status_code == 403


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (parameters(), 422),
        (asked("Observation/1", "2026-01-01T00:00:00Z"), 422),
        (asked("Practitioner/nobody", "2026-01-01T00:00:00Z"), 422),
        (parameters(who=("Reference", given.reference(ANN))), 200),
        (asked("https://elsewhere.example/Practitioner/ann", "2026-01-01T00:00:00Z"), 422),
        (asked(ANN, "lately"), 422),
        (asked(ANN, "2999-01-01T00:00:00Z"), 422),
    ],
)
def test_what_is_asked_is_read_strictly(
    record: "Record", sent: dict[str, Any], status: int
) -> None:
    assert officer(record).post(PATH, sent).status_code == status
    assert (
        officer(record).post("Patient/nobody/$access-at", asked(ANN, "2026-01-01")).status_code
        == 404
    )
