"""Provenance that the record tells by itself: who made each version, for who may see it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import delete, select

from ehr.interactions.provenance.ids import opened, sealed
from ehr.store.tables import provenance_fact
from fhir_profiles.validator import validate
from tests import given
from tests.client import Client, expect, outcome
from tests.policy.conftest import proxy_of
from tests.policy.staff import REID, put_ward, staff
from tests.policy.test_provenance_header import GOAL, sent

if TYPE_CHECKING:
    from ehr.record import Record
    from ehr.store.engine import Database

App = Callable[..., Client]


@pytest.fixture
def ward(client: Client) -> Client:
    """Store patients and staff."""
    put_ward(client)
    return client


def told(client: Client, path: str) -> list[dict[str, Any]]:
    """Return the Provenance about a resource, as a search by its target gives it."""
    bundle = client.read(f"Provenance?target={path}")
    found = [one["resource"] for one in bundle.get("entry", ())]
    assert bundle.get("total", len(found)) == len(found)
    return found


def summed_up(found: dict[str, Any]) -> tuple[Any, ...]:
    agent = found["agent"][0]
    role = agent["role"][0]["coding"][0]["code"]
    return found["activity"]["coding"][0]["code"], agent["who"].get("reference"), role


def test_each_version_tells_who_made_it(ward: Client, record: "Record") -> None:
    app = staff(record)
    made = expect(app.post("Goal", GOAL), 201)
    path = f"Goal/{made['id']}"
    expect(app.put(path, made | {"priority": {"text": "high"}}, If_Match='W/"1"'), 200)
    ward.delete(path)
    ward.update(made)

    found = told(ward, path)

    assert [summed_up(one) for one in found] == [
        ("UPDATE", None, "system"),
        ("DELETE", None, "system"),
        ("UPDATE", REID, "gp"),
        ("CREATE", REID, "gp"),
    ]
    assert [one["target"][0]["reference"] for one in found] == [
        f"{path}/_history/{number}" for number in (4, 3, 2, 1)
    ]
    first = found[-1]
    assert first["agent"][0]["onBehalfOf"] == given.reference("Organization/surgery")
    assert first["agent"][1]["who"]["identifier"]["value"] == "tests"
    assert first["recorded"] == made["meta"]["lastUpdated"]
    assert [validate(one) for one in found] == [[]] * 4


def test_it_is_read_and_asked_again_like_any_resource(ward: Client) -> None:
    [one] = told(ward, "Patient/mary")
    path = f"Provenance/{one['id']}"

    answer = ward.get(path)

    assert json.loads(answer.data) == one
    assert answer.headers["ETag"] == 'W/"1"'
    assert ward.read(f"{path}/_history/1") == one
    assert ward.get(f"{path}/_history/2").status_code == 404
    assert ward.get(path, If_None_Match='W/"1"').status_code == 304
    assert ward.get(path, Accept="application/fhir+xml").status_code == 200
    assert set(ward.read(f"{path}?_elements=recorded")) >= {"recorded", "agent", "meta"}


def test_nobody_writes_there(ward: Client) -> None:
    [one] = told(ward, "Patient/mary")
    path = f"Provenance/{one['id']}"
    patch = [{"op": "replace", "path": "/recorded", "value": "2020-01-01T00:00:00Z"}]

    answers = [ward.put(path, one), ward.patch(path, patch), ward.delete(path)]

    assert [answer.status_code for answer in answers] == [405] * 3
    assert told(ward, "Patient/mary") == [one]


def test_what_was_sent_comes_first_and_all_is_counted(ward: Client) -> None:
    made = expect(ward.post("Goal", GOAL, **sent()), 201)
    path = f"Goal/{made['id']}"

    bundle = ward.read(f"Provenance?target={path}")

    ids = [one["resource"]["id"] for one in bundle["entry"]]
    assert bundle["total"] == 2
    assert [id.startswith("auto-") for id in ids] == [False, True]
    assert ward.read(f"Provenance?target={path}&_count=0")["total"] == 2
    pages = [ward.read(f"Provenance?target={path},Patient/mary&_count=1")]
    while follows := [one["url"] for one in pages[-1]["link"] if one["relation"] == "next"]:
        pages.append(ward.read(follows[0].partition("/fhir/")[2]))
    walked = [one["resource"]["id"] for page in pages for one in page["entry"]]
    assert len(walked) == len(set(walked)) == 3


def test_one_version_may_be_asked_for(ward: Client) -> None:
    ward.update(ward.read("Patient/mary") | {"gender": "other"})

    assert len(told(ward, "Patient/mary")) == 2
    [one] = told(ward, "Patient/mary/_history/2")
    assert one["target"][0]["reference"] == "Patient/mary/_history/2"
    assert told(ward, "Patient/mary/_history/3") == []
    assert told(ward, "Patient/nobody") == []


def test_who_sees_no_target_sees_nobody_s_hand_in_it(ward: Client, client_with: App) -> None:
    ward.update(given.observation("Patient/mary", id="hers"))
    ward.update(given.observation("Patient/john", id="his"))
    ids = {name: told(ward, f"Observation/{name}")[0]["id"] for name in ("hers", "his")}

    hers = client_with("patient/Observation.rs patient/Provenance.rs", patient="mary")
    assert [one["id"] for one in told(hers, "Observation/hers")] == [ids["hers"]]
    assert hers.get(f"Provenance/{ids['hers']}").status_code == 200
    assert told(hers, "Observation/his") == []
    unknown = "Provenance/auto-" + "a" * (len(ids["his"]) - 5)
    answers = [hers.get(path) for path in (f"Provenance/{ids['his']}", unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    blind = client_with("patient/Provenance.rs", patient="mary")
    assert told(blind, "Observation/hers") == []
    assert blind.get(f"Provenance/{ids['hers']}").status_code == 404
    dumb = client_with("patient/Observation.rs", patient="mary")
    assert dumb.get(f"Provenance/{ids['hers']}").status_code == 403
    assert dumb.get("Provenance?target=Observation/hers").status_code == 403


def test_a_carer_writes_for_the_patient(ward: Client, client_with: App) -> None:
    for each in proxy_of("mary"):
        ward.update(each)
    carer = client_with("patient/*.cruds", kind="carer", patient="mary")
    made = expect(carer.post("Goal", GOAL | {"lifecycleStatus": "proposed"}), 201)

    [one] = told(ward, f"Goal/{made['id']}")

    assert one["agent"][0]["who"] == given.reference("RelatedPerson/ben")
    assert one["agent"][0]["onBehalfOf"] == given.reference("Patient/mary")


def test_a_transaction_is_one_row(ward: Client, database: "Database") -> None:
    def count() -> int:
        with database.read() as connection:
            return len(connection.execute(select(provenance_fact)).all())

    before = count()
    ward.transact(given.transaction(*[GOAL] * 20))
    assert count() == before + 1
    ward.update(ward.read("Patient/mary"))  # changes nothing
    assert count() == before + 1


def test_who_shares_a_transaction_is_told_apart(ward: Client, record: "Record") -> None:
    people = [f"Practitioner/{name}" for name in ("reid", "ann", "officer", "con")] * 4
    apps = [staff(record, person=person, role="nurse") for person in people]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda app: expect(app.post("Goal", GOAL), 201)["id"], apps))

    tellers = [told(ward, f"Goal/{id}")[0]["agent"][0]["who"]["reference"] for id in made]

    assert tellers == people


def test_versions_from_before_tell_their_author(ward: Client, database: "Database") -> None:
    database.write(lambda connection: connection.execute(delete(provenance_fact)))

    [one] = told(ward, "Patient/mary")

    assert one["agent"][0]["who"]["identifier"]["value"]
    assert validate(one) == []


def test_it_comes_along_with_what_is_found(ward: Client, client_with: App) -> None:
    for name in ("mary", "john"):
        ward.update(given.observation(f"Patient/{name}", id=name))
    ward.update(given.observation("Patient/mary", id="mary", note=[{"text": "é"}]))
    query = "Observation?_revinclude=Provenance:target"

    def along(app: Client) -> dict[str, str]:
        entries = app.read(query).get("entry", ())
        return {
            one["resource"]["target"][0]["reference"]: one["search"]["mode"]
            for one in entries
            if one["resource"]["resourceType"] == "Provenance"
        }

    hers = {"Observation/mary/_history/2": "include"}
    assert along(ward) == {}  # a system is brought what is stored
    both = "patient/Observation.rs patient/Provenance.rs"
    assert along(client_with(both, patient="mary")) == hers
    assert along(client_with("user/*.rs", kind="professional")) == hers
    nothing = f"Observation?code=none-such&{query.partition('?')[2]}"
    assert "entry" not in client_with(both, patient="mary").read(nothing)


@pytest.mark.parametrize("query", ["target=Goal/x&recorded=ge2020", "agent=Practitioner/reid"])
def test_other_searches_find_what_was_sent(ward: Client, query: str) -> None:
    assert "entry" not in ward.read(f"Provenance?{query}")


_numbers = st.integers(-(2**63), 2**63 - 1)


@for_all(_numbers, _numbers, st.integers(0, 2**31 - 1), st.binary(min_size=16, max_size=64))
def test_an_id_is_of_one_place_and_nobody_makes_one_up(
    key: int, rid: int, version: int, secret: bytes
) -> None:
    id = sealed(secret, (key, rid, version))

    assert len(id) <= 64
    assert opened(secret, id) == (key, rid, version)
    assert opened(b"another secret of ours", id) is None
    changed = id[:-3] + ("b" if id[-3] != "b" else "c") + id[-2:]
    assert opened(secret, changed) is None


@pytest.mark.parametrize("id", ["auto-", "auto-x", "auto-0189", "mine", "auto-" + "a" * 45])
def test_what_is_no_id_of_ours_is_none(id: str) -> None:
    assert opened(b"a secret of sixteen", id) is None


def test_a_refusal_names_no_number(ward: Client) -> None:
    answer = ward.get("Provenance/auto-nothing")

    assert answer.status_code == 404
    assert outcome(answer)[0]["diagnostics"] == "There is no Provenance/auto-nothing."
