"""What the text of a reference names: a resource of this server, another's, or a canonical.

FHIR R4 §3.1.1.4.12 (reference), §3.1.1.4.13 (references and versions).
"""

import re
from dataclasses import dataclass

from tests.spec.oracle.elements import Element
from tests.spec.oracle.texts import split, unescape

_RELATIVE = re.compile(r"([A-Z]\w+)/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
CANONICALS = ("canonical", "uri", "url")


@dataclass(frozen=True)
class Named:
    """`Type/id` where it is local, else a url, `#id` where contained; and a version, if given."""

    local: str | None = None
    url: str | None = None
    contained: str | None = None
    version: str | None = None


def named(element: Element, base: str) -> Named | None:
    """Return what a Reference or canonical names; None where it has no literal reference."""
    if element.type in CANONICALS:
        return _canonical(element.value, base)
    text = element.value.get("reference") if isinstance(element.value, dict) else None
    return literal(text, base) if text else None


def literal(text: str, base: str) -> Named:
    """Return what a literal reference names."""
    if text.startswith("#"):
        return Named(contained=text[1:])
    found = _RELATIVE.fullmatch(text.removeprefix(base + "/"))
    if found:
        return Named(local=f"{found[1]}/{found[2]}", version=found[3])
    url, _, version = text.partition("/_history/")
    return Named(url=url, version=version or None)


def _canonical(text: str, base: str) -> Named:
    if text.startswith("#"):
        return Named(contained=text[1:])
    bare, _, version = text.partition("#")[0].partition("|")
    # "a search on the business version of the target resource" (§3.1.1.4.12), which is a string:
    # "then the search is not case sensitive" (§3.1.1.4.10).
    version = version.casefold()
    found = _RELATIVE.fullmatch(bare.removeprefix(base + "/"))
    if found:
        return Named(local=f"{found[1]}/{found[2]}", version=version or found[3])
    return Named(url=bare, version=version or None)


def type_in(text: str) -> str | None:
    """Return the type that the text of a reference tells, wherever the resource is."""
    found = re.fullmatch(rf"(?:\S+/)?{_RELATIVE.pattern}", text)
    return found[1] if found else None


def matches(text: str, of_type: str | None, target: Named, base: str) -> bool:
    """Tell whether a search value names the target: `id`, `Type/id` or a url."""
    wanted = unescape(text)
    if _ID.fullmatch(wanted):
        # "the logical [id] of a resource using a local reference"
        return target.local is not None and (
            target.local.partition("/")[2] == wanted
            and of_type in (None, target.local.partition("/")[0])
        )
    asked = _canonical(wanted, base) if "|" in wanted else literal(wanted, base)
    if of_type and asked.local and asked.local.partition("/")[0] != of_type:
        return False
    same = (asked.local, asked.url) == (target.local, target.url)
    # R4 leaves this open: whether a search without a version finds references with one. It does.
    return same and asked.version in (None, target.version)


def identifier_matches(text: str, element: Element) -> bool:
    """Tell whether `:identifier` finds a Reference: "works as a token search"."""
    identifier = element.value.get("identifier") if isinstance(element.value, dict) else None
    if not identifier:
        return False
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) == 1:
        return identifier.get("value") == parts[0]
    system, value = parts
    if identifier.get("system") != (system or None):
        return False
    return value in ("", identifier.get("value"))
