"""Statements are kept and run again: by their structure, and within one record by what is written.

A text may come from another search, for another caller; no value and no row may. What is kept is in
`ehr/store/templates.py` and `ehr/search/plan/shapes.py`.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ehr.audit.trail import Trail
from ehr.store.engine import of
from ehr.store.statement_cost import cost
from ehr.store.trace import traced
from tests import given
from tests.client import Client
from tests.counting import is_of_audit
from tests.spec.test_search import link, names
from tests.spec.test_search_visibility import COUNCIL, HOSPITAL, OPERATOR, REGION, create, search

Record = dict[str, Any]
PULSE, PRESSURE = "8867-4", "8480-6"

# One search for Mary and one for John that are written alike: both have one text.
ALIKE = {
    "code": ("Observation?patient=mary&code=8867-4", "Observation?patient=john&code=8480-6"),
    "sort": (
        "Observation?patient=mary&date=ge2024-01-01&_sort=-date",
        "Observation?patient=john&date=ge2023-05-06T10:00Z&_sort=-date",
    ),
    "number": (
        "Observation?patient=mary&value-quantity=lt80",
        "Observation?patient=john&value-quantity=lt140",
    ),
    "identifier": ("Patient?identifier=urn:n|m", "Patient?identifier=urn:n|j"),
    "name": ("Patient?name=mur&birthdate=1950-01-01", "Patient?name=smi&birthdate=1960-02-02"),
    "code of anybody": ("Observation?code=8867-4", "Observation?code=8480-6"),
    "has": (
        "Patient?_has:Observation:patient:code=8867-4",
        "Patient?_has:Observation:patient:code=8480-6",
    ),
    "chain": ("Observation?subject:Patient.name=mur", "Observation?subject:Patient.name=smi"),
    "include": (
        "Observation?patient=mary&_include=Observation:subject&_revinclude=Provenance:target",
        "Observation?patient=john&_include=Observation:subject&_revinclude=Provenance:target",
    ),
    "compartment": (
        "Patient/mary/Observation?status=final",
        "Patient/john/Observation?status=final",
    ),
}

# Written nearly alike, but each with a text of its own.
UNLIKE = (
    "Observation?{who}code=8867-4",
    "Observation?{who}code=http://loinc.org|8867-4",
    "Observation?{who}code=http://loinc.org|",
    "Observation?{who}code=|8867-4",
    "Observation?{who}code=8867-4,8480-6",
    "Observation?{who}code=8867-4,http://loinc.org|8480-6",
    "Observation?{who}code:not=8867-4",
    "Observation?{who}code:missing=false",
    "Observation?{who}code:missing=true",
    "Observation?{who}date=2024",
    "Observation?{who}date=2024-05-01",
    "Observation?{who}date=gt2024",
    "Observation?{who}date=le2024",
    "Observation?{who}date=ne2024",
    "Observation?{who}date=sa2024,eb2023",
    "Observation?{who}date=ap2024",
    "Observation?{who}value-quantity=72",
    "Observation?{who}value-quantity=72|http://unitsofmeasure.org|/min",
    "Observation?{who}value-quantity=72||/min",
    "Observation?{who}value-quantity=gt72",
    "Observation?{who}code-value-quantity=8867-4$gt70",
    "Observation?{who}value-string=steady",
    "Observation?{who}value-string:exact=Steady",
    "Observation?{who}value-string:contains=tea",
    "Observation?{who}value-string=steady,weak",
    "Observation?{who}",
)
CONTROLS = ("", "&_sort=date", "&_sort=-date", "&_sort=code,-date", "&_total=none",
            "&_total=accurate", "&_total=estimate", "&_summary=count")  # fmt: skip


@pytest.fixture
def people(client: Client) -> None:
    """Store Mary and John, who have different pulses and pressures on different days."""
    client.update(
        given.patient(id="mary", identifier=[{"system": "urn:n", "value": "m"}],
                      birthDate="1950-01-01")
    )  # fmt: skip
    client.update(
        given.patient("John", "Smith", id="john", birthDate="1960-02-02",
                      identifier=[{"system": "urn:n", "value": "j"}])
    )  # fmt: skip
    for who, code, values in (("mary", PULSE, (72, 75, 90)), ("john", PRESSURE, (120, 130, 150))):
        for number, value in enumerate(values):
            at = f"202{3 + number % 2}-05-0{number + 6}T10:30:00Z"
            client.update(
                given.observation(f"Patient/{who}", code=code, value=value, unit="/min",
                                  effectiveDateTime=at, id=f"{who}-{number}")
            )  # fmt: skip
        text = {"effectiveDateTime": "2022-01-01", "valueString": "Steady", "valueQuantity": None}
        words = given.observation(f"Patient/{who}", code=code, id=f"{who}-text") | text
        client.update({name: value for name, value in words.items() if value is not None})


@pytest.mark.parametrize("case", ALIKE)
def test_what_is_written_alike_has_one_text_and_its_own_answer(
    client: Client, people: None, statements: Callable[[], Any], case: str
) -> None:
    asked = dict(zip(("mary", "john"), ALIKE[case], strict=True))

    texts: dict[str, list[str]] = {}
    for _ in range(3):
        for who, request in asked.items():
            with statements() as seen:
                found = names(client.read(request))
            # Now and then the record looks up what it knows of itself, too.
            texts[who] = min(texts.get(who, seen), seen, key=len)
            assert found, request
            assert all(who in one for one in found), request

    assert texts["mary"] == texts["john"]


@pytest.mark.parametrize("who", ["", "patient=mary&", "patient=john&"], ids=["all", "mary", "john"])
def test_what_is_kept_changes_no_answer(
    client: Client, people: None, database: Any, who: str
) -> None:
    requests = [text.format(who=who) for text in UNLIKE]
    requests += [f"Observation?{who}status=final{more}" for more in CONTROLS]
    alone = {}
    for request in requests:
        database.shapes.clear()
        alone[request] = _answer(client, request)

    for request in (*requests, *reversed(requests)):
        assert _answer(client, request) == alone[request], request


@pytest.mark.parametrize("more", ["", "&_sort=-date", "&_sort=value-quantity,date"])
def test_walks_of_two_people_do_not_mix(client: Client, people: None, more: str) -> None:
    pages = {
        who: client.read(f"Observation?patient={who}&_count=1{more}") for who in ("mary", "john")
    }
    found: dict[str, list[str]] = {"mary": [], "john": []}
    while pages:
        for who, page in tuple(pages.items()):
            found[who] += names(page)
            address = link(page, "next")
            if address is None:
                del pages[who]
            else:
                pages[who] = client.read(address)

    for who, ids in found.items():
        whole = names(client.read(f"Observation?patient={who}{more}"))
        assert ids == whole
        assert len(ids) == 4
        assert all(who in one for one in ids)


@pytest.mark.parametrize(
    "request_text",
    ["Group?type=practitioner", "Group?", "Group?_sort=type", "Group?_summary=count",
     "List?subject:Group.type=practitioner", "Practitioner?_has:Group:member:type=practitioner",
     "Practitioner?_revinclude=Group:member", "?_type=Group,List&_sort=_lastUpdated"],
)  # fmt: skip
def test_no_caller_gets_what_was_found_for_another(record: Any, request_text: str) -> None:
    for owner in (HOSPITAL, COUNCIL):
        name = owner.id
        create(record, owner, given.practitioner(id=f"ross-{name}"))
        group = {"resourceType": "Group", "type": "practitioner", "actual": True,
                 "member": [{"entity": {"reference": f"Practitioner/ross-{name}"}}]}  # fmt: skip
        made = create(record, owner, group)
        about = {"reference": f"Group/{made['id']}"}
        create(record, owner, {"resourceType": "List", "status": "current", "mode": "working",
                               "subject": about})  # fmt: skip
    callers = (HOSPITAL, COUNCIL, OPERATOR, REGION)
    alone = {}
    for caller in callers:
        record.database.shapes.clear()
        alone[caller.id] = _shown(search(record, caller, request_text))

    for caller in (*callers, *reversed(callers)):
        assert _shown(search(record, caller, request_text)) == alone[caller.id]
    # Two owners see as many, each its own; the others none and all.
    assert len({str(one) for one in alone.values()}) == (3 if "count" in request_text else 4)


def test_long_lists_are_not_kept(client: Client, people: None, database: Any) -> None:
    many = ",".join(f"code-{n}" for n in range(300))
    database.shapes.clear()

    found = client.read(f"Observation?code={many},{PULSE}")

    assert all("mary" in one for one in names(found))
    assert not any(key[0] == "structure" for key in database.shapes)


def test_what_is_kept_is_bounded(client: Client, people: None, database: Any) -> None:
    for n in range(1_100):
        database.shapes[n] = None
    client.read(f"Observation?patient=mary&code={PULSE}")

    assert len(database.shapes) < 100
    assert names(client.read(f"Observation?patient=mary&code={PULSE}"))


def _answer(client: Client, request: str) -> str:
    response = client.get(request)
    return json.dumps(_shown(response.get_json())) if response.status_code == 200 else response.text


def _shown(bundle: dict[str, Any]) -> Any:
    entries = [json.dumps(one, sort_keys=True) for one in bundle.get("entry", ())]
    return bundle.get("total"), entries


@pytest.mark.parametrize("sort", ["date", "-date", "value-quantity,-date"])
def test_a_long_record_costs_no_more_a_row_than_a_short_one(
    client: Client, people: None, database: Any, sort: str, statements: Callable[[], Any]
) -> None:
    """No list of a record is read again for each match, whatever the planner expects; and what is
    audited costs as many statements."""
    path = f"Observation?patient=mary&code={PULSE}&date=ge2020&value-quantity=gt1&_sort={sort}"
    read, audited = [], []
    for size in (100, 300):
        made = [
            given.observation("Patient/mary", code=PULSE, value=n + 2, unit="/min",
                              effectiveDateTime=f"2024-02-01T{n % 24:02}:{n % 60:02}:00Z")
            for n in range(size)
        ]  # fmt: skip
        client.transact(given.transaction(*made))
        with statements() as ran:
            client.read(path)
        audited.append(len([sql for sql in ran if is_of_audit(sql)]))
        with database.read() as connection:
            read.append(_work(connection, path, client))

    assert read[1] < read[0] * 6
    assert audited == ([1, 1] if database.dialect == "postgresql" else [2, 2])


def _work(connection: Any, path: str, client: Client) -> int:
    """Return the rows that PostgreSQL reads for a search, or the steps that SQLite takes.

    The trail has a connection of its own, so that it is not part of what one connection does.
    """
    of(connection)._local.joined = connection
    try:
        with traced(connection) as found, pytest.MonkeyPatch.context() as patch:
            patch.setattr(Trail, "record", lambda *_: None)
            client.read(path)
    finally:
        of(connection)._local.joined = None
    page = cost(connection, found[-1])
    return page.rows_read or page.instructions or 0
