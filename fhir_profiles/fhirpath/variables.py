"""External constants: `%resource`, `%ucum`, ``%`vs-name` `` (FHIR R4 §2.9.1.6 "Environment")."""

from .environment import Environment
from .errors import FhirPathError
from .nodes import Collection, node_of

_FIXED = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
_BASES = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "cs-": "http://hl7.org/fhir/CodeSystem/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


def constant(name: str, env: Environment) -> Collection:
    """Return the value of a constant; FhirPathError when there is none of this name."""
    if name in env.variables:
        value = env.variables[name]
        items = value if isinstance(value, list) else [value]
        return [node_of(each) if isinstance(each, dict) else each for each in items]
    if name == "resource":
        return [env.resource]
    if name == "rootResource":
        return [env.root]
    if name == "context":
        return env.context
    if name in _FIXED:
        return [_FIXED[name]]
    for prefix, base in _BASES.items():
        if name.startswith(prefix):
            return [base + name.removeprefix(prefix)]
    raise FhirPathError(f"There is no variable %{name}")
