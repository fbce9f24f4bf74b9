"""Required bindings of codes and concepts to the value sets that can be listed (FHIR R4 §4.1.5)."""

from typing import Any

from fhir_profiles.definitions import Binding, Field, coded, codes

_MAX_SHOWN = 12


def bound_codes(field: Field) -> frozenset[str] | None:
    """Return the codes a `code` element may have; None when anything well-formed will do."""
    if field.type not in ("code", "string", "uri") or not _is_required(field.binding):
        return None
    assert field.binding is not None
    return codes(field.binding.value_set)


def bound_concepts(field: Field) -> frozenset[tuple[str, str]] | None:
    """Return the (system, code) pairs that a Coding or CodeableConcept must choose from."""
    if field.type not in ("Coding", "CodeableConcept") or not _is_required(field.binding):
        return None
    assert field.binding is not None
    return coded(field.binding.value_set)


def concept_fits(concept: Any, concepts: frozenset[tuple[str, str]]) -> bool:
    """Say whether a Coding, or one coding of a CodeableConcept, is in the set."""
    if not isinstance(concept, dict):
        return False
    codings = concept.get("coding", [concept] if "code" in concept else [])
    if not isinstance(codings, list):
        return False
    if not codings and "extension" in concept:
        return True  # A data-absent-reason or the like stands for the concept.
    return any(_pair(coding) in concepts for coding in codings)


def choices_text(field: Field) -> str:
    """Name the value set and, when they are few, its codes."""
    assert field.binding is not None
    value_set = field.binding.value_set
    allowed = sorted(codes(value_set) or ())
    if len(allowed) > _MAX_SHOWN:
        return f"the value set {value_set} ({', '.join(allowed[:_MAX_SHOWN])} …)"
    return f"the value set {value_set}: {', '.join(allowed)}"


def _is_required(binding: Binding | None) -> bool:
    return binding is not None and binding.strength == "required"


def _pair(coding: Any) -> tuple[str, str]:
    if not isinstance(coding, dict):
        return "", ""
    system, code = coding.get("system"), coding.get("code")
    if not isinstance(system, str) or not isinstance(code, str):
        return "", ""
    return system, code
