"""The oracle against the examples that R4's own pages give, sentence by sentence.

FHIR R4 §3.1.1 (search.html) and §3.1.3 (search_filter.html).
"""

from typing import Any

import pytest

from tests.spec.oracle.search import BASE, Oracle

Resource = dict[str, Any]


def found(resources: list[Resource], request: str, **choices: Any) -> str:
    """Return the ids of the matches, in order of the alphabet, joined by spaces."""
    answer = Oracle(resources, **choices).search(request)
    return " ".join(sorted(name.partition("/")[2] for name in answer.matches))


def observed(**values: Any) -> list[Resource]:
    """Describe an Observation for each id, of what it says."""
    return [
        {"resourceType": "Observation", "id": id, "status": "final", **value}
        for id, value in values.items()
    ]


DATES = observed(
    midnight={"effectiveDateTime": "2013-01-14T00:00:00Z"},
    ten={"effectiveDateTime": "2013-01-14T10:00:00Z"},
    next={"effectiveDateTime": "2013-01-15T00:00:00Z"},
    day={"effectiveDateTime": "2013-01-14"},
)
PERIODS = observed(
    march={"effectivePeriod": {"start": "2013-03-15"}},
    january={"effectivePeriod": {"start": "2013-01-21"}},
    until={"effectivePeriod": {"end": "2013-01-21"}},
)


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("eq2013-01-14", "day midnight ten"),
        ("ne2013-01-14", "next"),
        ("2013-01-14", "day midnight ten"),
    ],
)
def test_days(search: str, ids: str) -> None:
    assert found(DATES, f"Observation?date={search}") == ids


@pytest.mark.parametrize("prefix", ["lt", "gt"])
def test_a_day_includes_the_part_before_and_after_ten(prefix: str) -> None:
    assert "day" in found(DATES, f"Observation?date={prefix}2013-01-14T10:00")


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("ge2013-03-14", "january march"),
        ("le2013-03-14", "january until"),
        ("sa2013-03-14", "march"),
        ("eb2013-03-14", "until"),
    ],
)
def test_periods_that_are_open(search: str, ids: str) -> None:
    assert found(PERIODS, f"Observation?date={search}") == ids


def test_of_a_schedule_only_the_outer_limits_matter() -> None:
    timing = {"repeat": {"boundsPeriod": {"start": "2013-01-31", "end": "2013-03-24"}}}
    resources = observed(every={"effectiveTiming": timing})

    assert found(resources, "Observation?date=ge2013-02-01&date=le2013-02-01") == "every"


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("100", "a b"),  # [99.5 ... 100.5)
        ("100.00", "b"),  # [99.995 ... 100.005)
        ("lt100", "a"),
        ("le100", "a b"),
        ("gt100", "c"),
        ("ge100", "b c"),
        ("ne100", "c"),
    ],
)
def test_numbers_are_searched_to_their_precision(search: str, ids: str) -> None:
    resources = observed(
        a={"valueQuantity": {"value": 99.5}},
        b={"valueQuantity": {"value": 100}},
        c={"valueQuantity": {"value": 100.5}},
    )

    assert found(resources, f"Observation?value-quantity={search}") == ids


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("5.4|http://unitsofmeasure.org|mg", "coded"),
        ("5.4||mg", "coded said"),
        ("5.4", "coded said"),
    ],
)
def test_units_are_asked_for_or_not(search: str, ids: str) -> None:
    unit = {"unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    resources = observed(
        coded={"valueQuantity": {"value": 5.4, **unit}},
        said={"valueQuantity": {"value": 5.4, "unit": "mg"}},
    )

    assert found(resources, f"Observation?value-quantity={search}") == ids


def test_units_may_be_converted() -> None:
    unit = {"system": "http://unitsofmeasure.org", "code": "ug"}
    resources = observed(small={"valueQuantity": {"value": 5400, **unit}})
    request = "Observation?value-quantity=5.4|http://unitsofmeasure.org|mg"

    assert found(resources, request) == ""
    assert found(resources, request, convert=True) == "small"


PEOPLE = [
    {"resourceType": "Patient", "id": name, "name": [{"given": [name]}]}
    for name in ("Eve", "Evelyn", "Severine", "EVE")
]


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("given=eve", "EVE Eve Evelyn"),
        ("given:contains=eve", "EVE Eve Evelyn Severine"),
        ("given:exact=Eve", "Eve"),
        ("_filter=given eq eve", "EVE Eve"),
        ("_filter=given co erin or (given sw eve and not (given eq eve))", "Evelyn Severine"),
        ("_filter=given eq Eve or given eq Severine and given eq nobody", ""),
    ],
)
def test_names(search: str, ids: str) -> None:
    assert found(PEOPLE, f"Patient?{search}") == ids


def test_punctuation_and_spaces_are_ignored() -> None:
    names = {"a": "O'Brien", "b": "obrien", "c": "O  Brien", "d": "o\tbrien"}
    people = [
        {"resourceType": "Patient", "id": id, "name": [{"family": name}]}
        for id, name in names.items()
    ]

    assert found(people, "Patient?family=OBRIEN") == "a b"
    assert found(people, "Patient?family=o brien") == "c d"


def test_commas_are_alternatives_unless_a_backslash_is_before_them() -> None:
    resources = observed(
        a={"code": {"coding": [{"code": "a"}]}},
        b={"code": {"coding": [{"code": "b"}]}},
        both={"code": {"coding": [{"code": "a,b"}]}},
    )

    assert found(resources, "Observation?code=a,b") == "a b"
    assert found(resources, "Observation?code=a\\,b") == "both"


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("identifier=http://acme.org/patient|2345", "in"),
        ("identifier=2345", "in out"),
        ("identifier=|2345", "out"),
        ("identifier=http://acme.org/patient|", "in"),
        ("identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|2345", "in"),
    ],
)
def test_tokens_with_a_system_or_without(search: str, ids: str) -> None:
    number = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
    with_system = {
        "system": "http://acme.org/patient",
        "value": "2345",
        "type": {"coding": [number]},
    }
    people = [
        {"resourceType": "Patient", "id": "in", "identifier": [with_system]},
        {"resourceType": "Patient", "id": "out", "identifier": [{"value": "2345"}]},
    ]

    assert found(people, f"Patient?{search}") == ids


def test_tokens_on_strings_have_no_case() -> None:
    sets = [{"resourceType": "ValueSet", "id": "a", "version": "Beta"}]

    assert found(sets, "ValueSet?version=BETA") == "a"


@pytest.mark.parametrize(
    ("modifier", "ids"),
    [
        ("in=http://acme.org/vs", "child"),
        ("below=http://s|parent", "child parent"),
        ("above=http://s|child", "child parent"),
        ("not-in=http://acme.org/vs", "other parent"),
    ],
)
def test_codes_in_sets_and_hierarchies(modifier: str, ids: str) -> None:
    conditions = [
        {
            "resourceType": "Condition",
            "id": code,
            "code": {"coding": [{"system": "http://s", "code": code}]},
        }
        for code in ("parent", "child", "other")
    ]
    chosen = {"system": "http://s", "concept": [{"code": "child"}]}
    definitions = [
        {
            "resourceType": "ValueSet",
            "id": "v",
            "url": "http://acme.org/vs",
            "compose": {"include": [chosen]},
        },
        {
            "resourceType": "CodeSystem",
            "id": "s",
            "url": "http://s",
            "concept": [{"code": "parent", "concept": [{"code": "child"}]}, {"code": "other"}],
        },
    ]

    assert found([*conditions, *definitions], f"Condition?code:{modifier}") == ids


def test_mime_types_below_their_base() -> None:
    documents = [
        {
            "resourceType": "DocumentReference",
            "id": id,
            "content": [{"attachment": {"contentType": type}}],
        }
        for id, type in {"a": "text/xml; charset=UTF-8", "b": "text/xml", "c": "text/plain"}.items()
    ]

    assert found(documents, "DocumentReference?contenttype=text/xml") == "b"
    assert found(documents, "DocumentReference?contenttype:below=text/xml") == "a b"


@pytest.mark.parametrize("search", ["Patient/123", f"{BASE}/Patient/123", "123"])
def test_relative_and_absolute_references_are_the_same(search: str) -> None:
    resources = observed(
        near={"subject": {"reference": "Patient/123"}},
        far={"subject": {"reference": f"{BASE}/Patient/123"}},
        other={"subject": {"reference": "http://elsewhere.org/fhir/Patient/123"}},
    )

    assert found(resources, f"Observation?subject={search}") == "far near"


def test_locations_below_another() -> None:
    resources = [
        {"resourceType": "Location", "id": "42"},
        {"resourceType": "Location", "id": "43", "partOf": {"reference": "Location/42"}},
        {"resourceType": "Procedure", "id": "in", "location": {"reference": "Location/42"}},
        {"resourceType": "Procedure", "id": "part", "location": {"reference": "Location/43"}},
    ]

    assert found(resources, "Procedure?location=42") == "in"
    assert found(resources, "Procedure?location:below=42") == "in part"


def test_chains_are_evaluated_inside_contained_resources() -> None:
    coded = {"coding": [{"system": "http://acme.com./medications", "code": "abc"}]}
    medicine = {
        "resourceType": "Medication",
        "id": "m1",
        "ingredient": [{"itemCodeableConcept": coded}],
    }
    request = {
        "resourceType": "MedicationRequest",
        "id": "23",
        "contained": [medicine],
        "medicationReference": {"reference": "#m1"},
    }

    assert found([request], "MedicationRequest?medication.ingredient-code=abc") == "23"
    assert found([request], "Medication?ingredient-code=abc") == ""
    assert found([request], "MedicationRequest?medication:missing=false") == "23"


def test_chains_are_evaluated_separately() -> None:
    people = [
        {
            "resourceType": "Practitioner",
            "id": "joe",
            "name": [{"family": "Joe"}],
            "address": [{"state": "CA"}],
        },
        {
            "resourceType": "Practitioner",
            "id": "jane",
            "name": [{"family": "Jane"}],
            "address": [{"state": "MN"}],
        },
        {
            "resourceType": "Patient",
            "id": "p",
            "generalPractitioner": [
                {"reference": "Practitioner/joe"},
                {"reference": "Practitioner/jane"},
            ],
        },
    ]
    chains = "general-practitioner.name=Joe&general-practitioner.address-state=MN"
    together = "general-practitioner[name eq Joe].address-state eq MN"

    assert found(people, f"Patient?{chains}") == "p"
    assert found(people, f"Patient?_filter={together}") == ""


def test_the_text_beside_codings_is_no_item_that_is_unequal() -> None:
    """ "An item in the set has an unequal value" (§3.1.3.2); a text is matched by `:text` only."""
    resources = observed(
        same={"code": {"coding": [{"code": "a"}], "text": "Alpha"}},
        other={"code": {"coding": [{"code": "a"}, {"code": "b"}]}},
    )

    assert found(resources, "Observation?_filter=code ne A") == "other"


def test_lists_select_what_they_refer_to() -> None:
    resources = [
        {"resourceType": "List", "id": "42", "entry": [{"item": {"reference": "Patient/a"}}]},
        {"resourceType": "Patient", "id": "a", "gender": "female"},
        {"resourceType": "Patient", "id": "b", "gender": "female"},
    ]

    assert found(resources, "Patient?_list=42&gender=female") == "a"


def test_negation_applies_to_the_set_and_not_to_each_entry() -> None:
    sections = {"one": ["48765-2", "1"], "two": ["1"], "none": []}
    compositions = [
        {
            "resourceType": "Composition",
            "id": id,
            "section": [{"code": {"coding": [{"code": code}]}} for code in codes],
        }
        for id, codes in sections.items()
    ]

    assert found(compositions, "Composition?section:not=48765-2") == "none two"
