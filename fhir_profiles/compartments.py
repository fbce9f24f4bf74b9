"""The five R4 compartments: which search parameters put a resource of a type into one.

FHIR R4 §2.28 (CompartmentDefinition). `{def}` stands for the focal resource itself. Where a row is
filed is another matter: `fhir_profiles.owners`.
"""

from functools import cache
from typing import Any

from fhir_profiles.core_data import read_table

COMPARTMENTS = ("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson")


def parameters(compartment: str, type: str) -> tuple[str, ...]:
    """Return parameter codes; empty when the type is never in it; KeyError: no such compartment."""
    return _tables()[compartment].get(type, ())


def types_in(compartment: str) -> tuple[str, ...]:
    """Return the resource types that may be in a compartment, sorted, the focal type included."""
    return tuple(sorted(_tables()[compartment]))


@cache
def _tables() -> dict[str, dict[str, tuple[str, ...]]]:
    shape: Any = dict[str, dict[str, tuple[str, ...]]]
    tables: dict[str, dict[str, tuple[str, ...]]] = read_table("compartments", shape)
    return tables
