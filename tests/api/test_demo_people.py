"""The people of the demo: each sees Mary, whom they have to do with, and nobody else."""

import json
from typing import TYPE_CHECKING

import pytest

from auth import tokens
from ehr.app import create_app
from ehr.cli.demo_access import PEOPLE, Persona
from ehr.demo import bundles, consultant
from tests.client import Client

if TYPE_CHECKING:
    from ehr.record import Record

OF_PLAN = ("CarePlan/mary-murray-plan", "Goal/mary-murray-goal-shop", "CareTeam/mary-murray-team")
WATCHES = "una.doyle"
IN_CARE = [one for one in PEOPLE if one.login != WATCHES]


@pytest.fixture
def demo(client: Client) -> Client:
    """Load Mary, one other person and the consultant; give a system."""
    [mary, other] = [bundle for bundle, _ in zip(bundles(), range(2), strict=False)]
    for _, bundle in (mary, other):
        client.transact(bundle)
    client.transact(consultant())
    return client


def _app_of(record: "Record", persona: Persona, scope: str) -> Client:
    """Give an app that the persona let in, as the pages grant it."""
    now = record.clock()
    [role] = persona.roles or (None,)
    context = {
        "author": persona.fhir_user,
        "person": persona.fhir_user,
        "patients": list(persona.patients),
        "role": role and role.role,
        "signed_in": now,
    }
    granted = {"scope": scope, "context": json.dumps(context), "client_id": "tests"}
    token = record.database.write(
        lambda connection: tokens.create(
            connection, kind=persona.kind, name="tests", now=now,
            organisation=role and role.organisation, **granted,
        )
    )  # fmt: skip
    return Client(create_app(record).test_client(), token)


def _patients(client: Client) -> list[str]:
    return [entry["resource"]["id"] for entry in client.read("Patient").get("entry", [])]


@pytest.mark.parametrize("persona", IN_CARE, ids=lambda one: one.login)
def test_each_sees_the_plan_of_mary_and_nobody_else(
    demo: Client, record: "Record", persona: Persona
) -> None:
    app = _app_of(record, persona, "openid fhirUser user/*.rs")

    found = _patients(app)
    plan = [app.read(name)["id"] for name in OF_PLAN]

    assert len(_patients(demo)) > 1
    assert found == ["mary-murray"]
    assert len(plan) == len(OF_PLAN)


def test_who_watches_over_the_others_reads_no_notes(demo: Client, record: "Record") -> None:
    [officer] = [one for one in PEOPLE if one.login == WATCHES]
    app = _app_of(record, officer, "openid fhirUser user/*.rs")

    assert _patients(app) == []
    assert [app.get(name).status_code for name in OF_PLAN] == [404, 404, 404]


@pytest.mark.parametrize("persona", PEOPLE, ids=lambda one: one.login)
def test_each_reads_the_own_name(demo: Client, record: "Record", persona: Persona) -> None:
    app = _app_of(record, persona, "openid fhirUser")

    assert app.read(persona.fhir_user)["name"]


def test_the_son_sees_nothing_once_mary_ends_her_consent(demo: Client, record: "Record") -> None:
    [son] = [one for one in PEOPLE if one.kind == "carer"]
    app = _app_of(record, son, "user/*.rs")
    ended = {**demo.read("Consent/mary-murray-for-iain"), "status": "inactive"}

    assert _patients(app) == ["mary-murray"]
    demo.update(ended)

    assert _patients(app) == []
