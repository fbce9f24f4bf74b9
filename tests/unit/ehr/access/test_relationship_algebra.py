"""What holds of all relationships, whatever the documents: ended is ended, twice is once."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ehr.access.relationships import Ceiling, Relationship
from ehr.access.terms import ALWAYS, DAY, FOREVER, joint
from tests.unit.ehr.access.access_documents import (
    NOON,
    TERMS,
    access_task,
    encounter,
    made,
    proxy,
    request,
    task,
    team,
    to,
)

_GRANTEES = ("Practitioner/con", "Practitioner/ann", "Organization/hospital", "Organization/physio")
_LONGEST_TAIL = 30 * DAY


def _text(days: int) -> str:
    return datetime.fromtimestamp(NOON / 1000 + days * 86_400, UTC).date().isoformat()


_days = st.integers(-400, 400).map(_text)
_periods = st.fixed_dictionaries({}, optional={"start": _days, "end": _days})
_names = st.sampled_from(_GRANTEES).map(to)


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.integers(0, 5))
    period = draw(_periods)
    if kind == 0:
        members = draw(st.lists(st.fixed_dictionaries({"member": _names, "period": _periods})))
        return team(*members, status=draw(st.sampled_from(["active", "inactive"])), period=period)
    if kind == 1:
        who = draw(st.lists(st.fixed_dictionaries({"individual": _names, "period": _periods})))
        status = draw(st.sampled_from(["planned", "arrived", "in-progress", "finished"]))
        return encounter(status, period=period, participant=who)
    if kind == 2:
        status = draw(st.sampled_from(["draft", "active", "on-hold", "completed", "revoked"]))
        return request(status, performer=draw(st.lists(_names)))
    if kind == 3:
        status = draw(st.sampled_from(["requested", "accepted", "completed", "failed", "rejected"]))
        return task(status, owner=draw(_names), executionPeriod=period)
    if kind == 4:
        code = draw(st.sampled_from(["delegation", "self-claim", "break-glass"]))
        status = draw(st.sampled_from(["in-progress", "completed"]))
        by = {"requester": draw(_names), "owner": draw(_names)}
        return {**access_task(code, status), "executionPeriod": period, **by}
    return proxy(provision={"period": period})


@given(_documents(), st.integers(-400, 400))
def test_twice_from_one_document_is_the_same(document: dict[str, Any], days: int) -> None:
    at = NOON + days * DAY
    once = made(document, at=at)

    assert made(document, at=at) == once
    assert all(ALWAYS <= one.from_ < one.to <= FOREVER for one in once)


@given(_documents())
def test_a_period_that_ended_long_ago_opens_nothing_now(document: dict[str, Any]) -> None:
    over = {"start": "2020-01-01", "end": _text(-32)}
    name = {"Encounter": "period", "CareTeam": "period", "Task": "executionPeriod"}.get(
        document["resourceType"]
    )
    if document["resourceType"] == "Consent":
        document = {**document, "provision": {**document["provision"], "period": over}}
    elif name is None:
        return
    else:
        document = {**document, name: over}

    # Who is asked, and has not answered, sees who asks whatever the time it is to be done.
    least = Ceiling.MINIMAL if document.get("status") == "requested" else Ceiling.NOTHING
    opened = [one for one in made(document) if one.ceiling > least and one.from_ <= NOON < one.to]

    assert opened == []


@given(_documents(), _periods, st.lists(_names, max_size=3), st.integers(0, 100))
def test_what_is_over_is_never_made_to_last_longer(
    document: dict[str, Any], period: dict[str, str], names: list[Any], days: int
) -> None:
    open_before = made(_as(document, "open"))
    before = made(_as(document, "over"), before=open_before)
    rewritten = _with(_as(document, "over"), period, names)

    after = made(rewritten, at=NOON + days * DAY, before=before)

    ends = _ends(before)
    last = max((one.to for one in before if one.ended), default=FOREVER)
    for who, end in _ends(after).items():
        if any(one.ended for one in after):
            assert end <= ends.get(who, last)


@given(st.lists(st.integers(1, 40), max_size=5), st.sampled_from(["encounter", "request", "task"]))
def test_rewriting_what_is_over_changes_no_end(days: list[int], kind: str) -> None:
    live, over = {
        "encounter": (encounter(), encounter("finished")),
        "request": (request(), request("completed")),
        "task": (task("accepted"), task("completed")),
    }[kind]
    first = made(over, before=made(live))
    rows, at = first, NOON
    for more in days:
        at += more * DAY
        rows = made(over, at=at, before=rows)

    assert rows == first
    assert all(one.to <= NOON + _LONGEST_TAIL for one in first)


@given(st.lists(_periods, max_size=4))
def test_what_periods_have_in_common_is_in_each(periods: list[dict[str, str]]) -> None:
    intervals = [TERMS.period(one) for one in periods]
    shared = joint(*intervals)

    if shared is not None:
        assert all(one is not None for one in intervals)
        assert all(one[0] <= shared[0] < shared[1] <= one[1] for one in intervals if one)


_STATUS = {
    "Encounter": {"open": "in-progress", "over": "finished"},
    "ServiceRequest": {"open": "active", "over": "completed"},
    "Task": {"open": "in-progress", "over": "completed"},
    "CareTeam": {"open": "active", "over": "inactive"},
    "Consent": {"open": "active", "over": "inactive"},
}


def _as(document: dict[str, Any], state: str) -> dict[str, Any]:
    return {**document, "status": _STATUS[document["resourceType"]][state]}


def _with(document: dict[str, Any], period: dict[str, str], names: list[Any]) -> dict[str, Any]:
    """Return a document with another period, and other people added."""
    type = document["resourceType"]
    if type == "Encounter":
        more = [*document["participant"], *({"individual": name} for name in names)]
        return {**document, "period": period, "participant": more}
    if type == "ServiceRequest":
        return {**document, "performer": [*document["performer"], *names]}
    return {**document, "executionPeriod": period} if type == "Task" else document


def _ends(some: list[Relationship]) -> dict[tuple[Any, ...], int]:
    """Return the last end of each grantee's, by kind and basis."""
    found: dict[tuple[Any, ...], int] = {}
    for one in some:
        who = (one.kind, one.grantee, one.basis)
        found[who] = max(found.get(who, ALWAYS), one.to)
    return found
