"""The fast half of validation: closures per type that say yes to a sound resource, or doubt it.

A doubt is no verdict: the walker decides then. So everything rare (arrays with null, required
elements given only by an extension) is doubted here, and only what is certainly sound is accepted;
a property test holds the two against each other.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from fhir_profiles.definitions import Field, TypeDefinition, is_resource_type, type_definition
from fhir_profiles.primitives import is_id
from fhir_profiles.validator.accept_values import Check, Seen, primitive
from fhir_profiles.validator.bindings import bound_concepts, concept_fits
from fhir_profiles.validator.bundle import bundle_issues
from fhir_profiles.validator.contained import contained_resource_issues
from fhir_profiles.validator.invariants import RULES
from fhir_profiles.validator.reference_text import reference_fault


def accepts(resource: Any) -> bool:
    """Say whether a resource is certainly sound; False means look closer."""
    try:
        return _resource(resource, [])
    except RecursionError:
        return False


def _resource(resource: Any, _: Seen) -> bool:
    # A resource of its own, in an entry too: local references do not cross its border.
    if type(resource) is not dict:
        return False
    check = _type_check(resource.get("resourceType"))
    seen: Seen = []
    if check is None or not check(resource, seen):
        return False
    if not seen and "contained" not in resource:
        return True
    return _local_targets_exist(resource, seen)


def _type_check(name: Any) -> Check | None:
    check = _CHECKS.get(name) if type(name) is str else None
    if check is None and type(name) is str and is_resource_type(name):
        return _compiled(name)
    return check


def _local_targets_exist(resource: dict[str, Any], seen: Seen) -> bool:
    if len(set(seen)) != len(seen):
        ids = [text for text in seen if text[0] == "!"]
        if len(set(ids)) != len(ids):
            return False
    contained = resource.get("contained", [])
    targets = {"#" + one["id"] for one in contained}
    mentioned = {text for text in seen if text[0] == "#"}
    return len(targets) == len(contained) and mentioned == targets


_CHECKS: dict[str, Check] = {}


def _compiled(name: str) -> Check:
    known = _CHECKS.get(name)
    if known is not None:
        return known
    definition = type_definition(name)
    members: dict[str, Check] = {}
    check = _object(definition, members)
    if name == "Extension":
        check = _extension(check, members)
    elif name == "Bundle":
        check = _bundle(check)
    elif name in RULES:
        check = _ruled(check, RULES[name][0])
    # Published before its members are known: types are recursive. A thread that meets half a type
    # misses a member and so doubts; it never accepts too much.
    _CHECKS[name] = check
    for field in definition.fields.values():
        members.update(_member_checks(field))
    if definition.kind == "resource":
        members["resourceType"] = lambda value, _: value == name
    return check


def _member_checks(field: Field) -> dict[str, Check]:
    check = _value_check(field)
    if field.many:
        check = _many(check)
    checks = {field.name: check}
    if field.primitive and field.xml != "attribute":
        # Arrays beside arrays are aligned by the walker.
        checks["_" + field.name] = _doubt if field.many else _compiled("Element")
    return checks


def _value_check(field: Field) -> Check:
    if field.primitive:
        return primitive(field)
    if field.type == "Resource":
        return _contained if field.name == "contained" else _resource
    if field.type == "Reference":
        return _reference(field.targets)
    concepts = bound_concepts(field)
    check = _compiled(field.type)
    if concepts is None:
        return check

    def bound(value: Any, seen: Seen) -> bool:
        return check(value, seen) and concept_fits(value, concepts)

    return bound


def _doubt(value: Any, seen: Seen) -> bool:
    return False


def _many(check: Check) -> Check:
    def many(values: Any, seen: Seen) -> bool:
        if type(values) is not list or not values:
            return False
        for value in values:  # noqa: SIM110 - a generator costs more
            if not check(value, seen):
                return False
        return True

    return many


def _object(definition: TypeDefinition, members: dict[str, Check]) -> Check:
    fields = definition.fields.values()
    required = tuple(each.name for each in fields if each.min and not each.choice)
    groups = tuple(
        (frozenset(names) | {"_" + name for name in names}, int(is_needed))
        for _, names, is_needed in definition.choices
    )
    get = members.get
    is_element = definition.kind != "resource"

    def check(value: Any, seen: Seen) -> bool:
        if type(value) is not dict:
            return False
        for name, member in value.items():
            member_check = get(name)
            if member_check is None or not member_check(member, seen):
                return False
        if is_element and len(value) < 2 and (not value or "id" in value):
            return False
        for name in required:
            if name not in value:
                return False
        for names, least in groups:  # noqa: SIM110 - a generator costs more
            if not least <= len(names.intersection(value)) <= 1:
                return False
        return True

    return check


def _extension(check: Check, members: dict[str, Check]) -> Check:
    def extension(value: Any, seen: Seen) -> bool:
        if type(value) is not dict:
            return False
        if len(value) == 2 and "url" in value and "id" not in value:
            # Two members, one the url: the other is the value or extensions, never both.
            for name, member in value.items():
                member_check = members.get(name)
                if member_check is None or not member_check(member, seen):
                    return False
            return True
        if not check(value, seen):
            return False
        has_value = any(name[:5] == "value" or name[:6] == "_value" for name in value)
        return has_value is not ("extension" in value)

    return extension


def _bundle(check: Check) -> Check:
    def bundle(value: Any, seen: Seen) -> bool:
        return check(value, seen) and not bundle_issues(value, "")

    return bundle


def _ruled(check: Check, rule: Callable[[dict[str, Any]], bool]) -> Check:
    def ruled(value: Any, seen: Seen) -> bool:
        return check(value, seen) and rule(value)

    return ruled


@cache
def _reference(targets: frozenset[str]) -> Check:
    check = _compiled("Reference")

    def reference(value: Any, seen: Seen) -> bool:
        if not check(value, seen):
            return False
        text = value.get("reference", "")
        if "type" in value:
            return _is_plain(text, seen) and reference_fault(value, targets) is None
        if text[:9] == "urn:uuid:" or not text:
            return " " not in text
        head, _, tail = text.partition("/")
        if (head in targets or (not targets and is_resource_type(head))) and is_id(tail):
            return True
        return _is_plain(text, seen) and reference_fault(value, targets) is None

    return reference


def _is_plain(text: str, seen: Seen) -> bool:
    if text[:1] == "#":
        seen.append(text)
    return True


def _contained(resource: Any, seen: Seen) -> bool:
    if type(resource) is not dict:
        return False
    check = _type_check(resource.get("resourceType"))
    if check is None or not is_id(resource.get("id")):
        return False
    return check(resource, seen) and not any(contained_resource_issues(resource, ""))
