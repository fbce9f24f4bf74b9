"""`ehr user acts-for`: a carer's account, and whom else they act for."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ehr import cli
from ehr.cli.exits import Exit

pytestmark = pytest.mark.usefixtures("on_database", "carer")

Printed = pytest.CaptureFixture[str]
ACTS = ["user", "acts-for", "iain", "for-father"]


def _related(id: str, patient: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "RelatedPerson", "id": id, "birthDate": "1970-05-05",
            "patient": {"reference": f"Patient/{patient}"}, **more}  # fmt: skip


@pytest.fixture
def carer(on_database: None) -> None:
    """Load a family of whom the son has an account, for his mother."""
    from auth.sign_in import users
    from ehr.cli.opening import opened_database

    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "mother", "birthDate": "1940-03-01"},
        {"resourceType": "Patient", "id": "father", "birthDate": "1938-03-01"},
        _related("for-mother", "mother"),
        _related("for-father", "father"),
        _related("ended", "father", active=False),
        _related("daughter", "father"),
    ]
    Path("people.ndjson").write_text("\n".join(map(json.dumps, resources)), "utf-8")
    assert cli.run(["load", "people.ndjson"]) == Exit.OK
    made = (("iain", "carer", "RelatedPerson/for-mother", ["mother"]),
            ("isla", "carer", "RelatedPerson/daughter", ["father"]),
            ("mary", "patient", "Patient/mother", ["mother"]))  # fmt: skip
    with opened_database(os.environ) as database:
        for login, kind, person, patients in made:
            given: dict[str, Any] = {"kind": kind, "login": login, "fhir_user": person}
            database.write(
                lambda connection, given=given, patients=patients: users.create(
                    connection, name="A name", now=1, patients=patients, **given
                )
            )


def test_a_carer_acts_for_another_and_no_longer(capsys: Printed) -> None:
    assert cli.run(ACTS) == Exit.OK
    assert "iain acts for Patient/father as RelatedPerson/for-father" in capsys.readouterr().err
    assert _shown(capsys)["acts_as"] == ["RelatedPerson/for-father for Patient/father"]
    assert sorted(_shown(capsys)["patients"]) == ["father", "mother"]

    assert cli.run([*ACTS, "--remove"]) == Exit.OK
    assert _shown(capsys)["patients"] == ["mother"]


def _shown(capsys: Printed) -> dict[str, Any]:
    capsys.readouterr()
    assert cli.run(["user", "show", "iain", "--json"]) == Exit.OK
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nobody", "for-father"], "There is no user nobody"),
        (["iain", "nobody"], "The record has no RelatedPerson nobody"),
        (["iain", "ended"], "no longer active"),
        (["iain", "daughter"], "RelatedPerson/daughter is isla, another account"),
        (["iain", "for-mother"], "acts for Patient/mother already, as RelatedPerson/for-mother"),
        (["mary", "for-father"], "mary is a patient; only carers act for others"),
        (["iain", "for-father", "--remove"], "does not act for Patient/father"),
    ],
)
def test_what_can_t_be_is_said_and_changes_nothing(
    capsys: Printed, arguments: list[str], text: str
) -> None:
    before = _shown(capsys)

    assert cli.run(["user", "acts-for", *arguments]) == Exit.REFUSED

    printed = capsys.readouterr()
    assert text in printed.out + printed.err
    assert _shown(capsys) == before
