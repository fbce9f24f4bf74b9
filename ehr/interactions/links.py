"""What the links of a Bundle become: full urls and conditional references turn into `Type/id`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ehr.errors import PreconditionFailed
from ehr.messages import Resource
from ehr.search.criteria import Criteria, Matches
from fhir_profiles.references import Found, collect, rewrite, type_and_id
from fhir_profiles.references.relinking import are_countable, may_be_extended, relink

if TYPE_CHECKING:
    from ehr.interactions.changes import Change
    from ehr.interactions.targets import Target

# Members of a Bundle and of Parameters, which hold whole resources.
_NESTING = frozenset({"entry", "parameter"})


class Links:
    """Old link text → new link text, and the way to put them into documents."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self._is_countable = are_countable(texts)

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


def find_links(changes: "Sequence[Change]", targets: "Sequence[Target]", matches: Matches) -> Links:
    """Return the links of a set of changes. Raises PreconditionFailed for a condition that does
    not match exactly one resource, in the record or in the Bundle itself."""
    links: dict[str, str] = {}
    for change, target in zip(changes, targets, strict=True):
        if change.full_url is not None and target.names:
            name = f"{change.type}/{target.id}"
            for text in _spellings(change):
                if text != name:
                    links[text] = name
    for criteria, found in matches.items():
        if criteria.reference:
            links[criteria.text] = _one(criteria, found, changes, targets)
    return Links(links)


def _spellings(change: "Change") -> Iterator[str]:
    """Yield the full url and, where it is one of a RESTful server, its relative form."""
    assert change.full_url is not None
    yield change.full_url
    base, _, relative = change.full_url.partition(f"/{change.type}/")
    if base.startswith(("http://", "https://")) and relative:
        located = type_and_id(f"{change.type}/{relative}", ())
        if located is not None:
            yield f"{change.type}/{located[1]}"


def _one(
    criteria: Criteria,
    found: tuple[str, ...],
    changes: "Sequence[Change]",
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


def _carries(change: "Change", criteria: Criteria) -> bool:
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
