"""$match: a national number and a birth date find the one patient who has both (R4 §8.1.13)."""

from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.validator import validate
from tests import given
from tests.client import Client, expect, outcome
from tests.matching import BORN, CHI, MARY, MARYS_CHI, NHS, NOBODY, number, question, wanted

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
PRACTICE = {"reference": "Organization/surgery", "display": "Surgery"}
RECORD = given.patient(
    id="mary",
    active=True,
    identifier=[
        {"system": "urn:ward", "value": "7"},
        number(use="official", period={"start": "1990"}),
        number(MARYS_CHI, CHI),
    ],
    name=[
        {"use": "official", "family": "Murray", "given": ["Mary", "Ann"], "prefix": ["Ms"],
         "period": {"start": "1975"},
         "_given": [None, {"extension": [{"url": "urn:x", "valueString": "secret"}]}]},
        {"use": "maiden", "family": "secret"},
        {"use": "old", "family": "secret"},
        {"use": "usual", "text": "secret", "period": {"end": "2001-05"}},
        {"use": "usual", "text": "Mary Murray", "period": {"end": "2999"}},
        {"family": "secret"},
    ],
    _birthDate={"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
                               "valueDateTime": "1950-03-02T04:15:00Z"}]},
    telecom=[{"system": "phone", "value": "secret"}],
    address=[{"line": ["secret"], "postalCode": "EH6 8HS"}],
    deceasedBoolean=True,
    maritalStatus={"text": "secret"},
    communication=[{"language": {"text": "secret"}}],
    contact=[{"name": {"text": "secret"}}],
    generalPractitioner=[
        given.reference("Practitioner/reid"),
        PRACTICE,
        {"type": "Organization", "display": "By its code",
         "identifier": {"system": "urn:ods", "value": "S1", "use": "usual"}},
        {"reference": "#inside", "type": "Organization", "display": "secret"},
    ],
    managingOrganization=given.reference("Organization/trust"),
    contained=[{"resourceType": "Organization", "id": "inside", "name": "secret"}],
    text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">secret</div>'},
    extension=[{"url": "urn:x", "valueString": "secret"}],
    meta={"tag": [{"system": "urn:t", "code": "secret"}], "profile": ["http://x.org/secret"]},
)  # fmt: skip
SHOWN = {
    "resourceType": "Patient",
    "id": "mary",
    "meta": {
        "tag": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
                "code": "SUBSETTED",
            }
        ]
    },
    "identifier": [{"system": NHS, "value": MARY}],
    "name": [
        {"use": "official", "family": "Murray", "given": ["Mary", "Ann"], "prefix": ["Ms"]},
        {"use": "usual", "text": "Mary Murray"},
    ],
    "gender": "female",
    "birthDate": BORN,
    "generalPractitioner": [
        PRACTICE,
        {
            "type": "Organization",
            "identifier": {"system": "urn:ods", "value": "S1"},
            "display": "By its code",
        },
    ],
}


@pytest.fixture
def people(client: Client) -> Client:
    """Store Mary, of whom much is known; give a system."""
    client.update_all(
        given.organisation(id="surgery"),
        given.organisation(id="trust"),
        given.practitioner(id="reid"),
        RECORD,
    )
    return client


def ask(client: Client, body: Any, query: str = "") -> dict[str, Any]:
    """Return the Bundle that answers."""
    return expect(client.post(f"Patient/$match{query}", body), 200)


def found(client: Client, body: Any) -> list[str]:
    """Return the ids of those who were found."""
    bundle = ask(client, body)
    assert bundle["total"] == len(bundle.get("entry", ()))
    return [one["resource"]["id"] for one in bundle.get("entry", ())]


@pytest.mark.parametrize("body", [question(), wanted()], ids=["Parameters", "Patient"])
def test_number_and_birth_date_find_who_has_both(people: Client, body: Any) -> None:
    bundle = ask(people, body)

    assert (bundle["type"], bundle["total"]) == ("searchset", 1)
    [entry] = bundle["entry"]
    assert entry["fullUrl"].endswith("/fhir/Patient/mary")
    assert entry["search"] == {
        "extension": [{"url": GRADE, "valueCode": "certain"}],
        "mode": "match",
        "score": 1,
    }
    assert validate(bundle) == []


@pytest.mark.parametrize(
    "query", ["", "?_elements=address,telecom", "?_summary=false", "?_summary=data", "?_elements="]
)
def test_nothing_else_is_told_however_it_is_asked(people: Client, query: str) -> None:
    bundle = ask(people, question(), query)

    assert bundle["entry"][0]["resource"] == SHOWN


def test_nothing_else_is_told_in_xml(people: Client) -> None:
    answer = people.post("Patient/$match", question(), Accept="application/fhir+xml")

    assert answer.status_code == 200
    assert "Murray" in answer.text
    for hidden in ("secret", "EH6", "deceased", "urn:ward", MARYS_CHI, "04:15", "reid", "trust"):
        assert hidden not in answer.text


def test_the_number_is_told_that_was_sent(people: Client) -> None:
    sent = wanted() | {"identifier": [number("020 350-0008", CHI)]}

    [entry] = ask(people, sent)["entry"]

    assert entry["resource"]["identifier"] == [{"system": CHI, "value": MARYS_CHI}]


@pytest.mark.parametrize(
    "sent",
    [
        wanted(NOBODY),
        wanted(born="1950-03-03"),
        wanted(born="1950-02-03"),
        wanted() | {"identifier": [number(system=CHI)]},
        wanted(NOBODY, name=[{"family": "Murray", "given": ["Mary", "Ann"]}], gender="female"),
        wanted(NOBODY) | {"identifier": [number(NOBODY), {"system": "urn:ward", "value": "7"}]},
    ],
    ids=["number", "day", "day and month", "system", "name", "another identifier"],
)
def test_nothing_less_finds_anybody(people: Client, sent: Any) -> None:
    bundle = ask(people, question(sent))

    assert (bundle["type"], bundle["total"]) == ("searchset", 0)
    assert "entry" not in bundle
    assert validate(bundle) == []


def test_what_else_is_sent_is_not_looked_at(people: Client) -> None:
    sent = wanted(name=[{"family": "Smith"}], gender="male", id="other")
    sent["identifier"].append({"system": "urn:ward", "value": "8"})

    assert found(people, question(sent)) == ["mary"]


@pytest.mark.parametrize(
    ("sent", "where", "says"),
    [
        ({"birthDate": BORN}, "identifier", NHS),
        (wanted() | {"identifier": [{"value": MARY}]}, "identifier", CHI),
        (wanted() | {"identifier": [{"system": "urn:ward", "value": "7"}]}, "identifier", NHS),
        (wanted("943476591"), "identifier[0].value", "10 digits"),
        (wanted("9434765910"), "identifier[0].value", "last digit"),
        (wanted("943476591*"), "identifier[0].value", "10 digits"),
        (wanted() | {"identifier": [number(), {"system": CHI}]}, "identifier[1].value", "CHI"),
        (wanted() | {"identifier": [number(), number(NOBODY)]}, "identifier", "several"),
        (wanted() | {"identifier": [number(), number(MARYS_CHI, CHI)]}, "identifier", "several"),
        ({"identifier": [number()]}, "birthDate", "Send the birth date"),
        (wanted(born="1950-03"), "birthDate", "1950-03-02"),
        (wanted(born="1950"), "birthDate", "1950-03-02"),
        (wanted(born="1950-02-30"), "birthDate", "1950-03-02"),
        (wanted(born="ge1950-03-02"), "birthDate", "1950-03-02"),
    ],
)  # fmt: skip
def test_what_is_missing_or_malformed_is_told_with_its_place(
    people: Client, sent: dict[str, Any], where: str, says: str
) -> None:
    patient = {"resourceType": "Patient", **sent}
    frame = question(patient, count=("valueInteger", 1))
    frame["parameter"].reverse()
    for body, at in ((patient, "Patient"), (frame, "Parameters.parameter[1].resource")):
        answer = people.post("Patient/$match", body)

        assert answer.status_code == 422
        [issue] = outcome(answer)
        assert issue["expression"] == [f"{at}.{where}"]
        assert says in issue["diagnostics"]


def test_each_fault_is_told(people: Client) -> None:
    answer = people.post("Patient/$match", {"resourceType": "Patient"})

    places = [issue["expression"] for issue in outcome(answer)]
    assert (answer.status_code, places) == (422, [["Patient.identifier"], ["Patient.birthDate"]])


def test_the_same_number_twice_is_one(people: Client) -> None:
    twice = wanted() | {"identifier": [number(use="official"), number("943 476 5919")]}

    assert found(people, twice) == ["mary"]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (None, None),
        ({"resourceType": "Person"}, None),
        ({"resourceType": "Parameters"}, "Parameters.parameter"),
        ({"resourceType": "Parameters", "parameter": "x"}, "Parameters.parameter"),
        (question({"resourceType": "Person"}), "Parameters.parameter[0].resource"),
        ({"resourceType": "Parameters", "parameter": question()["parameter"] * 2},
         "Parameters.parameter[0].resource"),
        (question(count=("valueInteger", 0)), "count"),
        (question(count=("valueInteger", -1)), "count"),
        (question(count=("valueString", "many")), "count"),
        (question(onlyCertainMatches=("valueString", "yes")), "onlyCertainMatches"),
        (question(threshold=("valueDecimal", 1)), "threshold"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_question_is_refused(people: Client, body: Any, at: str | None) -> None:
    answer = people.post("Patient/$match", body)

    assert answer.status_code == 400
    assert outcome(answer)[0].get("expression") == ([at] if at else None)


@pytest.mark.parametrize("count", [1, 2, 10**12])
def test_the_parameters_of_r4_are_taken(people: Client, count: int) -> None:
    body = question(count=("valueInteger", count), onlyCertainMatches=("valueBoolean", True))

    assert found(people, body) == ["mary"]
    assert ask(people, wanted(), f"?count={count}&onlyCertainMatches=false")["total"] == 1


def test_of_several_with_one_number_none_is_certain(people: Client) -> None:
    people.update(given.patient(id="twin", identifier=[number()]))

    bundle = ask(people, question())

    ids = [entry["resource"]["id"] for entry in bundle["entry"]]
    assert (bundle["total"], ids) == (2, ["mary", "twin"])
    for entry in bundle["entry"]:
        assert entry["search"]["extension"][0]["valueCode"] == "probable"
        assert entry["search"]["score"] == Decimal("0.5")
    assert validate(bundle) == []
    assert len(ask(people, question(count=("valueInteger", 1)))["entry"]) == 1
    assert found(people, question(onlyCertainMatches=("valueBoolean", True))) == []


def test_who_is_deleted_replaced_or_not_active_is_not_found(people: Client) -> None:
    replaced = [{"other": given.reference("Patient/ann"), "type": "replaced-by"}]
    people.update(given.patient(id="ann"))
    for changed in ({"active": False}, {"link": replaced}):
        people.update(RECORD | changed)
        assert found(people, question()) == []

    people.update(RECORD | {"link": [replaced[0] | {"type": "replaces"}]})
    assert found(people, question()) == ["mary"]
    people.delete("Patient/mary")
    assert found(people, question()) == []


@pytest.mark.parametrize(
    ("code", "is_found"), [("N", True), ("L", True), ("PATRPT", True), ("R", False), ("V", False),
                           ("SDV", False), ("PRS", False)]
)  # fmt: skip
def test_who_is_labelled_is_not_found(people: Client, code: str, is_found: bool) -> None:
    kind = "Confidentiality" if len(code) == 1 else "ActCode"
    label = {"system": f"http://terminology.hl7.org/CodeSystem/v3-{kind}", "code": code}
    people.update(RECORD | {"meta": {"security": [label]}})

    assert found(people, question()) == (["mary"] if is_found else [])


def test_what_was_put_right_counts(people: Client) -> None:
    people.update(RECORD | {"birthDate": "1950-03-20", "identifier": [number(NOBODY)]})

    assert found(people, question()) == []
    assert found(people, wanted(NOBODY, "1950-03-20")) == ["mary"]


def test_of_a_contained_person_nobody_is_found(people: Client) -> None:
    inside = given.patient(id="p", identifier=[number(NOBODY)])
    link = {"other": {"reference": "#p"}, "type": "seealso"}
    people.update(given.patient(id="outer", contained=[inside], link=[link]))

    assert found(people, wanted(NOBODY)) == []


@pytest.mark.parametrize(
    "path", ["Patient/$match", f"Patient/$match?identifier={NHS}|{MARY}&birthDate={BORN}"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_it_is_by_post_alone(people: Client, method: str, path: str) -> None:
    answer = people.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("path", ["$match", "Patient/mary/$match", "Observation/$match"])
def test_it_is_for_all_patients_only(people: Client, path: str) -> None:
    assert people.post(path, question()).status_code == 404


def test_a_batch_asks_for_each(people: Client) -> None:
    entries = [given.entry(one, method="POST", url="Patient/$match")
               for one in (question(), wanted(NOBODY), {"resourceType": "Patient"})]  # fmt: skip

    one, none, refused = people.transact(given.batch(*entries))["entry"]

    assert one["resource"]["entry"][0]["resource"] == SHOWN
    assert none["resource"]["total"] == 0
    assert refused["response"]["status"].startswith("422")


def test_a_transaction_asks_nothing(people: Client) -> None:
    entry = given.entry(question(), method="POST", url="Patient/$match")

    answer = people.post("", given.transaction(given.patient(), entry))

    assert answer.status_code == 400
    assert outcome(answer)[0]["expression"] == ["Bundle.entry[1].request"]
    assert "Murray" not in answer.text


def test_the_statement_names_the_definition_of_r4(people: Client) -> None:
    rest = people.read("metadata")["rest"][0]
    [told] = [one for one in rest["resource"] if one["type"] == "Patient"]

    url = "http://hl7.org/fhir/OperationDefinition/Patient-match"
    assert {"name": "match", "definition": url} in told["operation"]
    assert sum("match" in str(one.get("operation")) for one in rest["resource"]) == 1
