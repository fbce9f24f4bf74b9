"""Searches that many rows pass: rows visited in order give the very pages that lists give.

R4 §3.1.1.5.1. Thresholds are so low here that small records are visited; with `by_lists` the same
search is answered as it is where few match.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ehr.search.results import page as pages
from ehr.search.results.visits import questions, visit
from tests import engines, given
from tests.client import Client
from tests.counting import is_counted
from tests.spec.compared import record_with
from tests.spec.oracle.made_people import population
from tests.spec.oracle.search import Oracle
from tests.spec.test_search import link, names, walk
from tests.spec.test_search_visibility import COUNCIL, HOSPITAL, create, search
from tests.spec.test_search_walks import Ward

SORTS = ("", "date", "-date", "_lastUpdated", "-_lastUpdated")
# Type, a condition that most pass, parameters to sort by: of one date, and of several.
ASKED = {
    "Observation": ("status", ("date",)),
    "Condition": ("code", ("onset-date", "recorded-date")),
    "Encounter": ("status", ("date", "location-period")),
    "Patient": ("gender", ("birthdate",)),
    "MedicationRequest": ("status", ("authoredon", "date")),
    "Goal": ("lifecycle-status", ("start-date", "target-date")),
    "Immunization": ("status", ("date", "reaction-date")),
}


@pytest.fixture
def visited(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let everything be visited, a few rows at a time; give the sizes of the pages so found."""
    monkeypatch.setattr(questions, "MANY", 1)
    monkeypatch.setattr(visit, "WINDOW", 4)
    monkeypatch.setattr(visit, "_FOR_EACH", 1)
    monkeypatch.setattr(visit, "REMEMBERED", 0.0)
    found: list[int] = []
    ask = pages.visited_rows

    def counted(*args: Any) -> Any:
        rows = ask(*args)
        if rows is not None:
            found.append(len(rows))
        return rows

    monkeypatch.setattr(pages, "visited_rows", counted)
    return found


@contextmanager
def by_lists() -> Iterator[None]:
    """Answer as ever, without a visit."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pages, "visited_rows", lambda *_: None)
        yield


def both_ways(client: Client, path: str) -> tuple[list[list[str]], list[list[str]]]:
    """Return the pages there and back again."""
    there, bundle = [], client.read(path)
    while True:
        there.append(names(bundle))
        address = link(bundle, "next")
        if address is None:
            break
        bundle = client.read(address)
    previous = link(bundle, "previous")
    return there, walk(client, previous, "previous") if previous else []


@pytest.mark.parametrize("engine", engines.chosen())
@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 12))]
)
def test_visits_find_what_r4_says_and_lists_find(
    engine: str, seed: int, tmp_path: Path, visited: list[int]
) -> None:
    rng = random.Random(seed)
    with (
        engines.fresh_url(engine, tmp_path) as url,
        record_with(url, population(rng, 120)) as (client, stored),
    ):
        oracle = Oracle(stored, convert=True)
        for request in _requests(rng, stored):
            path = f"{request}&_count={rng.randint(1, 4)}"
            there, back = both_ways(client, path)
            with by_lists():
                assert both_ways(client, path) == (there, back), path
            found = [name for page in there for name in page]
            assert oracle.search(request).is_in_order(found), path
            assert len(found) == len(set(found)), path
    assert len(visited) > 50


def _requests(rng: random.Random, stored: list[dict[str, Any]]) -> Iterator[str]:
    """Yield searches by codes that are there, in all orders that an index gives."""
    for type, (code, dates) in ASKED.items():
        some = [one for one in stored if one["resourceType"] == type]
        orders = ["", "_lastUpdated", "-_lastUpdated"]
        orders += [f"{sign}{date}" for date in dates for sign in ("", "-")]
        for order in orders if some else ():
            sort = f"&_sort={order}" if order else ""
            yield f"{type}?{_condition(rng, code, some)}{sort}"
            if order.strip("-") == dates[0]:
                year = rng.choice(["ge1950", "lt2021", "ne2019-01-01", "gt2015,lt1990"])
                yield f"{type}?{_condition(rng, code, some)}&{dates[0]}={year}{sort}"
                yield f"{type}?_sort={order}"


def _condition(rng: random.Random, code: str, some: list[dict[str, Any]]) -> str:
    values = set()
    for one in some:
        value = one.get("lifecycleStatus" if code == "lifecycle-status" else code)
        if isinstance(value, dict):
            value = next((c["code"] for c in value.get("coding", ()) if "code" in c), None)
        if value:
            values.add(value)
    picked = rng.sample(sorted(values), min(len(values), rng.randint(1, 3)))
    if not picked:
        return f"{code}:not=nothing"
    return f"{code}{rng.choice(['', '', ':not'])}={','.join(picked)}"


@pytest.mark.parametrize("sort", SORTS)
def test_a_visited_walk_keeps_its_promise_whatever_changes(
    client: Client, visited: list[int], monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(visit, "WINDOW", 12)  # more than are of one day
    for seed in range(3):
        ward = Ward(client, seed)
        query = f"Observation?status=final&code=10,20&_count=2{sort and '&_sort='}{sort}"
        with by_lists():
            there_at_first = set(names(client.read(query.replace("_count=2", "_count=99"))))
        # Those of the wards before are as good as any.
        bundle = client.read(query)
        seen = names(bundle)
        while address := link(bundle, "next"):
            for _ in range(2):
                ward.change()
            bundle = client.read(address)
            seen += names(bundle)

        told = f"sort {sort!r}, seed {seed}: {seen}"
        assert len(seen) == len(set(seen)), told
        assert not set(seen) & ward.new, told
        assert there_at_first - ward.changed <= set(seen) <= there_at_first, told
    assert visited


@pytest.mark.parametrize("sort", ["target-date", "-target-date"])
def test_of_several_dates_the_first_counts_once(
    client: Client, visited: list[int], sort: str
) -> None:
    for days in ((3, 1), (2, 2), (5,), (), (4, 6, 4), (), (1,), (7, 0)):
        mary = client.create(given.patient())
        targets = [{"dueDate": f"2024-01-0{day + 1}"} for day in days]
        client.create(
            {
                "resourceType": "Goal",
                "lifecycleStatus": "active",
                "description": {"text": "walk"},
                "subject": given.reference(mary),
                **({"target": targets} if targets else {}),
            }
        )
    path = f"Goal?lifecycle-status=active&_sort={sort}&_count=2"

    there, back = both_ways(client, path)

    with by_lists():
        assert both_ways(client, path) == (there, back)
    assert [len(page) for page in there] == [2, 2, 2, 2]
    assert visited


@pytest.mark.parametrize("sort", ["date", "-date"])
def test_periods_without_a_start_or_any_date_join_the_pages(
    client: Client, visited: list[int], sort: str
) -> None:
    mary = client.create(given.patient())
    periods: list[dict[str, str] | None] = [
        {"start": "2024-01-02"},
        {"end": "2024-01-05"},
        None,
        {"end": "2024-01-03"},
        {"start": "2024-01-02", "end": "2024-01-04"},
        None,
        {"start": "2024-01-09"},
    ]
    for period in periods:
        visit_made = {k: v for k, v in given.encounter(mary).items() if k != "period"}
        client.create(visit_made | ({"period": period} if period else {}))
    path = f"Encounter?status:not=planned&_sort={sort}"

    for size in (1, 2, 3):
        there, back = both_ways(client, f"{path}&_count={size}")
        with by_lists():
            assert both_ways(client, f"{path}&_count={size}") == (there, back)
    assert visited


@pytest.mark.parametrize("sort", ["", "&_sort=-_lastUpdated", "&_sort=date"])
def test_a_visit_shows_only_what_the_caller_may_see(
    record: Any, visited: list[int], monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(visit, "WINDOW", 12)  # all of them
    for n in range(4):
        for owner in (HOSPITAL, COUNCIL):
            create(
                record,
                owner,
                {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"text": owner.id},
                    "effectiveDateTime": f"2024-01-0{n + 1}",
                },
            )

    for caller in (HOSPITAL, COUNCIL):
        bundle = search(record, caller, f"Observation?status=final&_count=3{sort}")
        shown = [entry["resource"]["code"]["text"] for entry in bundle.get("entry", ())]
        assert shown == [caller.id] * 3
    assert visited


@pytest.mark.parametrize(
    "path",
    [
        "Observation?code=8867-4",
        "Observation?code=8867-4&status=final&_sort=-date",
        "Observation?code=8867-4&status=amended&_sort=-date",
        "Observation?code=1&_sort=-_lastUpdated",
        "Observation?_sort=date",
    ],
)
def test_visits_stay_in_the_budget(
    client: Client, visited: list[int], statements: Callable[[], Any], path: str
) -> None:
    mary = client.create(given.patient())
    for _ in range(5):
        client.create(given.observation(mary))
    client.create(given.observation(mary, status="amended", code="1"))

    for size in (1, 4, 50):
        with statements() as seen:
            client.read(f"{path}&_count={size}")
        assert len([sql for sql in seen if is_counted(sql)]) <= 3


UNCHANGED = (
    "Patient?identifier=urn:n|m",
    "Patient?name=mur&birthdate=1950-01-01",
    "Patient?_has:Observation:patient:code=1",
    "Observation?subject:Patient.name=mur",
    "Observation?patient=mary&code=1&_sort=-date",
    "Observation?value-quantity=gt5",
    "Observation?code=1&_total=accurate",
    "Observation?performer=Practitioner/1",
)


@pytest.mark.parametrize("path", UNCHANGED)
def test_other_searches_have_the_statements_they_had(
    client: Client, statements: Callable[[], Any], path: str
) -> None:
    client.update(given.patient(id="mary"))
    client.read(path)

    with statements() as now:
        client.read(path)
    with by_lists(), statements() as before:
        client.read(path)

    assert not [sql for sql in now if "edge" in sql]
    assert list(map(is_counted, now)).count(True) <= list(map(is_counted, before)).count(True)


def test_a_rare_code_is_looked_for_once_more_and_then_remembered(
    client: Client, statements: Callable[[], Any]
) -> None:
    client.create(given.observation(client.create(given.patient())))
    seen: list[list[str]] = []

    for _ in range(2):
        with statements() as texts:
            client.read("Observation?code=8867-4")
        seen.append([sql for sql in texts if "FROM resource AS r" in sql or "edge" in sql])

    assert [len(one) for one in seen] == [2, 1]
    assert seen[0][1] == seen[1][0]
