"""transaction (R4 §3.1.0.11.2): order, answers, and all or nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests import given
from tests.client import Client, expect, outcome

if TYPE_CHECKING:
    from ehr.record import Record

IDENTIFIER = [{"system": "urn:x", "value": "7"}]


def _statuses(bundle: given.Resource) -> list[str]:
    return [entry["response"]["status"][:3] for entry in bundle["entry"]]


def _nothing(client: Client) -> bool:
    return "entry" not in client.read("_history")


def test_answers_stand_in_the_order_of_the_entries(client: Client) -> None:
    for id in ("anna", "ben", "cara"):
        client.update(given.patient(id=id))

    answer = client.transact(
        given.transaction(
            given.entry(method="GET", url="Patient/new"),
            given.entry(given.patient(id="new"), method="PUT"),
            given.entry(given.patient()),
            given.entry(method="DELETE", url="Patient/anna"),
            given.entry(given.patient(id="ben", gender="other"), method="PUT"),
            given.entry(method="GET", url="Patient?_summary=count"),
        )
    )

    assert answer["type"] == "transaction-response"
    assert _statuses(answer) == ["200", "201", "201", "204", "200", "200"]
    # Reads come last, whatever their place: they see what the writes made.
    assert answer["entry"][0]["resource"]["id"] == "new"
    assert answer["entry"][5]["resource"]["total"] == 4


def test_a_response_tells_place_version_and_time(client: Client) -> None:
    client.update(given.patient(id="mary"))

    bundle = given.transaction(
        given.entry(given.patient(id="mary", gender="male"), method="PUT"),
        given.entry(given.practitioner()),
    )
    answer = expect(client.post("", bundle, Prefer="return=representation"), 200)

    for entry, version in zip(answer["entry"], ("2", "1"), strict=True):
        resource, response = entry["resource"], entry["response"]
        place = f"{resource['resourceType']}/{resource['id']}"
        assert entry["fullUrl"].endswith(f"/fhir/{place}")
        assert response["location"].endswith(f"/fhir/{place}/_history/{version}")
        assert response["etag"] == f'W/"{version}"'
        assert response["lastModified"] == resource["meta"]["lastUpdated"]
        assert client.read(place) == resource


def test_everything_has_one_time(client: Client) -> None:
    answer = client.transact(given.transaction(*[given.entry(given.patient()) for _ in range(5)]))

    assert len({entry["response"]["lastModified"] for entry in answer["entry"]}) == 1


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (given.entry(given.patient(gender="F")), 400),
        (given.entry(given.observation("Patient/nobody")), 422),
        (given.entry(given.patient(id="mary", gender="male"), method="PUT", ifMatch='W/"9"'), 412),
        (given.entry(method="DELETE", url="Patient/with-data"), 409),
        (given.entry(given.patient(), method="PUT", url="Patient/mary"), 400),
        (given.entry(given.patient(), method="POST", url="Observation"), 400),
        (given.entry(method="POST", url="Patient"), 400),
        (given.entry(method="GET", url="Patient/nobody"), 404),
        (given.entry(method="GET", url="Patient?colour=red"), 400),
        (given.entry(given.patient(), url="Nothing"), 404),
        (given.entry(given.patient(), url="Patient/1/2/3"), 404),
        (given.entry(given.patient(), ifNoneExist="colour=red"), 400),
        (given.entry(given.patient(), ifNoneExist="family=Murray"), 412),
        (given.entry(given.patient(), ifNoneExist="_format=json"), 412),
        (given.entry(given.observation("Patient?identifier=urn:x|none")), 412),
        (given.entry(given.observation("Patient?family=Murray")), 412),
        (given.entry(given.transaction(), method="POST", url="/"), 400),
        ({"resource": given.patient()}, 400),
        ({"fullUrl": given.urn()}, 400),
        ({}, 400),
        (given.entry(given.observation("Patient/mary"), method="PATCH", url="Patient/mary"), 400),
        (given.entry(method="PATCH", url="Patient/mary"), 400),
        (given.entry(given.patient(), method="DELETE", url="Patient"), 412),
    ],
)  # fmt: skip
def test_one_bad_entry_undoes_all(client: Client, bad: given.Resource, status: int) -> None:
    client.update(given.patient(id="mary"))
    client.update(given.patient(id="with-data"))
    client.create(given.observation("Patient/with-data"))
    before = client.read("_history?_count=0")["total"]

    answer = client.post("", given.transaction(given.entry(given.practitioner()), bad))

    assert answer.status_code == status, answer.get_data(as_text=True)
    assert outcome(answer)[0]["diagnostics"]
    assert client.read("_history?_count=0")["total"] == before
    assert client.read("Practitioner?_summary=count")["total"] == 0


def test_a_fault_is_told_with_its_place(client: Client) -> None:
    bundle = given.transaction(
        given.entry(given.practitioner()), given.entry(given.patient(gender="F"))
    )

    issues = outcome(client.post("", bundle))

    assert issues[0]["expression"] == ["Bundle.entry[1].resource.gender"]


def test_faults_of_several_entries_are_told_together(client: Client) -> None:
    bundle = given.transaction(*[given.entry(given.patient(gender="F")) for _ in range(3)])

    places = [issue["expression"][0] for issue in outcome(client.post("", bundle))]

    assert places == [f"Bundle.entry[{n}].resource.gender" for n in range(3)]


@pytest.mark.parametrize(
    "second",
    [
        given.entry(given.patient(id="mary", gender="other"), method="PUT"),
        given.entry(method="DELETE", url="Patient/mary"),
        given.entry(given.patient(identifier=IDENTIFIER), method="PUT",
                    url="Patient?identifier=urn:x|7"),
        given.entry(method="DELETE", url="Patient?identifier=urn:x|7"),
    ],
    ids=["put twice", "put and delete", "put and conditional put", "put and conditional delete"],
)  # fmt: skip
def test_two_changes_of_one_resource_are_refused(client: Client, second: given.Resource) -> None:
    mary = client.update(given.patient(id="mary", identifier=IDENTIFIER))
    first = given.entry(mary | {"gender": "male"}, method="PUT")

    answer = client.post("", given.transaction(first, second))

    assert answer.status_code == 400
    assert client.read("Patient/mary") == mary


def test_if_none_exist(client: Client) -> None:
    found = client.create(given.patient(identifier=IDENTIFIER))
    bundle = given.transaction(
        given.entry(given.patient(identifier=IDENTIFIER), ifNoneExist="identifier=urn:x|7"),
        given.entry(given.patient(), ifNoneExist="identifier=urn:x|8"),
    )

    answer = expect(client.post("", bundle, Prefer="return=representation"), 200)

    assert _statuses(answer) == ["200", "201"]
    assert answer["entry"][0]["resource"] == found
    assert answer["entry"][0]["response"]["etag"] == 'W/"1"'


def test_the_same_condition_twice_in_one_bundle(client: Client) -> None:
    entry = given.entry(given.patient(identifier=IDENTIFIER), ifNoneExist="identifier=urn:x|7")

    answer = client.transact(given.transaction(entry, entry))

    assert _statuses(answer) == ["201", "200"]
    assert answer["entry"][0]["fullUrl"] == answer["entry"][1]["fullUrl"]
    assert client.read("Patient?_summary=count")["total"] == 1


def test_a_conditional_update_twice_in_one_bundle(client: Client) -> None:
    entry = given.entry(
        given.patient(identifier=IDENTIFIER), method="PUT", url="Patient?identifier=urn:x|7"
    )

    assert client.post("", given.transaction(entry, entry)).status_code == 400
    assert _nothing(client)


@pytest.mark.parametrize("url", ["Patient/mary/$meta-add", "Patient/$validate"])
def test_what_writes_by_itself_is_no_part_of_a_transaction(client: Client, url: str) -> None:
    body = {"resourceType": "Parameters"}

    answer = client.post(
        "",
        given.transaction(
            given.entry(given.patient(id="mary"), method="PUT"),
            given.entry(body, method="POST", url=url),
        ),
    )

    assert answer.status_code != 500
    if answer.status_code != 200:
        assert _nothing(client)


def test_a_matched_one_may_be_updated_by_another_entry(client: Client) -> None:
    mary = client.update(given.patient(id="mary", identifier=IDENTIFIER))
    bundle = given.transaction(
        given.entry(given.patient(identifier=IDENTIFIER), ifNoneExist="identifier=urn:x|7"),
        given.entry(mary | {"gender": "male"}, method="PUT"),
    )

    answer = client.post("", bundle)

    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert client.read("Patient/mary")["gender"] == "male"


def test_deletes_come_before_creates(client: Client) -> None:
    mary = client.create(given.patient(identifier=IDENTIFIER))
    bundle = given.transaction(
        given.entry(given.patient()), given.entry(method="DELETE", url=f"Patient/{mary['id']}")
    )

    answer = client.transact(bundle)

    assert _statuses(answer) == ["201", "204"]


def test_a_condition_does_not_see_what_the_bundle_deletes(client: Client) -> None:
    """R4: deletes are processed first, and a conditional create after them finds nothing."""
    mary = client.create(given.patient(identifier=IDENTIFIER))
    bundle = given.transaction(
        given.entry(method="DELETE", url=f"Patient/{mary['id']}"),
        given.entry(given.patient(identifier=IDENTIFIER), ifNoneExist="identifier=urn:x|7"),
    )

    answer = client.transact(bundle)

    assert _statuses(answer) == ["204", "201"]
    assert client.get(f"Patient/{mary['id']}").status_code == 410
    assert client.read("Patient?identifier=urn:x|7&_summary=count")["total"] == 1


def test_conditional_entries(client: Client) -> None:
    mary = client.create(given.patient(identifier=IDENTIFIER))
    ben = client.create(given.patient(identifier=[{"system": "urn:x", "value": "8"}]))
    bundle = given.transaction(
        given.entry(
            given.patient(identifier=IDENTIFIER, gender="male"),
            method="PUT",
            url="Patient?identifier=urn:x|7",
        ),
        given.entry(method="DELETE", url="Patient?identifier=urn:x|8"),
        given.entry(method="DELETE", url="Patient?identifier=urn:x|9"),
    )

    answer = client.transact(bundle)

    assert _statuses(answer) == ["200", "204", "204"]
    assert client.read(f"Patient/{mary['id']}")["gender"] == "male"
    assert client.get(f"Patient/{ben['id']}").status_code == 410


def test_a_patch_among_the_entries(client: Client) -> None:
    client.update(given.patient(id="mary", identifier=IDENTIFIER))
    patch = given.binary(
        "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9nZW5kZXIiLCJ2YWx1ZSI6Im1hbGUifV0=",
        "application/json-patch+json",
    )
    parameters = given.fhirpath_patch("delete", "Patient.birthDate")

    client.transact(given.transaction(given.entry(patch, method="PATCH", url="Patient/mary")))
    answer = client.transact(
        given.transaction(given.entry(parameters, method="PATCH", url="Patient?identifier=urn:x|7"))
    )

    assert _statuses(answer) == ["200"]
    mary = client.read("Patient/mary")
    assert (mary["gender"], "birthDate" in mary) == ("male", False)


def test_an_empty_transaction(client: Client) -> None:
    answer = client.transact({"resourceType": "Bundle", "type": "transaction"})

    assert answer["type"] == "transaction-response"
    assert "entry" not in answer


def test_only_reads(client: Client) -> None:
    client.update(given.patient(id="mary"))

    answer = client.transact(given.transaction(given.entry(method="GET", url="Patient/mary")))

    assert _statuses(answer) == ["200"]


@pytest.mark.parametrize("name", ["$meta-add", "$meta-delete"])
def test_an_operation_that_writes_for_itself_is_no_part(client: Client, name: str) -> None:
    """Also where nothing else is written: what fails beside it could not take it back."""
    client.update(given.patient(id="mary", meta={"tag": [{"code": "old"}]}))
    tag = {"name": "meta", "valueMeta": {"tag": [{"code": "old"}, {"code": "new"}]}}
    sent = {"resourceType": "Parameters", "parameter": [tag]}

    for other in (given.entry(method="GET", url="Patient/nobody"), given.entry(given.patient())):
        change = given.entry(sent, method="POST", url=f"Patient/mary/{name}")
        answer = client.post("", given.transaction(change, other))

        assert answer.status_code == 400
        assert outcome(answer)[0]["expression"] == ["Bundle.entry[0].request"]
        assert client.read("Patient/mary")["meta"]["versionId"] == "1"


@pytest.mark.parametrize("prefer", ["return=minimal", "return=representation"])
def test_prefer(client: Client, prefer: str) -> None:
    bundle = given.transaction(given.entry(given.patient()))

    answer = expect(client.post("", bundle, Prefer=prefer), 200)

    assert ("resource" in answer["entry"][0]) is (prefer == "return=representation")


def test_prefer_an_outcome(client: Client) -> None:
    bundle = given.transaction(given.entry(given.patient()))

    answer = expect(client.post("", bundle, Prefer="return=OperationOutcome"), 200)

    assert "resource" not in answer["entry"][0]
    assert answer["entry"][0]["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_identical_content_makes_no_version(client: Client) -> None:
    mary = client.update(given.patient(id="mary"))

    answer = client.transact(given.transaction(given.entry(mary, method="PUT")))

    assert _statuses(answer) == ["200"]
    assert answer["entry"][0]["response"]["etag"] == 'W/"1"'


def test_put_on_a_deleted_one(client: Client) -> None:
    client.update(given.patient(id="mary"))
    client.delete("Patient/mary")

    answer = client.transact(given.transaction(given.entry(given.patient(id="mary"), method="PUT")))

    assert _statuses(answer) == ["201"]
    assert answer["entry"][0]["response"]["etag"] == 'W/"3"'


def test_a_url_may_name_the_server(client: Client) -> None:
    answer = client.transact(
        given.transaction(
            given.entry(
                given.patient(id="mary"), method="PUT", url="http://localhost/fhir/Patient/mary"
            )
        )
    )

    assert _statuses(answer) == ["201"]


def test_the_same_bundle_from_many_clients(client: Client) -> None:
    """Conditional creates and a put: no duplicate, no lost version, nothing but 200."""
    entries = [
        given.entry(
            given.organisation(identifier=[{"system": "urn:o", "value": str(n)}]),
            ifNoneExist=f"identifier=urn:o|{n}",
        )
        for n in range(5)
    ]

    def send(number: int) -> Any:
        each = Client(client.flask.application.test_client(), client.token)
        put = given.entry(given.patient(id="mary", multipleBirthInteger=number + 1), method="PUT")
        return each.post("", given.transaction(*entries, put)).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(16)))

    assert statuses == [200] * 16
    assert client.read("Organization?_summary=count")["total"] == 5
    assert client.read("Patient/mary/_history?_count=0")["total"] == 16


def test_crossing_bundles_do_not_block_each_other(client: Client, record: "Record") -> None:
    ids = [f"p{n}" for n in range(6)]
    for id in ids:
        client.update(given.patient(id=id))

    def send(number: int) -> Any:
        each = Client(client.flask.application.test_client(), client.token)
        order = ids if number % 2 else ids[::-1]
        return each.post(
            "",
            given.transaction(
                *[
                    given.entry(given.patient(id=id, multipleBirthInteger=number + 1), method="PUT")
                    for id in order
                ]
            ),
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(24)))

    assert statuses == [200] * 24
    numbers = {client.read(f"Patient/{id}")["multipleBirthInteger"] for id in ids}
    assert len(numbers) == 1
