"""Reading a literal reference: what is a type and id of ours, and what is not."""

import pytest

from fhir_profiles.references import type_and_id

BASES = ("https://record.example/fhir", "http://localhost:8000/fhir/")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient/1", ("Patient", "1", None)),
        ("Patient/a-B.9", ("Patient", "a-B.9", None)),
        ("Patient/1/_history/2", ("Patient", "1", "2")),
        ("https://record.example/fhir/Patient/1", ("Patient", "1", None)),
        ("http://localhost:8000/fhir/Patient/1/_history/2", ("Patient", "1", "2")),
        (f"Patient/{'a' * 64}", ("Patient", "a" * 64, None)),
        (f"Patient/{'a' * 65}", None),
        ("https://record.example/fhirPatient/1", None),
        ("https://record.example/fhir//Patient/1", None),
        ("https://other.example/fhir/Patient/1", None),
        ("https://record.example/fhir", None),
        ("Dog/1", None),
        ("patient/1", None),
        ("Resource/1", None),
        ("Patient", None),
        ("Patient/", None),
        ("/Patient/1", None),
        ("Patient/1/", None),
        ("Patient/1#a", None),
        ("Patient/1|2", None),
        ("Patient/1/_history", None),
        ("Patient/1/_history/", None),
        ("Patient/1/name", None),
        ("Patient/a_b", None),
        ("Patient/é", None),
        ("Patient/1\n", None),
        (" Patient/1", None),
        ("Patient?identifier=a|b", None),
        ("Patient/1?a=b", None),
        ("#a", None),
        ("#", None),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", None),
        ("urn:oid:1.2", None),
        ("", None),
    ],
)
def test_text_is_read(text: str, expected: tuple[str, str, str | None] | None) -> None:
    assert type_and_id(text, BASES) == expected
