"""Which conditional changes take turns: those that may match what each other makes."""

import pytest

from ehr.interactions.changes import Change
from ehr.interactions.conditions import lock_texts
from ehr.messages import Document
from ehr.search import criteria
from ehr.store.drafts import Method

ONE = {"resourceType": "Patient", "identifier": [{"system": "s", "value": "1"}]}


def _change(query: str, body: dict[str, object] | None = None, type: str = "Patient") -> Change:
    return Change(
        Method.POST,
        type,
        criteria=criteria.parse(type, query),
        document=Document(b"", body or {"resourceType": type}),
    )


def _meet(one: Change, other: Change) -> bool:
    return not set(lock_texts([one])).isdisjoint(lock_texts([other]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("family=F", "family:exact=F"),
        ("family=F", "name=f"),
        ("birthdate=2000", "_tag=x"),
        ("identifier:text=1", "family=F"),
        ("identifier=s|", "identifier:not=2"),
        ("identifier=s|a%5C,b", "family=F"),
        ("identifier=s|1", "identifier=1"),
        ("identifier=s|1", "identifier=t|2,s|1"),
        ("identifier=s|1&active=true", "identifier=1&name=f"),
        ("identifier=S1", "identifier=s1&active=true"),
    ],
)
def test_what_may_be_the_same_takes_turns(one: str, other: str) -> None:
    assert _meet(_change(one), _change(other))


def test_criteria_meet_the_identifiers_of_a_body() -> None:
    master = {"resourceType": "DocumentReference", "masterIdentifier": {"value": "1"}}

    assert _meet(_change("identifier=s|1"), _change("family=F", ONE))
    assert _meet(
        _change("identifier=1", type="DocumentReference"),
        _change("status=current", master, type="DocumentReference"),
    )


@pytest.mark.parametrize(
    ("one", "other"), [("identifier=1", "identifier=2"), ("identifier=1", "family=F")]
)
def test_other_identifiers_do_not_wait(one: str, other: str) -> None:
    assert not _meet(_change(one), _change(other))


@pytest.mark.parametrize("query", ["name=F", "identifier=1", "_id=x"])
def test_other_types_do_not_wait(query: str) -> None:
    assert not _meet(_change(query), _change(query, type="Practitioner"))
