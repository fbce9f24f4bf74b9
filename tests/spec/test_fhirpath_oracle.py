"""Our FHIRPath engine against fhirpathpy, another implementation, on HL7's examples."""

import json
import tarfile
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.fhirpath import FhirPathError, compile
from tests.shared_data import shared

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import fhirpathpy
    from fhirpathpy.models import models

EXAMPLES = "hl7-r4-examples/hl7.fhir.r4.examples-4.0.1.tar.gz"
EXPRESSIONS = {
    "Patient": [
        "name.given",
        "name.where(use = 'official').family",
        "Patient.telecom.where(system = 'phone' and use != 'old').value",
        "contact.all(name.exists() or telecom.exists() or address.exists())",
        "name.select(given | family)",
        "address.city.distinct().count()",
        "name.first().given.join('-').upper()",
        "birthDate <= @2020-01-01",
        "birthDate + 1 year",
        "(multipleBirth is boolean) or (deceased is dateTime)",
        "identifier.where(system.startsWith('urn:oid')).value.length()",
        "telecom.exists(rank > 1)",
        "iif(active, 'in', 'out')",
        "name.given.exclude('Peter').count() - name.given.count()",
        "extension.url | identifier.extension.url",
    ],
    "Observation": [
        "value.as(Quantity).value",
        "(Observation.value as CodeableConcept).coding.code",
        "component.value.ofType(Quantity).unit",
        "value.value > 5 and value.value < 200.5",
        "code.coding.where(system = 'http://loinc.org').code",
        "category.coding.code contains 'vital-signs'",
        "component.code.coding.code.isDistinct()",
        "effective is dateTime",
        "referenceRange.low.value * 2 + 1",
        "dataAbsentReason.empty() or value.empty()",
        "component.select(value.value).aggregate($this + $total, 0)",
        "subject.reference.replace('Patient/', '').matches('^[a-z0-9]+$')",
        "status in ('final' | 'amended')",
        "repeat(component).count()",
    ],
    "Questionnaire": [
        "repeat(item).linkId",
        "descendants().linkId.count()",
        "repeat(item).where(type = 'group').text.take(2)",
    ],
}


def _resources() -> Iterator[dict[str, Any]]:
    with tarfile.open(shared(EXAMPLES)) as archive:
        for member in archive:
            folder = member.name.split("/")[-2] if "/" in member.name else ""
            if folder in EXPRESSIONS and member.name.endswith(".json"):
                file = archive.extractfile(member)
                assert file is not None
                yield json.loads(file.read())


@pytest.mark.parametrize("type_name", EXPRESSIONS)
def test_both_engines_agree(type_name: str) -> None:
    resources = [each for each in _resources() if each["resourceType"] == type_name][:12]
    assert len(resources) >= 4

    for expression in EXPRESSIONS[type_name]:
        theirs = fhirpathpy.compile(expression, models["r4"])
        ours = compile(expression)
        for resource in resources:
            expected = _result(theirs, resource, Exception)
            assert _result(ours.evaluate, resource, FhirPathError) == expected, (
                expression,
                resource["id"],
            )


def _result(
    evaluate: Callable[[Any], list[Any]], resource: dict[str, Any], refusal: type[Exception]
) -> list[str] | None:
    """Return the results without order; None when the engine refuses."""
    try:
        return sorted(_comparable(each) for each in evaluate(resource))
    except refusal:  # the other engine raises plain Exception
        return None


def _comparable(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | Decimal):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)
