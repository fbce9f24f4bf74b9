"""Labels, release times, authors and parties of resources."""

from typing import Any

import pytest

from fhir_profiles.definitions import type_definition
from fhir_profiles.facets import (
    AUTHOR_PATHS,
    BITS,
    CONFIDENTIALITY,
    PARTY_PATHS,
    SENSITIVITY,
    Facets,
    facets,
    labels,
    mask,
)
from fhir_profiles.own_names import RELEASE_TIME


@pytest.mark.parametrize("paths", [AUTHOR_PATHS, PARTY_PATHS])
def test_every_path_leads_to_a_reference(paths: dict[str, tuple[str, ...]]) -> None:
    for type, some in paths.items():
        for path in some:
            name = type
            for step in path.split("."):
                name = type_definition(name).fields[step].type
            assert name == "Reference", f"{type}.{path}"


def test_bits_are_never_given_twice_and_never_move() -> None:
    assert len(set(BITS.values())) == len(SENSITIVITY)
    assert (BITS["HIV"], BITS["SEXHLTH"], BITS["PATRPT"]) == (1, 1 << 19, 1 << 20)


@pytest.mark.parametrize(
    ("codes", "conf", "sens"),
    [
        ((), "N", ()),
        (("L", "R"), "R", ()),
        (("U",), "U", ()),
        (("V", "HIV", "PATRPT", "nothing"), "V", ("HIV", "PATRPT")),
        (("SOCIALCARE",), "N", ("SOCIALCARE",)),
    ],
)
def test_the_highest_level_and_every_sensitivity_count(
    codes: tuple[str, ...], conf: str, sens: tuple[str, ...]
) -> None:
    meta = {"security": [{"code": code} for code in codes]}

    assert labels({"resourceType": "Flag", "meta": meta}) == (CONFIDENTIALITY[conf], mask(*sens))


def test_facets_of_a_task() -> None:
    def to(text: str) -> dict[str, Any]:
        return {"reference": text}

    document = {
        "resourceType": "Task",
        "meta": {
            "extension": [
                {"url": RELEASE_TIME, "valueDateTime": "2026-01-01"},
                {"url": "urn:another", "valueDateTime": "2027-01-01"},
            ]
        },
        "requester": to("Practitioner/a"),
        "owner": to("Organization/b"),
        "for": to("Patient/c"),
        "restriction": {"recipient": [to("Practitioner/d"), to("Practitioner/a")]},
    }

    assert facets(document) == Facets(
        CONFIDENTIALITY["N"],
        0,
        ("2026-01-01",),
        (to("Practitioner/a"),),
        (to("Practitioner/a"), to("Organization/b"), to("Patient/c"), to("Practitioner/d")),
    )


def test_types_without_authors_have_none() -> None:
    assert facets({"resourceType": "Patient"}) == Facets(CONFIDENTIALITY["N"], 0, (), (), ())
