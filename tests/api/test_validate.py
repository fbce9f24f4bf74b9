"""$validate: all issues in one outcome, and what a change would meet, with nothing left behind."""

from typing import Any

import pytest

from tests import given
from tests.client import Client, expect, outcome

BASE = "http://hl7.org/fhir/StructureDefinition"
WRONG = {"resourceType": "Patient", "gender": "unknowable", "birthDate": "2023-02-30"}


def asked(resource: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
    """Put a resource and simple parameters into Parameters."""
    parameters: list[dict[str, Any]] = [
        {"name": name, "valueUri" if name == "profile" else "valueCode": value}
        for name, value in more.items()
    ]
    if resource is not None:
        parameters.insert(0, {"name": "resource", "resource": resource})
    return {"resourceType": "Parameters", "parameter": parameters}


def errors(client: Client, path: str, body: Any = None, **headers: str) -> list[str]:
    """Return the places of the errors that $validate found."""
    answer = client.post(path, body, **headers)
    assert answer.status_code == 200, answer.data
    issues = outcome(answer)
    assert issues
    return [
        "".join(issue.get("expression", [issue["code"]]))
        for issue in issues
        if issue["severity"] in ("error", "fatal")
    ]


@pytest.mark.parametrize("body", [WRONG, asked(WRONG)], ids=["bare", "wrapped"])
def test_all_issues_are_told(client: Client, body: dict[str, Any]) -> None:
    assert errors(client, "Patient/$validate", body) == ["Patient.gender", "Patient.birthDate"]


@pytest.mark.parametrize("mode", ["", "?mode=create", f"?profile={BASE}/Patient|4.0.1"])
def test_a_good_resource_has_one_information(client: Client, mode: str) -> None:
    answer = client.post(f"Patient/$validate{mode}", given.patient())

    assert answer.status_code == 200
    assert [issue["severity"] for issue in outcome(answer)] == ["information"]
    assert client.read("Patient?_summary=count")["total"] == 0


def test_another_type_is_an_issue(client: Client) -> None:
    assert errors(client, "Patient/$validate", given.organisation()) == ["Patient"]


def test_a_create_meets_the_rules_of_creates(client: Client) -> None:
    orphan = given.observation("Patient/nobody")

    assert errors(client, "Observation/$validate", asked(orphan)) == []
    assert errors(client, "Observation/$validate", asked(orphan, mode="create")) == [
        "Observation.subject"
    ]


def test_an_update_meets_the_rules_of_updates(client: Client) -> None:
    mary, john = client.create(given.patient()), client.create(given.patient("John"))
    made = client.create(given.observation(mary))
    path = f"Observation/{made['id']}/$validate?mode=update"

    moved = made | {"subject": given.reference(john)}

    assert errors(client, path, made | {"status": "amended"}) == []
    assert errors(client, path, moved) == ["Observation.subject"]
    assert errors(client, path, made | {"id": "other"}) == ["Observation.id"]
    assert errors(client, path, made, If_Match='W/"9"') != []
    assert client.read(f"Observation/{made['id']}") == made


def test_a_delete_meets_the_rules_of_deletes(client: Client) -> None:
    mary = client.create(given.patient())
    seen = client.create(given.observation(mary))

    of_mary = errors(client, f"Patient/{mary['id']}/$validate", asked(mode="delete"))
    of_seen = errors(client, f"Observation/{seen['id']}/$validate?mode=delete")

    assert of_mary == ["Patient"]
    assert of_seen == []
    assert client.read(f"Observation/{seen['id']}") == seen


def test_what_is_stored_can_be_validated(client: Client) -> None:
    made = client.create(given.patient())

    answer = client.get(f"Patient/{made['id']}/$validate")

    assert [issue["severity"] for issue in outcome(answer)] == ["information"]


def test_an_unknown_profile_is_refused(client: Client) -> None:
    body = asked(given.patient(), profile="http://example.org/StructureDefinition/x")

    answer = client.post("Patient/$validate", body)

    assert answer.status_code == 422
    assert outcome(answer)[0]["code"] == "not-supported"


def test_a_profile_that_is_claimed_is_not_called_checked(client: Client) -> None:
    resource = given.patient(meta={"profile": ["http://example.org/StructureDefinition/x"]})

    answer = client.post("Patient/$validate", resource)

    assert "http://example.org/StructureDefinition/x" in outcome(answer)[0]["diagnostics"]


def test_a_parameters_resource_can_be_validated_itself(client: Client) -> None:
    wrong = {"resourceType": "Parameters", "parameter": [{"name": "x", "valueBoolean": "yes"}]}

    assert errors(client, "Parameters/$validate", wrong) != []
    assert errors(client, "Parameters/$validate", asked(wrong)) != []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("Patient/$validate", None),
        ("Patient/$validate", asked()),
        ("Patient/$validate?mode=guess", given.patient()),
        ("Patient/$validate?mode=update", given.patient()),
        ("Patient/$validate?mode=delete", None),
        ("Patient/$validate?mode=profile", given.patient()),
        ("Patient/$validate?mode=create&mode=update", given.patient()),
        ("Patient/$validate?colour=blue", given.patient()),
        ("Patient/$validate", {"resourceType": "Parameters", "parameter": [1]}),
        (
            "Patient/$validate",
            {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": []}]},
        ),
    ],
    ids=["no-body", "no-resource", "mode", "update", "delete", "profile", "twice", "unknown",
         "broken", "list"],
)  # fmt: skip
def test_questions_that_make_no_sense(client: Client, path: str, body: Any) -> None:
    answer = client.post(path, body)

    assert answer.status_code == 400, answer.data
    assert outcome(answer)


def test_a_resource_that_is_not_there(client: Client) -> None:
    assert client.get("Patient/nobody/$validate").status_code == 404
    assert client.post("Patient/nobody/$validate?mode=delete").status_code == 404


def test_an_unwrapped_resource_at_instance_level(client: Client) -> None:
    made = client.create(given.patient())

    answer = client.post(f"Patient/{made['id']}/$validate", made)

    assert expect(answer, 200)["issue"][0]["severity"] == "information"
