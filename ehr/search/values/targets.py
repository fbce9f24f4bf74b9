"""What the text of a Reference or canonical points at (R4 references.html §2.3.0.1).

Own base URLs are taken away, so that one target has one name: `(type, id)` when it is ours, else
its url. Fragments (`#x`) point into the resource itself and are no target.
"""

import re
from dataclasses import dataclass

from fhir_profiles.definitions import is_resource_type

_LITERAL = re.compile(
    r"(?:(?P<base>[A-Za-z][A-Za-z0-9+.-]*:[^\s?#]*)/)?"
    r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9.-]{1,64}))?(?:#.*)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Target:
    """A local target has type and id; any other a url, and a type where the url tells it."""

    type: str | None = None
    id: str | None = None
    url: str | None = None
    version: str | None = None


def reference_target(text: str, base_urls: tuple[str, ...] = ()) -> Target | None:
    """Return the target of a `Reference.reference`, or None for a contained resource."""
    if not text or text.startswith("#"):
        return None
    match = _LITERAL.fullmatch(text)
    if not match or not is_resource_type(match["type"]):
        return Target(url=text)
    base, type, id, version = match.group("base", "type", "id", "version")
    if base is None or base in base_urls:
        return Target(type, id, None, version)
    return Target(type, None, f"{base}/{type}/{id}", version)


def canonical_target(text: str, base_urls: tuple[str, ...] = ()) -> Target | None:
    """Return the target of a canonical: `url|version`, with or without a fragment.

    The version is folded: it is "a search on the business version of the target resource"
    (§3.1.1.4.12), a string, and then "the search is not case sensitive".
    """
    if not text or text.startswith("#"):
        return None
    bare, _, version = text.partition("#")[0].partition("|")
    folded = version.casefold() or None
    match = _LITERAL.fullmatch(bare)
    if match and is_resource_type(match["type"]) and match["base"] in (None, *base_urls):
        # Relative is not as R4 asks, but common: a resource of this server.
        return Target(match["type"], match["id"], None, folded or match["version"])
    return Target(url=bare, version=folded)
