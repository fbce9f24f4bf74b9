"""What the links of a Bundle become: full urls and conditional references turn into `Type/id`.

R4 bundle §2.36.4 (*Resolving references in Bundles*): a relative reference is one to the server
that the full url of its own entry names; from an entry with a `urn:` it does not lead into the
Bundle.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ehr.errors import PreconditionFailed, Unprocessable
from ehr.interactions.changes import Change
from ehr.messages import Resource
from ehr.search.criteria import Criteria, Matches
from fhir_profiles.references import Found, collect, rewrite, type_and_id
from fhir_profiles.references.relinking import are_countable, may_be_extended, relink

if TYPE_CHECKING:
    from ehr.interactions.targets import Target

# Members of a Bundle and of Parameters, which hold whole resources.
_NESTING = frozenset({"entry", "parameter"})
_URNS = ("urn:uuid:", "urn:oid:")


class Links:
    """Old link text → new link text, and the way to put them into documents.

    `relative` has those texts by the server that they are relative to.
    """

    def __init__(
        self, texts: Mapping[str, str], relative: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self.texts = texts
        self._is_countable = are_countable(texts)
        self._within = {
            root: Links({**texts, **some}) for root, some in (relative or {}).items() if some
        }

    def of_entry(self, type: str, full_url: str | None) -> "Links":
        """Return the links as they read in the entry with this full url."""
        if not self._within or full_url is None:
            return self
        return self._within.get(_root_and_rest(type, full_url)[0], self)

    def __bool__(self) -> bool:
        return bool(self.texts)

    def put_in(
        self, raw: bytes, resource: Resource, known: Sequence[Found] | None = None
    ) -> tuple[bytes, Resource, Sequence[Found]]:
        """Return a document with its links rewritten, and its References (`known`, if they are).

        `resource` may be changed in place.
        """
        extended = may_be_extended(raw)
        found = collect(resource, extended=extended) if known is None else known
        if not self.texts:
            return raw, resource, found
        if self._is_countable and _NESTING.isdisjoint(resource):
            every = found
            if "contained" in resource:
                every = collect(resource, nested=True, extended=extended)
            changed = relink(raw, every, self.texts)
            if changed is not None:
                return changed, resource, found
        raw, resource = rewrite(raw, resource, self.texts)
        return raw, resource, collect(resource)


def find_links(changes: Sequence[Change], targets: "Sequence[Target]", matches: Matches) -> Links:
    """Return the links of a set of changes. Raises PreconditionFailed for a condition that does
    not match exactly one resource, in the record or in the Bundle itself."""
    links: dict[str, str] = {}
    relative: dict[str, dict[str, str]] = {}
    for change, target in zip(changes, targets, strict=True):
        if change.full_url is not None and target.names:
            name = f"{change.type}/{target.id}"
            if change.full_url != name:
                links[change.full_url] = name
            root, rest = _root_and_rest(change.type, change.full_url)
            located = type_and_id(rest, ()) if root else None
            if located is not None and located[:2] != (change.type, target.id):
                relative.setdefault(root, {})[f"{change.type}/{located[1]}"] = name
    for criteria, found in matches.items():
        if criteria.reference:
            links[criteria.text] = _one(criteria, found, changes, targets)
    return Links(links, relative)


def refuse_lost(found: Sequence[Found], links: Links, bases: Sequence[str], place: str) -> None:
    """Raise Unprocessable for a Reference of the entry at `place` that can never lead anywhere: to
    a `urn:` that no entry has, or to a version of an entry that is only about to be stored."""
    for one in found:
        if one.kind != "reference" or one.value is None:
            continue
        # Not `value`, which is what was sent.
        problem = _problem(one.holder["reference"], links, bases)
        if problem:
            where = f"{place}.{one.location.partition('.')[2]}"
            raise Unprocessable(problem, code="not-found", expression=where)


def _problem(text: str, links: Links, bases: Sequence[str]) -> str:
    whole, versioned, version = text.partition("/_history/")
    if versioned and whole in links.texts:
        local = type_and_id(whole, bases)
        if local is None or f"{local[0]}/{local[1]}" != links.texts[whole]:
            return (
                f"{text} names a version of an entry of this Bundle, which gets its version when "
                f"it is stored. Leave `/_history/{version}` out."
            )
    if whole.startswith(_URNS):
        return (
            f"{text} is the fullUrl of no entry of this Bundle, so the link leads nowhere. Add "
            "the entry, or link to what is in the record."
        )
    return ""


def _root_and_rest(type: str, full_url: str) -> tuple[str, str]:
    """Return the base of the RESTful server that a full url is of and what stands below it, nothing
    for another kind of full url."""
    root, found, id = full_url.rpartition(f"/{type}/")
    if not found or not root.startswith(("http://", "https://")):
        return "", ""
    return root, f"{type}/{id}"


def _one(
    criteria: Criteria,
    found: tuple[str, ...],
    changes: Sequence[Change],
    targets: "Sequence[Target]",
) -> str:
    names = {f"{criteria.type}/{id}" for id in found}
    if not names:
        names = {
            f"{change.type}/{target.id}"
            for change, target in zip(changes, targets, strict=True)
            if target.writes and change.type == criteria.type and _carries(change, criteria)
        }
    if len(names) != 1:
        raise PreconditionFailed(
            f"The reference `{criteria.text}` matches {'several' if names else 'no'} "
            f"{criteria.type}. It must match exactly one. Load what it refers to first, or make "
            "it more precise.",
            code="multiple-matches" if names else "not-found",
            expression=criteria.expression,
        )
    return names.pop()


def _carries(change: Change, criteria: Criteria) -> bool:
    """Tell whether a resource of the same Bundle has the identifier that is asked for."""
    wanted = criteria.identifier
    if wanted is None or change.document is None or not isinstance(change.document.resource, dict):
        return False
    identifiers: Any = change.document.resource.get("identifier")
    some = identifiers if isinstance(identifiers, list) else [identifiers]
    return any(
        isinstance(one, dict) and (one.get("system") or "", one.get("value")) == wanted
        for one in some
    )
