"""64 clients of a real server with two workers, on the same things at the same moment, by HTTP.

No update is lost, nothing is made twice, nothing is answered with 5xx, and no deadlock is anybody's
concern but the database's. At the end of each test the whole record is held against itself.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ehr.bulk.checking import deep_check
from ehr.record import open_record
from ehr.settings import Settings
from tests import engines, given
from tests.faults.serving import Answer, Caller, Server, serving

pytestmark = pytest.mark.slow

CLIENTS = 64
SYSTEM = "https://example.org/faults"
Call = Callable[[Caller, int], Answer]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for all tests, each on things of its own."""
    if request.param not in engines.chosen():
        pytest.skip(f"{request.param} is not chosen")
    with (
        engines.fresh_url(request.param, tmp_path_factory.mktemp("served")) as url,
        serving(url) as started,
    ):
        yield started


@pytest.fixture
def caller(server: Server) -> Iterator[Caller]:
    one = server.caller()
    yield one
    one.close()


@pytest.fixture(autouse=True)
def _sound_afterwards(server: Server) -> Iterator[None]:
    yield
    record = open_record(Settings(database_url=server.url))
    try:
        report = deep_check.check(record, lambda _steps, _things: None)
        assert report.is_sound, [one for one in report.findings if one.count]
    finally:
        record.database.close()


def _at_once(server: Server, call: Call) -> list[Answer]:
    """Let every client call at the same moment, each over a connection of its own."""
    barrier = threading.Barrier(CLIENTS)

    def client(number: int) -> Answer:
        caller = server.caller()
        caller.ask("GET", "metadata?_summary=true&_elements=status")  # connected before the start
        barrier.wait(60)
        try:
            return call(caller, number)
        finally:
            caller.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(client, range(CLIENTS)))


def _statuses(answers: list[Answer]) -> Counter[int]:
    counted = Counter(answer.status for answer in answers)
    failed = [answer.body for answer in answers if answer.status >= 500]
    assert not failed, failed[0]
    return counted


def _identifier(value: str) -> dict[str, Any]:
    return {"identifier": [{"system": SYSTEM, "value": value}]}


def _query(value: str) -> str:
    return f"identifier={SYSTEM}|{value}"


def _found(caller: Caller, type: str, value: str) -> list[dict[str, Any]]:
    answer = caller.ask("GET", f"{type}?{_query(value)}&_count=1000")
    assert answer.status == 200, answer.body
    return [one["resource"] for one in answer.json.get("entry", [])]


def _put(caller: Caller, resource: dict[str, Any], **headers: str) -> Answer:
    return caller.ask("PUT", f"{resource['resourceType']}/{resource['id']}", resource, headers)


def test_a_counter_kept_by_if_match_loses_no_step(server: Server, caller: Caller) -> None:
    _put(caller, given.patient(id="counted"))
    _put(caller, given.observation("Patient/counted", value=0) | {"id": "steps"})

    def step(caller: Caller, _number: int) -> Answer:
        while True:
            now = caller.ask("GET", "Observation/steps")
            resource = now.json
            resource["valueQuantity"]["value"] += 1
            answer = _put(caller, resource, **{"If-Match": now.headers["etag"]})
            if answer.status != 412:  # somebody else was first: read it again
                return answer

    assert _statuses(_at_once(server, step)) == {200: CLIENTS}
    now = caller.ask("GET", "Observation/steps")
    assert (now.json["valueQuantity"]["value"], now.version) == (CLIENTS, CLIENTS + 1)


def test_of_updates_on_one_version_exactly_one_wins(server: Server, caller: Caller) -> None:
    _put(caller, given.patient(id="contested"))

    answers = _at_once(
        server,
        lambda caller, n: _put(
            caller, given.patient(id="contested", family=f"F{n}"), **{"If-Match": 'W/"1"'}
        ),
    )

    assert _statuses(answers) == {200: 1, 412: CLIENTS - 1}
    [winner] = [answer.json["name"] for answer in answers if answer.status == 200]
    assert caller.ask("GET", "Patient/contested").json["name"] == winner


def test_every_update_is_a_version_of_its_own(server: Server, caller: Caller) -> None:
    answers = _at_once(
        server, lambda caller, n: _put(caller, given.patient(id="busy", family=f"F{n}"))
    )

    assert _statuses(answers) == {201: 1, 200: CLIENTS - 1}
    assert sorted(answer.version for answer in answers) == list(range(1, CLIENTS + 1))
    for answer in answers:
        kept = caller.ask("GET", f"Patient/busy/_history/{answer.version}")
        assert kept.json == answer.json


def test_the_same_conditional_create_makes_one(server: Server, caller: Caller) -> None:
    once = {"If-None-Exist": _query("create")}
    answers = _at_once(
        server,
        lambda caller, _: caller.ask(
            "POST", "Patient", given.patient(**_identifier("create")), once
        ),
    )

    assert _statuses(answers) == {201: 1, 200: CLIENTS - 1}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(_found(caller, "Patient", "create")) == 1


def test_the_same_conditional_update_makes_one_with_every_version(
    server: Server, caller: Caller
) -> None:
    answers = _at_once(
        server,
        lambda caller, n: caller.ask(
            "PUT",
            f"Patient?{_query('update')}",
            given.patient(family=f"F{n}", **_identifier("update")),
        ),
    )

    assert _statuses(answers) == {201: 1, 200: CLIENTS - 1}
    assert sorted(answer.version for answer in answers) == list(range(1, CLIENTS + 1))
    assert len(_found(caller, "Patient", "update")) == 1


def test_the_same_conditional_delete_deletes_once(server: Server, caller: Caller) -> None:
    made = caller.ask("POST", "Patient", given.patient(**_identifier("delete")))

    answers = _at_once(
        server, lambda caller, _: caller.ask("DELETE", f"Patient?{_query('delete')}")
    )

    assert set(_statuses(answers)) <= {200, 204, 404}
    history = caller.ask("GET", f"Patient/{made.json['id']}/_history").json
    assert [one["request"]["method"] for one in history["entry"]] == ["DELETE", "POST"]


def test_conditional_creates_and_deletes_leave_one_or_none(server: Server, caller: Caller) -> None:
    def call(caller: Caller, number: int) -> Answer:
        if number % 2:
            return caller.ask("DELETE", f"Patient?{_query('flicker')}")
        body = given.patient(**_identifier("flicker"))
        return caller.ask("POST", "Patient", body, {"If-None-Exist": _query("flicker")})

    answers = _at_once(server, call)

    assert set(_statuses(answers)) <= {200, 201, 204, 404}
    made = {answer.json["id"] for answer in answers if answer.status == 201}
    alive = {one["id"] for one in _found(caller, "Patient", "flicker")}
    statuses = Counter(caller.ask("GET", f"Patient/{id}").status for id in made)
    assert len(alive) <= 1
    assert alive <= made
    assert statuses == Counter({200: len(alive), 410: len(made) - len(alive)}) + Counter()


def test_the_same_conditional_transaction_makes_one_of_each(server: Server, caller: Caller) -> None:
    def call(caller: Caller, number: int) -> Answer:
        mary = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
        bundle = given.transaction(
            given.entry(
                given.patient(**_identifier("bundle")),
                full_url=mary,
                ifNoneExist=_query("bundle"),
            ),
            given.entry(
                given.encounter(mary, **_identifier("bundle")), ifNoneExist=_query("bundle")
            ),
            given.entry(given.observation(mary, value=number, **_identifier("bundle"))),
        )
        return caller.ask("POST", "", bundle)

    assert _statuses(_at_once(server, call)) == {200: CLIENTS}
    [mary] = _found(caller, "Patient", "bundle")
    assert len(_found(caller, "Encounter", "bundle")) == 1
    observed = _found(caller, "Observation", "bundle")
    assert sorted(one["valueQuantity"]["value"] for one in observed) == list(range(CLIENTS))
    assert {one["subject"]["reference"] for one in observed} == {f"Patient/{mary['id']}"}


def test_transactions_that_cross_on_the_same_rows_all_pass(server: Server, caller: Caller) -> None:
    names = [f"cross-{n}" for n in range(6)]

    def call(caller: Caller, number: int) -> Answer:
        order = names if number % 2 else names[::-1]
        bundle = given.transaction(
            *(
                given.entry(given.patient(id=id, family=f"F{number}"), method="PUT")
                for id in order[number % 3 :] + order[: number % 3]
            )
        )
        return caller.ask("POST", "", bundle)

    assert _statuses(_at_once(server, call)) == {200: CLIENTS}
    now = [caller.ask("GET", f"Patient/{id}") for id in names]
    assert {answer.version for answer in now} == {CLIENTS}
    assert len({answer.json["name"][0]["family"] for answer in now}) == 1


def test_a_patient_goes_or_has_data_never_both(server: Server, caller: Caller) -> None:
    patients = [f"leaving-{n}" for n in range(8)]
    for id in patients:
        _put(caller, given.patient(id=id))

    def call(caller: Caller, number: int) -> Answer:
        id = patients[number % 8]
        if number // 8 == 4:
            return caller.ask("DELETE", f"Patient/{id}")
        return caller.ask("POST", "Observation", given.observation(f"Patient/{id}"))

    answers = _at_once(server, call)

    assert set(_statuses(answers)) <= {201, 204, 409, 422}
    for n, id in enumerate(patients):
        statuses = Counter(answer.status for answer in answers[n::8])
        filed = caller.ask("GET", f"Observation?subject=Patient/{id}&_count=100")
        assert len(filed.json.get("entry", [])) == statuses[201]
        if statuses[204]:
            assert statuses == {204: 1, 422: 7}, id
            assert caller.ask("GET", f"Patient/{id}").status == 410
        else:
            assert statuses == {409: 1, 201: 7}, id


def test_the_same_binary_by_many_is_whole_in_every_version(server: Server, caller: Caller) -> None:
    contents = [bytes([number]) * 300_000 for number in range(CLIENTS)]
    raw = {"Content-Type": "application/octet-stream"}

    answers = _at_once(
        server, lambda caller, n: caller.ask("PUT", "Binary/large", contents[n], raw)
    )

    # Raw content keeps labels of the version it replaces: who loses five races is asked to repeat.
    assert set(_statuses(answers)) <= {200, 201, 409}
    written = [(answer, one) for answer, one in zip(answers, contents, strict=True) if answer.ok]
    assert sorted(answer.version for answer, _ in written) == list(range(1, len(written) + 1))
    for answer, one in written:
        path = f"Binary/large/_history/{answer.version}"
        assert caller.ask("GET", path, headers={"Accept": "*/*"}).body == one


def test_patches_of_one_list_all_count(server: Server, caller: Caller) -> None:
    _put(caller, given.patient(id="patched", identifier=[]) | {"identifier": [{"value": "first"}]})
    kind = {"Content-Type": "application/json-patch+json"}

    def call(caller: Caller, number: int) -> Answer:
        patch = [{"op": "add", "path": "/identifier/-", "value": {"value": f"n{number}"}}]
        return caller.ask("PATCH", "Patient/patched", json.dumps(patch).encode(), kind)

    assert _statuses(_at_once(server, call)) == {200: CLIENTS}
    kept = {one["value"] for one in caller.ask("GET", "Patient/patched").json["identifier"]}
    assert kept == {"first", *(f"n{n}" for n in range(CLIENTS))}
