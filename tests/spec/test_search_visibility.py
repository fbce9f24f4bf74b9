"""A search shows, counts and follows only what the caller may see; conditions match no more.

ehr/README.md, *Owner and key*: unfiled rows belong to one organisation.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from auth.principal import Principal
from ehr.messages import Document, Interaction
from ehr.pipeline import handle
from ehr.search.criteria import find
from tests import given
from tests.spec.test_search import names

HOSPITAL = Principal("h", "system", "Hospital", "Organization/hospital")
COUNCIL = Principal("c", "system", "Council", "Organization/council")
REGION = Principal("r", "system", "Region")
OPERATOR = Principal("o", "operator", "Operator")


@pytest.fixture
def group(record: Any) -> dict[str, Any]:
    """Give an unfiled Group of the hospital, with its practitioner and a list about it."""
    create(record, HOSPITAL, {"resourceType": "Practitioner", "id": "ross"})
    made = create(
        record,
        HOSPITAL,
        {
            "resourceType": "Group",
            "type": "practitioner",
            "actual": True,
            "name": "Night shift",
            "member": [{"entity": {"reference": "Practitioner/ross"}}],
            "characteristic": [
                {"code": {"coding": [{"code": "male"}]}, "valueBoolean": True, "exclude": False}
            ],
        },
    )
    create(
        record,
        HOSPITAL,
        {
            "resourceType": "List",
            "status": "current",
            "mode": "working",
            "subject": {"reference": f"Group/{made['id']}"},
        },
    )
    return made


def create(record: Any, principal: Principal, resource: dict[str, Any]) -> dict[str, Any]:
    raw = json.dumps(resource).encode()
    interaction = Interaction(
        name="update" if "id" in resource else "create",
        type=resource["resourceType"],
        id=resource.get("id"),
        document=Document(raw, resource),
        base="http://here/fhir",
    )
    body = handle(record, principal, interaction).body
    stored: dict[str, Any] = json.loads(body or b"{}")
    return stored


def search(record: Any, principal: Principal, request: str) -> dict[str, Any]:
    type, _, query = request.partition("?")
    interaction = Interaction(
        name="search-type" if type else "search-system",
        type=type or None,
        params=tuple(parse_qsl(query)),
        base="http://here/fhir",
    )
    bundle: dict[str, Any] = json.loads(handle(record, principal, interaction).body or b"")
    return bundle


@pytest.mark.parametrize(
    ("principal", "sees"),
    [(HOSPITAL, True), (REGION, True), (COUNCIL, False), (OPERATOR, False)],
    ids=["own", "none", "other", "operator"],
)
def test_unfiled_rows_are_seen_by_their_organisation(
    record: Any, group: dict[str, Any], principal: Principal, sees: bool
) -> None:
    found = names(search(record, principal, "Group?"))
    total = search(record, principal, "Group?_summary=count")["total"]

    assert found == ([f"Group/{group['id']}"] if sees else [])
    assert total == len(found)


@pytest.mark.parametrize(
    "request_text",
    [
        "Group?_id={id}",
        "List?subject:Group.type=practitioner",
        "Practitioner?_has:Group:member:type=practitioner",
        "?_type=Group",
        "Group?_content=night",
        "Group?_content:missing=false",
        "List?subject:Group._content=night",
        "Practitioner?_has:Group:member:_content=shift",
        "Group?characteristic-value=male$true",
        "Practitioner?_has:Group:member:characteristic-value=male$true",
        "List?subject:Group.characteristic-value=male$true",
    ],
)
def test_no_search_finds_by_what_is_hidden(
    record: Any, group: dict[str, Any], request_text: str
) -> None:
    request_text = request_text.format(id=group["id"])

    assert names(search(record, HOSPITAL, request_text))
    assert names(search(record, COUNCIL, request_text)) == []


def test_neither_lists_nor_filters_lead_through_what_is_hidden(
    record: Any, group: dict[str, Any]
) -> None:
    named = {"item": {"reference": "Practitioner/ross"}}
    working = {"resourceType": "List", "status": "current", "mode": "working", "entry": [named]}
    hidden = create(record, HOSPITAL, working | {"subject": {"reference": f"Group/{group['id']}"}})
    mary = create(record, REGION, given.patient())
    focus = [{"reference": f"Group/{group['id']}"}]
    seen = create(record, REGION, given.observation(mary, focus=focus))
    leads = "focus[member re Practitioner/ross].type eq practitioner"

    for request_text, found in (
        (f"Practitioner?_list={hidden['id']}", "Practitioner/ross"),
        (f"Observation?_filter={leads}", f"Observation/{seen['id']}"),
        (f"Observation?_filter={leads} or status eq amended", f"Observation/{seen['id']}"),
        (f"Observation?_filter=not (not ({leads}))", f"Observation/{seen['id']}"),
    ):
        assert names(search(record, HOSPITAL, request_text)) == [found], request_text
        assert names(search(record, COUNCIL, request_text)) == [], request_text
    # What is not hidden stays, whatever it is sorted by.
    everybody = names(search(record, COUNCIL, "Observation?_sort=focus&_total=estimate"))
    assert everybody == [f"Observation/{seen['id']}"]
    assert names(search(record, COUNCIL, "Group?_filter=not (type eq animal)")) == []


@pytest.mark.parametrize(
    "request_text",
    [
        "Practitioner?_revinclude=Group:member",
        "Practitioner?_revinclude=Group:member&_revinclude:iterate=List:subject",
        "Practitioner?_revinclude=*",
    ],
)
def test_includes_neither_show_nor_pass_through_what_is_hidden(
    record: Any, group: dict[str, Any], request_text: str
) -> None:
    assert f"Group/{group['id']}" in names(search(record, HOSPITAL, request_text), "include")
    assert names(search(record, COUNCIL, request_text), "include") == []


def test_nothing_inside_what_is_hidden_leads_anywhere(record: Any) -> None:
    """A Group of the hospital has its practitioner inside; all may see who names it."""
    create(record, REGION, given.patient(id="mary"))
    create(record, REGION, given.organisation(id="leith"))
    inside = {
        "contained": [
            {"resourceType": "Practitioner", "id": "p", "name": [{"family": "Ross"}]},
            given.organisation("Within", id="o", partOf={"reference": "Organization/leith"}),
        ],
        "member": [{"entity": {"reference": "#p"}}],
        "managingEntity": {"reference": "#o"},
    }
    hidden = create(
        record,
        HOSPITAL,
        {"resourceType": "Group", "type": "practitioner", "actual": True} | inside,
    )
    focus = [{"reference": f"Group/{hidden['id']}"}]
    seen = create(record, REGION, given.observation("Patient/mary", focus=focus))

    for request_text, found in (
        ("Group?member:Practitioner.name=ross", f"Group/{hidden['id']}"),
        ("Observation?focus:Group.member:Practitioner.name=ross", f"Observation/{seen['id']}"),
        ("Observation?focus:Group.managing-entity:Organization.partof=leith",
         f"Observation/{seen['id']}"),
        ("Observation?_filter=focus[type eq practitioner].member pr true",
         f"Observation/{seen['id']}"),
    ):  # fmt: skip
        assert names(search(record, HOSPITAL, request_text)) == [found], request_text
        assert names(search(record, COUNCIL, request_text)) == [], request_text
    for request_text in (
        "Organization?_revinclude=Organization:partof",
        "Organization?_revinclude=*",
        "Organization?_has:Organization:partof:name=within",
        "Practitioner?name=ross",
    ):
        for principal in (HOSPITAL, COUNCIL):
            assert "Within" not in json.dumps(search(record, principal, request_text))
            assert "Ross" not in json.dumps(search(record, principal, request_text))


def test_canonicals_lead_to_and_from_no_more_than_may_be_seen(record: Any) -> None:
    """An answer of the hospital's, filed under nobody, and a form that is everybody's."""
    form = {"resourceType": "Questionnaire", "id": "falls", "url": "urn:falls", "title": "Falls"}
    create(record, REGION, form | {"status": "active"})
    answer = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    hidden = create(record, HOSPITAL, answer | {"questionnaire": "urn:falls"})
    link = "QuestionnaireResponse:questionnaire"

    for request_text, found, mode in (
        ("QuestionnaireResponse?questionnaire.title=falls", hidden, "match"),
        (f"Questionnaire?_has:{link}:status=completed", form, "match"),
        (f"Questionnaire?_revinclude={link}", hidden, "include"),
        ("Questionnaire?_revinclude=*", hidden, "include"),
        (f"QuestionnaireResponse?_include={link}", form, "include"),
    ):
        name = f"{found['resourceType']}/{found['id']}"
        assert names(search(record, HOSPITAL, request_text), mode) == [name], request_text
        assert names(search(record, COUNCIL, request_text), mode) == [], request_text


def test_no_hierarchy_is_followed_through_what_is_hidden(record: Any) -> None:
    create(record, REGION, given.patient(id="mary"))
    group = create(record, HOSPITAL, {"resourceType": "Group", "type": "person", "actual": True})
    steps = {"top": "Patient/mary", "hidden": f"Group/{group['id']}", "low": "Patient/mary"}
    above: str | None = None
    for id, subject in steps.items():
        part = {"partOf": {"reference": f"Encounter/{above}"}} if above else {}
        create(record, HOSPITAL, given.encounter(subject, id=id, **part))
        above = id
    request = "Encounter?part-of:below=top&_id=low"

    assert names(search(record, HOSPITAL, request)) == ["Encounter/low"]
    assert names(search(record, COUNCIL, request)) == []


@pytest.mark.parametrize("order", ["item", "-item"])
def test_the_order_does_not_tell_what_is_hidden(record: Any, order: str) -> None:
    """What is hidden sorts as what does not exist: by the number of the row, among those."""

    def group(principal: Principal, id: str) -> None:
        more = {"type": "person", "actual": True, "name": id}
        create(record, principal, {"resourceType": "Group", "id": id} | more)

    def listing(id: str, item: str) -> None:
        items = [{"item": {"reference": item}}]
        more = {"status": "current", "mode": "working", "entry": items}
        create(record, COUNCIL, {"resourceType": "List", "id": id} | more)

    group(COUNCIL, "early")
    group(HOSPITAL, "secret")
    group(COUNCIL, "late")
    listing("a", "Group/late")
    listing("b", "Group/nowhere")
    listing("c", "Group/secret")
    listing("d", "Group/nothing")
    listing("e", "Group/early")

    found = names(search(record, COUNCIL, f"List?_sort={order}"))

    seen, unseen = ["e", "a"], ["b", "c", "d"]
    expected = [*seen, *unseen] if order == "item" else [*seen[::-1], *unseen[::-1]]
    assert found == [f"List/{id}" for id in expected]


def test_a_cursor_is_of_no_use_to_another_caller(record: Any) -> None:
    from ehr.errors import Invalid

    for _ in range(3):
        create(record, HOSPITAL, given.organisation())
    links = search(record, HOSPITAL, "Organization?_count=1")["link"]
    query = next(one["url"] for one in links if one["relation"] == "next").partition("?")[2]

    assert names(search(record, HOSPITAL, f"Organization?{query}"))
    with pytest.raises(Invalid, match="_cursor"):
        search(record, COUNCIL, f"Organization?{query}")


def test_conditions_match_what_the_caller_may_see(record: Any, group: dict[str, Any]) -> None:
    def matches(principal: Principal, limit: int = 2) -> list[str]:
        with record.database.read() as connection:
            rows = find(
                record, principal, connection, "Group", (("type", "practitioner"),), limit=limit
            )
        return [row.id for row in rows]

    assert matches(HOSPITAL) == [group["id"]]
    assert matches(COUNCIL) == []


def test_conditions_return_no_more_than_asked_for(record: Any) -> None:
    for _ in range(3):
        create(record, REGION, given.organisation("Leith"))

    with record.database.read() as connection:
        rows = find(record, REGION, connection, "Organization", (("name", "leith"),), limit=2)

    assert len(rows) == 2
