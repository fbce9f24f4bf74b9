"""$everything: a whole record, nobody else's, in one Bundle or in pages, in constant statements."""

import base64
import json
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests import given
from tests.client import BASE, Client, expect, outcome
from tests.counting import is_of_audit
from tests.shared_data import shared

Statements = Callable[[], AbstractContextManager[list[str]]]


def entries(bundle: dict[str, Any], mode: str | None = None) -> list[str]:
    """Return what a Bundle holds, as `Type/id`, in its order."""
    assert bundle["type"] == "searchset"
    found = [entry for entry in bundle.get("entry", []) if mode in (None, entry["search"]["mode"])]
    for entry in found:
        assert entry["fullUrl"].endswith(name(entry["resource"]))
    return [name(entry["resource"]) for entry in found]


def name(resource: dict[str, Any]) -> str:
    """Return `Type/id`."""
    return f"{resource['resourceType']}/{resource['id']}"


def link(bundle: dict[str, Any], relation: str) -> str | None:
    """Return the path of a link."""
    urls = [one["url"] for one in bundle["link"] if one["relation"] == relation]
    return urls[0].partition(f"{BASE}/")[2] if urls else None


def walk(client: Client, path: str) -> list[dict[str, Any]]:
    """Return all pages from here on."""
    pages = []
    step: str | None = path
    while step is not None:
        pages.append(client.read(step))
        step = link(pages[-1], "next")
    return pages


class Ward:
    """Two patients of one surgery, with a visit, a plan and readings of the first."""

    def __init__(self, client: Client) -> None:
        make = client.create
        self.surgery = make(given.organisation())
        self.doctor = make(given.practitioner())
        self.mary = make(
            given.patient(
                generalPractitioner=[given.reference(self.doctor)],
                managingOrganization=given.reference(self.surgery),
            )
        )
        self.john = make(given.patient("John", link=[self._see_also()]))
        self.visit = make(given.encounter(self.mary, "2024-05-01T09:00:00Z"))
        self.older = make(given.encounter(self.mary, "2020-01-01T09:00:00Z"))
        self.reading = make(
            given.observation(
                self.mary,
                encounter=given.reference(self.visit),
                performer=[given.reference(self.doctor)],
            )
        )
        self.goal = make(given.goal(self.mary))
        self.team = make(given.care_team(self.mary, self.doctor))
        self.plan = make(
            given.care_plan(
                self.mary,
                goal=[given.reference(self.goal)],
                careTeam=[given.reference(self.team)],
                period={"start": "2019-01-01"},
            )
        )
        self.other = make(given.observation(self.john))
        self.appointment = make(self._appointment(self.mary, self.john))
        self.marys = [
            name(each)
            for each in (
                self.mary, self.visit, self.older, self.reading, self.goal, self.team, self.plan,
                self.appointment,
            )
        ]  # fmt: skip

    def _see_also(self) -> dict[str, Any]:
        return {"type": "seealso", "other": given.reference(self.mary)}

    def _appointment(self, *who: dict[str, Any]) -> dict[str, Any]:
        people = [{"actor": given.reference(each), "status": "accepted"} for each in who]
        return {"resourceType": "Appointment", "status": "booked", "participant": people}


@pytest.fixture
def ward(client: Client) -> Ward:
    """Give the ward."""
    return Ward(client)


def test_a_patient_with_all_and_what_it_refers_to(client: Client, ward: Ward) -> None:
    bundle = client.read(f"{name(ward.mary)}/$everything")

    matches, included = entries(bundle, "match"), entries(bundle, "include")
    assert sorted(matches) == sorted(ward.marys)
    assert set(included) == {name(ward.doctor), name(ward.surgery)}
    assert bundle["total"] == len(ward.marys)
    assert link(bundle, "next") is None
    stored = {name(entry["resource"]): entry["resource"] for entry in bundle["entry"]}
    assert stored[name(ward.reading)] == ward.reading


def test_a_patient_whose_link_leads_to_another(client: Client, ward: Ward) -> None:
    bundle = client.read(f"{name(ward.john)}/$everything")

    assert set(entries(bundle)) == {name(ward.john), name(ward.other), name(ward.appointment)}


def test_by_post_as_by_get(client: Client, ward: Ward) -> None:
    path = f"{name(ward.mary)}/$everything"
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_type", "valueCode": "Encounter"},
            {"name": "end", "valueDate": "2023-12-31"},
            {"name": "_count", "valueInteger": 5},
        ],
    }

    by_post = expect(client.post(path, body), 200)

    assert entries(by_post) == [name(ward.older)]
    assert entries(client.read(link(by_post, "self") or "")) == [name(ward.older)]


def test_types(client: Client, ward: Ward) -> None:
    path = f"{name(ward.mary)}/$everything?_type="

    assert set(entries(client.read(f"{path}Goal,Practitioner"))) == {
        name(ward.goal),
        name(ward.doctor),
    }
    assert entries(client.read(f"{path}Goal&_type=Goal")) == [name(ward.goal)]
    assert entries(client.read(f"{path}Slot")) == []


def test_what_changed_since(client: Client, ward: Ward) -> None:
    path = f"{name(ward.mary)}/$everything"
    before = client.read(path)["meta"]["lastUpdated"]
    client.update(ward.goal | {"description": {"text": "Walk further"}})
    client.update(ward.surgery | {"name": "Leith Links Surgery"})
    client.update(ward.other | {"status": "amended"})

    changed = client.read(f"{path}?_since={before}")

    found = set(entries(changed))
    assert {name(ward.goal), name(ward.surgery)} <= found
    assert not found & {name(ward.mary), name(ward.visit), name(ward.doctor), name(ward.other)}


@pytest.mark.parametrize(
    ("query", "visits", "has_plan"),
    [
        ("start=2024-05-01&end=2024-05-01", ["visit"], True),
        ("start=2024", ["visit"], True),
        ("end=2019-12-31", [], True),
        ("end=2018", [], False),
        ("start=2020-01-01&end=2020-12-31", ["older"], True),
        ("start=2019-06-01&end=2019-07-01", [], True),
    ],
    ids=["day", "from", "until", "before-all", "year", "plan-goes-on"],
)
def test_care_dates(
    client: Client, ward: Ward, query: str, visits: list[str], has_plan: bool
) -> None:
    # The visits ended when they began, as far as anybody wrote down.
    for visit in (ward.visit, ward.older):
        start = visit["period"]["start"]
        client.update(visit | {"period": {"start": start, "end": start}})

    found = entries(client.read(f"{name(ward.mary)}/$everything?{query}"), "match")

    assert [each for each in found if each.startswith("Encounter/")] == [
        name(getattr(ward, visit)) for visit in visits
    ]
    assert (name(ward.plan) in found) is has_plan
    assert name(ward.mary) in found  # people have no care date


@pytest.mark.parametrize("size", [1, 3, 8, 9, 100])
def test_pages_hold_everything_once(client: Client, ward: Ward, size: int) -> None:
    path = f"{name(ward.mary)}/$everything"

    pages = walk(client, f"{path}?_count={size}")

    found = [each for page in pages for each in entries(page)]
    assert sorted(found) == sorted([*ward.marys, name(ward.doctor), name(ward.surgery)])
    assert all(len(entries(page)) <= size for page in pages)
    assert len({page["meta"]["lastUpdated"] for page in pages}) == 1


def test_a_walk_shows_what_was_there_when_it_began(client: Client, ward: Ward) -> None:
    first = client.read(f"{name(ward.mary)}/$everything?_count=3")
    new = client.create(given.observation(ward.mary))

    rest = walk(client, link(first, "next") or "")

    assert name(new) not in [each for page in rest for each in entries(page)]


def test_a_cursor_is_of_its_own_walk(client: Client, ward: Ward) -> None:
    step = link(client.read(f"{name(ward.mary)}/$everything?_count=3"), "next") or ""

    foreign = client.get(step.replace(ward.mary["id"], ward.john["id"]))
    broken = client.get(step[:-4])

    assert (foreign.status_code, broken.status_code) == (400, 400)


def test_deleted_resources_are_not_there(client: Client, ward: Ward) -> None:
    client.delete(name(ward.reading))

    bundle = client.read(f"{name(ward.mary)}/$everything")

    assert name(ward.reading) not in entries(bundle)


def test_everyone(client: Client, ward: Ward) -> None:
    pages = walk(client, "Patient/$everything?_count=4")

    found = [each for page in pages for each in entries(page)]
    assert len(found) == len(set(found))
    assert set(found) == {
        *ward.marys, name(ward.john), name(ward.other), name(ward.doctor), name(ward.surgery),
    }  # fmt: skip


def test_an_encounter_with_what_happened_in_it(client: Client, ward: Ward) -> None:
    bundle = client.read(f"{name(ward.visit)}/$everything")

    assert set(entries(bundle, "match")) == {name(ward.visit), name(ward.reading)}
    assert set(entries(bundle, "include")) == {name(ward.mary), name(ward.doctor)}


def test_a_care_plan_with_its_parts(client: Client, ward: Ward) -> None:
    task = client.create(
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "for": given.reference(ward.mary),
            "basedOn": [given.reference(ward.plan)],
        }
    )

    bundle = client.read(f"{name(ward.plan)}/$everything")

    assert set(entries(bundle, "match")) == {
        name(each) for each in (ward.plan, ward.goal, ward.team, task)
    }
    assert set(entries(bundle, "include")) == {name(ward.mary), name(ward.doctor)}


def test_binaries_that_attachments_lead_to(client: Client, ward: Ward) -> None:
    letter, private = (
        client.create(given.binary()),
        client.create(given.binary(securityContext=given.reference(ward.john))),
    )
    for each in (letter, private):
        attachment = {"contentType": "text/plain", "url": name(each)}
        client.create(
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "subject": given.reference(ward.mary),
                "content": [{"attachment": attachment}],
            }
        )

    bundle = client.read(f"{name(ward.mary)}/$everything")

    assert name(letter) in entries(bundle, "include")
    assert name(private) not in entries(bundle)
    only = client.read(f"{name(ward.mary)}/$everything?_type=Binary,DocumentReference")
    assert len(entries(only)) == 3


def test_a_large_binary_is_named_but_not_carried(client: Client, ward: Ward) -> None:
    data = base64.b64encode(bytes(200_000)).decode()
    scan = client.create(given.binary(data, securityContext=given.reference(ward.mary)))

    bundle = client.read(f"{name(ward.mary)}/$everything?_type=Binary")

    assert entries(bundle) == [name(scan)]
    assert "data" not in bundle["entry"][0]["resource"]


def test_what_is_not_there(client: Client, ward: Ward) -> None:
    client.delete(name(ward.reading))
    client.delete(name(ward.visit))

    assert client.get("Patient/nobody/$everything").status_code == 404
    assert client.get(f"{name(ward.visit)}/$everything").status_code == 410
    assert client.get(f"{name(ward.other)}/$everything").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["_count=0", "_count=-1", "_count=x", "_type=Patiant", "_since=yesterday", "start=2024-13-01",
     "start=2024-02-01&end=2024-01-01", "end=2024&end=2025", "colour=blue", "_cursor=AAAA"],
)  # fmt: skip
def test_parameters_that_make_no_sense(client: Client, ward: Ward, query: str) -> None:
    answer = client.get(f"{name(ward.mary)}/$everything?{query}")

    assert answer.status_code == 400
    assert outcome(answer)


def test_a_summary(client: Client, ward: Ward) -> None:
    bundle = client.read(f"{name(ward.mary)}/$everything?_type=Patient&_summary=data")

    assert bundle["entry"][0]["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"


@pytest.mark.parametrize("path", ["{mary}", "{mary}?_count=5", "{visit}", "{plan}", "Patient"])
def test_statements_do_not_grow_with_the_record(
    client: Client, ward: Ward, statements: Statements, path: str
) -> None:
    place, _, query = path.format(
        mary=name(ward.mary), visit=name(ward.visit), plan=name(ward.plan)
    ).partition("?")
    address = f"{place}/$everything?{query}"
    with statements() as small:
        client.read(address)
    more = [
        given.observation(
            ward.mary,
            encounter=given.reference(ward.visit),
            basedOn=[given.reference(ward.plan)],
            performer=[given.reference(ward.doctor)],
        )
        for _ in range(30)
    ]
    client.transact(given.transaction(*more))

    with statements() as large:
        client.read(address)

    counted = [len([sql for sql in ran if not is_of_audit(sql)]) for ran in (small, large)]
    assert counted[0] == counted[1] <= 8


def test_a_synthea_record_comes_back_whole(client: Client) -> None:
    with tarfile.open(shared("synthea/synthea-2018-r4-smart.tar.gz")) as archive:
        files = [member for member in archive.getmembers() if member.name.endswith(".json")][:5]
        texts = sorted((archive.extractfile(each).read() for each in files), key=len)  # type: ignore[union-attr]  # files
    first, second = (json.loads(text) for text in (texts[0], texts[-1]))

    loaded = [_places(client.transact(each)) for each in (first, second)]

    patient = next(place for place in loaded[1] if place.startswith("Patient/"))
    found = entries(client.read(f"{patient}/$everything"))
    assert sorted(found) == sorted(loaded[1])


def _places(answer: dict[str, Any]) -> list[str]:
    return [
        "/".join(entry["response"]["location"].rpartition("/_history/")[0].split("/")[-2:])
        for entry in answer["entry"]
    ]
