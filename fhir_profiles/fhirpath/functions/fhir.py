"""Functions that FHIR R4 adds to FHIRPath (§2.9.1.5 "Additional functions")."""

from typing import Any

from fhir_profiles.definitions import coded, codes
from fhir_profiles.narrative import narrative_fault

from ..environment import Environment
from ..errors import FhirPathError
from ..model import is_fhir_type, is_subtype, step
from ..nodes import Collection, Node, members, node_of, shadow_members
from ..values import EMPTY, FALSE, boolean, optional, plain, system, text
from .signature import values

_BASE = "http://hl7.org/fhir/StructureDefinition/"


def extension(items: Collection, env: Environment, url: Collection) -> Collection:
    """Return the extensions with this url, those of primitives included."""
    wanted = text(url, "extension()")
    out: Collection = []
    for item in items:
        if type(item) is not Node:
            continue
        if isinstance(item.value, dict):
            members(item, "extension", step(item.type, "extension"), out)
        else:
            shadow_members(item, "extension", out)
    return [each for each in out if _url(each) == wanted]


def _url(node: Node) -> Any:
    return node.value.get("url") if isinstance(node.value, dict) else None


def has_extension(items: Collection, env: Environment, url: Collection) -> Collection:
    """Tell whether there is an extension with this url."""
    return boolean(bool(extension(items, env, url)))


def has_value(items: Collection, env: Environment) -> Collection:
    """Tell whether the input is one primitive with a value, not extensions alone."""
    return boolean(len(items) == 1 and _primitive_value(items[0]) is not None)


def get_value(items: Collection, env: Environment) -> Collection:
    """Return the System value of a single primitive."""
    return optional(_primitive_value(items[0]) if len(items) == 1 else None)


def _primitive_value(item: Any) -> Any:
    value = system(item)
    return None if isinstance(value, Node | dict | list) else value


def resolve(items: Collection, env: Environment) -> Collection:
    """Return the resources that references, uris or canonicals point to, as far as they are found.

    Contained resources and entries of the Bundle at hand are found here; others by the callback.
    """
    out: Collection = []
    for item in items:
        reference = _reference(item)
        if reference:
            env.spend(10)
            out.extend(_within(env.root, reference, env) or _fetched(reference, env))
    return out


def _reference(item: Any) -> str | None:
    value = item.value if type(item) is Node else item
    if isinstance(value, dict):
        value = value.get("reference")
    return value if isinstance(value, str) else None


def _within(root: Node, reference: str, env: Environment) -> Collection:
    if not isinstance(root.value, dict):
        return EMPTY
    if reference.startswith("#"):
        found: Collection = []
        members(root, "contained", step(root.type, "contained"), found)
        env.spend(len(found))
        same = [each for each in found if each.value.get("id") == reference[1:]]
        return same[:1] or ([root] if reference == "#" else EMPTY)
    if root.type != "Bundle":
        return EMPTY
    entries: Collection = []
    members(root, "entry", step("Bundle", "entry"), entries)
    env.spend(len(entries))
    out: Collection = []
    for entry in entries:
        if entry.value.get("fullUrl") == reference:
            members(entry, "resource", step(entry.type, "resource"), out)
    return out[:1]


def _fetched(reference: str, env: Environment) -> Collection:
    found = env.resolve(reference) if env.resolve is not None else None
    return EMPTY if found is None else [node_of(found)]


def member_of(items: Collection, env: Environment, value_set: Collection) -> Collection:
    """Tell whether a code, Coding or CodeableConcept is in a value set; nothing when unknown."""
    url = text(value_set, "memberOf()")
    if len(items) != 1 or url is None:
        return EMPTY
    value = plain(items[0])
    if env.member_of is not None:
        return boolean(env.member_of(value, url))
    return boolean(_is_member(value, url))


def _is_member(value: Any, url: str) -> bool | None:
    if isinstance(value, str):
        listed = codes(url)
        return None if listed is None else value in listed
    pairs = coded(url)
    if pairs is None or not isinstance(value, dict):
        return None
    codings = value.get("coding") or [] if "coding" in value or "text" in value else [value]
    return any((each.get("system"), each.get("code")) in pairs for each in codings)


def conforms_to(items: Collection, env: Environment, profile: Collection) -> Collection:
    """Tell whether the only item conforms to a profile."""
    url = text(profile, "conformsTo()")
    if len(items) != 1 or url is None:
        return EMPTY
    if env.conforms_to is not None:
        return boolean(env.conforms_to(plain(items[0]), url))
    name = url.removeprefix(_BASE)
    if name == url or not is_fhir_type(name):
        raise FhirPathError(f"The profile {url} is not known here")
    return boolean(type(items[0]) is Node and is_subtype(items[0].type, name))


def html_checks(items: Collection, env: Environment) -> Collection:
    """Tell whether a narrative holds only what R4 §2.4.0 permits."""
    if len(items) != 1:
        return EMPTY
    value = plain(items[0])
    env.spend(len(value) if isinstance(value, str) else 0)
    return boolean(not narrative_fault(value)) if isinstance(value, str) else FALSE


def check_modifiers(items: Collection, env: Environment, *known: Collection) -> Collection:
    """Return the input; modifier extensions other than the known ones are an error."""
    allowed = {text(each, "checkModifiers()") for each in known}
    for item in items:
        if type(item) is Node and isinstance(item.value, dict):
            found: Collection = []
            members(item, "modifierExtension", step(item.type, "modifierExtension"), found)
            for each in found:
                if _url(each) not in allowed:
                    raise FhirPathError(f"Unknown modifier extension {_url(each)}")
    return items


FUNCTIONS = {
    "extension": values(extension, 1), "hasExtension": values(has_extension, 1),
    "hasValue": values(has_value), "getValue": values(get_value), "resolve": values(resolve),
    "memberOf": values(member_of, 1), "conformsTo": values(conforms_to, 1),
    "htmlChecks": values(html_checks), "htmlChecks2": values(html_checks),
    "checkModifiers": values(check_modifiers, 0, 16),
}  # fmt: skip
