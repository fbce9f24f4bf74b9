"""Composite parameters: parts that hold together in one element (R4 search.html §3.1.1.4.17).

"the composite search parameter … allows for searching of elements … that are together": the code of
one component and the value of another are no match.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.spec.indexed import Indexed, indexed

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def _coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


def _quantity(value: float, code: str = "mm[Hg]") -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code}


def _observation(id: str, *components: tuple[str, Any], **more: Any) -> dict[str, Any]:
    made = {"resourceType": "Observation", "id": id, "status": "final", "code": _coded("85354-9")}
    made["component"] = [{"code": _coded(code), **value} for code, value in components]
    return made | more


def _pressure(id: str, systolic: int, diastolic: int) -> dict[str, Any]:
    values = {"8480-6": systolic, "8462-4": diastolic}
    return _observation(
        id, *((code, {"valueQuantity": _quantity(value)}) for code, value in values.items())
    )


RESOURCES = [
    _pressure("high", 150, 95),
    _pressure("low", 95, 150),  # the same numbers the other way round
    _observation("both", ("8480-6", {"valueQuantity": _quantity(150)}),
                 ("8480-6", {"valueQuantity": _quantity(20, "kPa")})),
    _observation("coded", ("a", {"valueCodeableConcept": _coded("x")}),
                 ("b", {"valueCodeableConcept": _coded("y")})),
    _observation("whole", ("8480-6", {"valueQuantity": _quantity(90)}), code=_coded("8462-4"),
                 valueQuantity=_quantity(91)),
    _observation("sampled", code=_coded("9"), valueSampledData={
        "origin": _quantity(7, "kg"), "period": 1, "dimensions": 1, "data": "0"}),
    _observation("text", code=_coded("t"), valueString="Fine, $5|a day"),
    _observation("worded", code=_coded("t"), valueCodeableConcept={"text": "fine"}),
    _observation("timed", code=_coded("d"), valueDateTime="2024-05-10"),
    _observation("spanned", code=_coded("d"), valuePeriod={"start": "2024-05-10"}),
    {"resourceType": "DocumentReference", "id": "old", "status": "superseded", "content": []},
    {"resourceType": "DocumentReference", "id": "new", "status": "current", "content": [],
     "relatesTo": [
         {"code": "replaces", "target": {"reference": "DocumentReference/old"}},
         {"code": "appends", "target": {"reference": "https://far.example/DocumentReference/1"}}]},
    {"resourceType": "Group", "id": "men", "type": "person", "actual": False, "characteristic": [
        {"code": _coded("gender"), "valueCodeableConcept": _coded("male"), "exclude": False},
        {"code": _coded("smokes"), "valueBoolean": True, "exclude": True}]},
    {"resourceType": "MolecularSequence", "id": "seq", "coordinateSystem": 0,
     "referenceSeq": {"chromosome": _coded("1"), "windowStart": 10, "windowEnd": 20,
                      "referenceSeqId": _coded("NC_000001.11")},
     "variant": [{"start": 100, "end": 200}, {"start": 300, "end": 400}]},
    {"resourceType": "ValueSet", "id": "for-adults", "status": "active", "useContext": [
        {"code": {"code": "age"}, "valueRange": {
            "low": _quantity(18, "a"), "high": _quantity(65, "a")}},
        {"code": {"code": "weight"}, "valueQuantity": _quantity(70, "kg")},
        {"code": {"code": "focus"}, "valueCodeableConcept": _coded("asthma")}]},
]  # fmt: skip

SYSTOLIC, DIASTOLIC = f"{LOINC}|8480-6", f"{LOINC}|8462-4"
ASKED = {
    # Token and quantity, with prefixes, systems and units that differ.
    f"Observation?component-code-value-quantity={SYSTOLIC}$gt140": "high both",
    f"Observation?component-code-value-quantity={SYSTOLIC}$lt140": "low both whole",
    f"Observation?component-code-value-quantity={SYSTOLIC}$gt140|{UCUM}|mm[Hg]": "high both",
    f"Observation?component-code-value-quantity={SYSTOLIC}$gt19|{UCUM}|kPa": "high both",
    f"Observation?component-code-value-quantity={SYSTOLIC}$20|{UCUM}|kPa": "high both",
    f"Observation?component-code-value-quantity={SYSTOLIC}$20.0|{UCUM}|kPa": "high both",
    f"Observation?component-code-value-quantity={SYSTOLIC}$20.000|{UCUM}|kPa": "both",
    f"Observation?component-code-value-quantity={DIASTOLIC}$150,{DIASTOLIC}$95": "high low",
    "Observation?component-code-value-quantity=8480-6$ap150||mm[Hg]": "high both",
    f"Observation?component-code-value-quantity={SYSTOLIC}$ge150&"
    f"component-code-value-quantity={DIASTOLIC}$lt100": "high",
    # Two tokens: one table, two rows.
    "Observation?component-code-value-concept=a$x": "coded",
    "Observation?component-code-value-concept=a$y": "",
    f"Observation?component-code-value-concept=b${LOINC}|y": "coded",
    # The resource and its components, each on its own.
    f"Observation?combo-code-value-quantity={DIASTOLIC}$91": "whole",
    f"Observation?combo-code-value-quantity={DIASTOLIC}$90": "",
    f"Observation?combo-code-value-quantity={SYSTOLIC}$90": "whole",
    f"Observation?combo-code-value-quantity={SYSTOLIC}$91": "",
    "Observation?combo-code-value-concept=a$x": "coded",
    # A part is what its expression selects: sampled data and codes' texts are not.
    "Observation?code-value-quantity=9$7": "",
    "Observation?value-quantity=7": "sampled",
    "Observation?combo-value-quantity=7": "sampled",
    "Observation?combo-code-value-quantity=9$7": "",
    "Observation?code-value-string=t$fine": "text",
    "Observation?value-string=fine": "text worded",
    r"Observation?code-value-string=t$fine\, \$5\|a": "text",
    # Dates, with intervals and prefixes.
    "Observation?code-value-date=d$2024-05": "timed",
    "Observation?code-value-date=d$ge2024-05-10": "timed spanned",
    "Observation?code-value-date=d$sa2024-05-10": "",
    # References: the components of R4's definition stand in the right order here.
    "DocumentReference?relationship=DocumentReference/old$replaces": "new",
    "DocumentReference?relationship=old$replaces": "new",
    "DocumentReference?relationship=DocumentReference/old$appends": "",
    "DocumentReference?relationship=https://far.example/DocumentReference/1$appends": "new",
    "DocumentReference?relatesto=DocumentReference/old": "new",
    "Group?characteristic-value=gender$male": "men",
    "Group?characteristic-value=smokes$true": "men",
    "Group?characteristic-value=gender$true": "",
    # Three parts, one of them of the resource.
    "MolecularSequence?chromosome-variant-coordinate=1$lt345$gt123": "seq",
    "MolecularSequence?chromosome-variant-coordinate=1$100$200": "seq",
    "MolecularSequence?chromosome-variant-coordinate=1$100$400": "",
    "MolecularSequence?chromosome-variant-coordinate=2$100$200": "",
    "MolecularSequence?chromosome-window-coordinate=1$10$20": "seq",
    "MolecularSequence?chromosome-window-coordinate=1$10$21": "",
    "MolecularSequence?referenceseqid-window-coordinate=NC_000001.11$le10$ge20": "seq",
    "MolecularSequence?referenceseqid-variant-coordinate=NC_000001.11$300$400": "seq",
    "ValueSet?context-type-quantity=age$ge20": "for-adults",
    f"ValueSet?context-type-quantity=age$lt216|{UCUM}|mo": "",
    f"ValueSet?context-type-quantity=age$gt779|{UCUM}|mo": "for-adults",
    "ValueSet?context-type-quantity=age$70": "",
    "ValueSet?context-type-quantity=weight$70": "for-adults",
    "ValueSet?context-type-value=focus$asthma": "for-adults",
    "ValueSet?context-type-value=age$asthma": "",
}


@pytest.fixture(params=[True, False], ids=["in-patient", "across"])
def record(request: pytest.FixtureRequest, database_url: str) -> Iterator[Indexed]:
    with indexed(database_url, in_patient=request.param) as record:
        record.load(RESOURCES)
        yield record


def test_parts_meet_in_one_element(record: Indexed) -> None:
    found = {query: {id.partition("/")[2] for id in record.ids(query)} for query in ASKED}

    assert found == {query: set(ids.split()) for query, ids in ASKED.items()}
