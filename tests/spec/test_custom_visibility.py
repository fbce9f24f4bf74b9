"""Parameters that the record adds show no more than others: each path to a row asks who sees it."""

from typing import Any

import pytest

from ehr.operations.reindexing.asked import Asked
from ehr.operations.reindexing.job import take
from tests.given_parameters import search_parameter
from tests.spec.test_search import names
from tests.spec.test_search_visibility import COUNCIL, HOSPITAL, REGION, create, search

REQUESTS = [
    "Group?shift=Night%20shift",
    "Group?shift:missing=false",
    "Group?_filter=shift%20sw%20night",
    "Group?_sort=shift&shift=night",
    "Group?told-of.staff=true",
    "Group?shift-of=night$true",
    "List?about.shift=night",
    "Practitioner?_has:Group:told-of:shift=night",
]


@pytest.fixture
def group(record: Any) -> dict[str, Any]:
    """Give an unfiled Group of the hospital that parameters of the record are about."""
    create(record, HOSPITAL, {"resourceType": "Practitioner", "id": "ross", "active": True})
    night = {"type": "practitioner", "actual": True, "name": "Night shift"}
    entity = [{"entity": {"reference": "Practitioner/ross"}}]
    made = create(record, HOSPITAL, {"resourceType": "Group", **night, "member": entity})
    about = {
        "status": "current",
        "mode": "working",
        "subject": {"reference": f"Group/{made['id']}"},
    }
    create(record, HOSPITAL, {"resourceType": "List", **about})
    shift, actual = ("http://example.org/fhir/SearchParameter/shift",
                     "http://hl7.org/fhir/SearchParameter/Group-actual")  # fmt: skip
    parts = [{"definition": shift, "expression": "name"},
             {"definition": actual, "expression": "actual"}]  # fmt: skip
    for one in (
        search_parameter("shift", "string", base=["Group"], expression="Group.name.first()"),
        search_parameter("told-of", "reference", base=["Group"],
                         expression="Group.member.where(entity.exists()).entity"),
        search_parameter("about", "reference", base=["List"], expression="List.subject.first()"),
        search_parameter("staff", base=["Practitioner"], expression="Practitioner.active = true"),
        search_parameter("shift-of", "composite", base=["Group"], expression="Group",
                         component=parts),
    ):  # fmt: skip
        create(record, REGION, one)
    assert take(record, Asked()).run()["state"] == "done"
    return made


@pytest.mark.parametrize("request_", REQUESTS)
def test_what_one_organisation_keeps_another_does_not_find(
    record: Any, group: dict[str, Any], request_: str
) -> None:
    own = search(record, HOSPITAL, request_)
    others = search(record, COUNCIL, request_)

    assert len(names(own)) == 1
    assert names(others) == []


@pytest.mark.parametrize(
    "include",
    ["Practitioner?_id=ross&_revinclude=Group:told-of", "Practitioner?_id=ross&_revinclude=*"],
)
def test_nor_does_it_come_along(record: Any, group: dict[str, Any], include: str) -> None:
    assert len(search(record, HOSPITAL, include)["entry"]) == 2
    assert len(search(record, COUNCIL, include)["entry"]) == 1
