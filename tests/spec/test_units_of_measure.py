"""Quantities in different units of one kind are compared (R4 search.html §3.1.1.4.11).

"If the value includes a system and a code … the system may do unit conversion", with "the semantics
defined in UCUM"; the precision is that of the number as it is sent.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.spec.indexed import Indexed, indexed

UCUM = "http://unitsofmeasure.org"


def _observation(id: str, value: str, code: str, **more: Any) -> dict[str, Any]:
    quantity = {"value": Decimal(value), "system": UCUM, "code": code} | more
    return {"resourceType": "Observation", "id": id, "valueQuantity": quantity}


RESOURCES = [
    _observation("mg", "5.4", "mg"),
    _observation("ug", "5400", "ug"),
    _observation("g", "0.00540", "g"),
    _observation("above", "5.449", "mg"),
    _observation("edge", "5450", "ug"),
    _observation("under", "5.4", "mg", comparator="<"),
    _observation("mmol", "5.4", "mmol/L"),
    _observation("other", "5.4", "mg/L"),
    _observation("fever", "101.3", "[degF]"),
    _observation("fever-c", "38.5", "Cel"),
    _observation("unknown", "5.4", "furlong"),
    {"resourceType": "Observation", "id": "text", "valueQuantity": {
        "value": Decimal("5.4"), "unit": "mg"}},
    _observation("iu", "5400", "m[IU]"),
    {"resourceType": "Encounter", "id": "ward",
     "length": {"value": 2, "system": UCUM, "code": "d"}},
    {"resourceType": "Condition", "id": "child",
     "onsetAge": {"value": 18, "system": UCUM, "code": "mo"}},
    {"resourceType": "Condition", "id": "ages",
     "onsetRange": {"low": {"value": 1, "system": UCUM, "code": "a"},
                    "high": {"value": 2, "system": UCUM, "code": "a"}}},
    {"resourceType": "Observation", "id": "sampled", "valueSampledData": {
        "origin": {"value": 0, "system": UCUM, "code": "mV"}, "period": 1, "dimensions": 1,
        "factor": Decimal("0.5"), "data": "2 4 6"}},
]  # fmt: skip

ASKED = {
    f"Observation?value-quantity=5.4|{UCUM}|mg": "mg ug g above",
    f"Observation?value-quantity=5.40|{UCUM}|mg": "mg ug g",
    f"Observation?value-quantity=5400|{UCUM}|ug": "mg ug g",
    f"Observation?value-quantity=5.4e-3|{UCUM}|g": "mg ug g above",
    f"Observation?value-quantity=0.00540|{UCUM}|g": "mg ug g",
    f"Observation?value-quantity=5.45|{UCUM}|mg": "above edge",
    f"Observation?value-quantity=gt5400|{UCUM}|ug": "above edge",
    f"Observation?value-quantity=ge5400|{UCUM}|ug": "mg ug g above edge",
    f"Observation?value-quantity=lt5400|{UCUM}|ug": "under",
    f"Observation?value-quantity=le0.0054|{UCUM}|g": "mg ug g under",
    f"Observation?value-quantity=sa5.4|{UCUM}|mg": "above edge",
    f"Observation?value-quantity=eb5.4|{UCUM}|mg": "under",
    f"Observation?value-quantity=ne5.40|{UCUM}|mg": "above edge under",
    f"Observation?value-quantity=ap5|{UCUM}|mg": "mg ug g above edge under",
    f"Observation?value-quantity=5.4|{UCUM}|mmol/L": "mmol",
    f"Observation?value-quantity=5.4|{UCUM}|umol/mL": "mmol",
    f"Observation?value-quantity=5.4|{UCUM}|[IU]": "iu",
    # As given: no unit, no system, a system alone, a code that UCUM does not have.
    "Observation?value-quantity=5.4": "mg above mmol other unknown text",
    "Observation?value-quantity=5.4||mg": "mg above text",
    f"Observation?value-quantity=5.4|{UCUM}|": "mg above mmol other unknown",
    f"Observation?value-quantity=5.4|{UCUM}|furlong": "unknown",
    # Scales with a zero of their own.
    f"Observation?value-quantity=38.5|{UCUM}|Cel": "fever fever-c",
    f"Observation?value-quantity=101.3|{UCUM}|[degF]": "fever fever-c",
    f"Observation?value-quantity=311.65|{UCUM}|K": "fever fever-c",
    f"Observation?value-quantity=gt38|{UCUM}|Cel": "fever fever-c",
    # Durations, ages, ranges, sampled data.
    f"Encounter?length=48|{UCUM}|h": "ward",
    f"Encounter?length=gt1|{UCUM}|d": "ward",
    f"Condition?onset-age=1.5|{UCUM}|a": "child",
    f"Condition?onset-age=gt20|{UCUM}|mo": "ages",
    f"Condition?onset-age=lt13|{UCUM}|mo": "ages",
    f"Observation?value-quantity=ge3000|{UCUM}|uV": "sampled",
    f"Observation?value-quantity=sa3000|{UCUM}|uV": "",
}


@pytest.fixture(params=[True, False], ids=["in-patient", "across"])
def record(request: pytest.FixtureRequest, database_url: str) -> Iterator[Indexed]:
    with indexed(database_url, in_patient=request.param) as record:
        record.load(RESOURCES)
        yield record


def test_amounts_are_found_in_whatever_unit_they_stand(record: Indexed) -> None:
    found = {query: {id.partition("/")[2] for id in record.ids(query)} for query in ASKED}

    assert found == {query: set(ids.split()) for query, ids in ASKED.items()}
