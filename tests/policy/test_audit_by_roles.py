"""Who finds which events of the trail by date and action; and what asking for events does not tell.

Mary's record is that of the journeys. The social worker is in her team too, the ward treats her.
"""

from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.client import Client, outcome
from tests.policy.journeys.people import MARY, STAFF, Cast, open_record, worker
from tests.policy.journeys.test_j5_carer import proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehr.record import Record

TEAM = "CareTeam/team"
OWN = ("gp", "consultant", "urgent_care", "nurse", "social_worker")
ALL = ("officer", "other_officer")
NONE = ("receptionist", "coordinator", "third_sector", "analyst", "admin")
# What is asked beside the patient, and whether it is met by a read of today.
ASKED = {
    "action=R": True,
    "action=R,U": True,
    "action=U": False,
    "date=ge2020": True,
    "date=lt2020": False,
    "date=ge2020&date=lt2021": False,
    "date=ge2020&action=R": True,
    "date=ge2020&action=D": False,
    "date=lt2020&action=R": False,
}


@pytest.fixture
def cast(client: Client, client_of: "Callable[..., Client]", record: "Record") -> Cast:
    made = open_record(client, client_of("surgery"), record)
    client.update(given.care_team(MARY, worker("social_worker"), id="social"))
    for place in ("hospital", "emergency"):
        here = given.reference(f"Organization/{place}")
        client.update(given.encounter(MARY, id=place, status="in-progress", serviceProvider=here))
    return made


def events(app: Client, asked: str) -> list[dict[str, Any]]:
    """Return the events about Mary that a search finds."""
    bundle = app.read(f"AuditEvent?patient=mary&{asked}&_count=200")
    return [one["resource"] for one in bundle.get("entry", ())]


def readers(found: list[dict[str, Any]]) -> set[str]:
    """Return who read the team of hers, of the events of a read."""
    return {
        agent["who"]["reference"]
        for one in found
        if one["subtype"][0]["code"] == "read" and TEAM in str(one["entity"])
        for agent in one["agent"]
        if agent["requestor"]
    }


def test_every_role_of_staff_is_asked() -> None:
    assert {*OWN, *ALL, *NONE, "other_gp"} == {*STAFF}


@pytest.mark.parametrize("asked", ASKED)
def test_staff_find_what_they_did_by_date_and_action(cast: Cast, asked: str) -> None:
    apps = {name: cast.app(name) for name in OWN}
    for app in apps.values():
        app.read(TEAM)

    for name, app in apps.items():
        assert readers(events(app, asked)) == ({worker(name)} if ASKED[asked] else set()), name


@pytest.mark.parametrize("asked", ASKED)
def test_privacy_officers_find_what_all_did(cast: Cast, asked: str) -> None:
    cast.nurse.read(TEAM)
    cast.mary.read(TEAM)

    for name in ALL:
        found = readers(events(cast.app(name), asked))
        assert found == ({worker("nurse"), MARY} if ASKED[asked] else set()), name


@pytest.mark.parametrize("name", NONE)
def test_other_roles_ask_in_vain_whatever_they_ask(cast: Cast, name: str) -> None:
    cast.nurse.read(TEAM)
    app = cast.app(name)

    for asked in ("", "&date=ge2020", "&action=R", "&date=ge2020&action=R"):
        for of in (MARY, "Patient/nobody"):
            answer = app.get(f"AuditEvent?patient={of}{asked}")
            assert answer.status_code == 403
            assert outcome(answer)[0]["code"] == "forbidden"


@pytest.mark.parametrize("asked", ASKED)
def test_patient_and_carer_find_who_looked(cast: Cast, asked: str) -> None:
    cast.mary.create(proxy("access-log", "plan"))
    cast.nurse.read(TEAM)

    for app in (cast.mary, cast.ben):
        found = readers(events(app, asked))
        assert found == ({worker("nurse")} if ASKED[asked] else set())


def test_a_stranger_finds_nothing_of_her(cast: Cast) -> None:
    cast.nurse.read(TEAM)
    assert cast.other_gp.get(TEAM).status_code == 404

    assert events(cast.other_gp, "date=ge2020") == []


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("other_gp", "Condition/diabetes"),
        ("other_gp", MARY),
        ("nurse", "Condition/sealed"),
        ("social_worker", "Condition/therapy"),
        ("mary", "Flag/safeguarding"),
        ("ben", "Condition/diabetes"),
    ],
)
def test_events_of_what_is_hidden_are_asked_for_as_of_what_is_not_there(
    cast: Cast, name: str, hidden: str
) -> None:
    cast.mary.create(proxy("access-log", "plan"))
    app = {"mary": cast.mary, "ben": cast.ben}.get(name) or cast.app(name)
    unknown = f"{hidden.partition('/')[0]}/none-such"
    # Somebody read it, and the caller tried to.
    assert cast.system.get(hidden).status_code == 200
    cast.coordinator.get(hidden)
    assert {app.get(one).status_code for one in (hidden, unknown)} <= {403, 404}

    for asked in ("", "&date=ge2020", "&action=R", "&patient=mary", "&outcome=4", "&_count=1"):
        told = []
        for entity in (hidden, unknown):
            answer = app.get(f"AuditEvent?entity={entity}{asked}")
            bundle = answer.get_json()
            assert (answer.status_code, "entry" in bundle) == (200, False), asked
            kept = {key: one for key, one in bundle.items() if key not in ("id", "meta")}
            text = str(kept).replace(hidden, unknown)
            told.append((text, sorted(key for key, _ in answer.headers)))
        assert told[0] == told[1], asked


def test_of_a_search_that_found_only_what_is_hidden_the_patient_is_told_no_more(
    cast: Cast,
) -> None:
    """That somebody looked is told; not for what, what was found, or how much."""
    assert cast.nurse.read("Flag?patient=mary")["total"] == 1
    cast.nurse.read("CareTeam?patient=mary")

    [shown, hidden] = events(cast.mary, f"agent={worker('nurse')}&subtype=search")

    for word in ("Flag", "safeguarding", "query", "returned", "found", "total"):
        assert word not in str(hidden), word
    assert [one["what"] for one in hidden["entity"]] == [given.reference(MARY)]
    assert "CareTeam/team" in str(shown)
    assert cast.mary.read(f"AuditEvent/{hidden['id']}") == hidden
    # Nor does any question find it by that row.
    assert events(cast.mary, "entity=Flag/safeguarding") == []
