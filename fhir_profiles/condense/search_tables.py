"""Search parameters by resource type, each with the part of its expression for that type.

FHIR R4 §3.1.1 and the parameter registry. A row is [code, kind, url, expression, description,
targets, components]. Parameters of Resource and DomainResource are written for every type.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fhir_profiles.condense.definitions_package import Package, Resource
from fhir_profiles.condense.expression_parts import element_targets, parts_for

Structures = Mapping[str, Any]

# The package also has three example parameters, one of them a second `_id`.
EXAMPLES = "http://hl7.org/fhir/SearchParameter/example"
# As published these can find nothing: one names its extension by a URL that does not exist, the
# other calls a function that FHIRPath does not have.
CORRECTED_EXPRESSIONS = {
    "patient-extensions-Patient-mothersMaidenName": (
        "Patient.extension('http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName')"
    ),
    "questionnaireresponse-extensions-QuestionnaireResponse-item-subject": (
        "QuestionnaireResponse.item.where(extension('http://hl7.org/fhir/StructureDefinition/"
        "questionnaireresponse-isSubject').exists()).answer.value.ofType(Reference)"
    ),
}
# Published with the expressions of the two components exchanged (code for target).
EXCHANGED_COMPONENTS = frozenset({"DocumentReference-relationship"})
# Published with a type that FHIR does not have.
MISSPELT_TYPES = {"as(DateTime)": "as(dateTime)"}
# Parameters of every type have no expression where the server answers them by other means.
BY_OTHER_MEANS = frozenset({"_content", "_filter", "_query", "_text"})


def condense_search_parameters(package: Package, structures: Structures) -> dict[str, Any]:
    """Return `types` (type -> rows in order of their codes) and `urls` (url -> code and types)."""
    types = structures["types"]
    tables: dict[str, list[list[Any]]] = {
        name: [] for name, row in types.items() if row[0] == "resource" and not row[2]
    }
    urls: dict[str, list[Any]] = {}
    for parameter in package.of_type("SearchParameter"):
        if parameter["url"].startswith(EXAMPLES):
            continue
        for name in _types_of(parameter, types):
            row = _row(parameter, name, types)
            if row[3] or row[0] in BY_OTHER_MEANS:
                tables[name].append(row)
                urls.setdefault(row[2], [row[0], []])[1].append(name)
    return {"types": {name: sorted(rows) for name, rows in tables.items()}, "urls": urls}


def _types_of(parameter: Resource, types: Mapping[str, Any]) -> Iterator[str]:
    """Yield the concrete types of a parameter; ten in the package have no base and are unusable."""
    bases = set(parameter.get("base", ()))
    for name, (kind, base, abstract, *_) in types.items():
        above = {name, base, "Resource"}
        if kind == "resource" and not abstract and above & bases:
            yield name


def _row(parameter: Resource, name: str, types: Mapping[str, Any]) -> list[Any]:
    published: str = parameter.get("expression", "")
    published = CORRECTED_EXPRESSIONS.get(parameter["id"], published)
    # What is searched is the value: an Extension is no token, string or reference.
    published = re.sub(r"(\.extension\('[^']*'\))$", r"\1.value", published)
    expression = " | ".join(parts_for(published, name))
    return [
        parameter["code"],
        parameter["type"],
        parameter["url"],
        expression,
        _description(parameter["description"], name),
        _targets(parameter.get("target", ()), expression, types),
        _components(parameter),
    ]


def _description(text: str, name: str) -> str:
    """Return the sentence for one type out of the list that shared parameters have."""
    found = re.search(rf"^\* \[{name}\]\([^)]*\): (.*)$", text, re.MULTILINE)
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", found[1] if found else text)
    return " ".join(plain.split())


def _targets(declared: Sequence[str], expression: str, types: Mapping[str, Any]) -> list[str]:
    """Return what the elements of this type may really point to, out of what is declared."""
    possible = element_targets(expression, types)
    return sorted(each for each in declared if possible is None or each in possible)


def _components(parameter: Resource) -> list[list[str]]:
    components = [
        [each["definition"], _spelt(each["expression"])] for each in parameter.get("component", ())
    ]
    if parameter["id"] in EXCHANGED_COMPONENTS:
        (first, one), (second, other) = components
        return [[first, other], [second, one]]
    return components


def _spelt(expression: str) -> str:
    for wrong, right in MISSPELT_TYPES.items():
        expression = expression.replace(wrong, right)
    return expression
