"""EHR_REFERENCES=all: what a document, or a resource contained in it, refers to (R4 §2.3)."""

from collections.abc import Iterator, Sequence

from ehr.messages import Resource
from ehr.store.drafts import Demand
from fhir_profiles.references import Found, collect, type_and_id


def demands(
    resource: Resource, found: Sequence[Found] | None, bases: Sequence[str]
) -> tuple[Demand, ...]:
    """Return each literal local reference of a resource and of those it contains.

    `found` are the resource's own References, if known already.
    """
    own = collect(resource) if found is None else found
    return (*_named(own, "", bases), *_contained(resource, bases))


def _contained(resource: Resource, bases: Sequence[str]) -> Iterator[Demand]:
    for number, one in enumerate(resource.get("contained", ())):
        yield from _named(collect(one), f"contained[{number}].", bases)


def _named(found: Sequence[Found], holder: str, bases: Sequence[str]) -> Iterator[Demand]:
    for one in found:
        name = type_and_id(one.value, bases) if one.value else None
        if name is not None:
            below = one.location.partition(".")[2]
            yield Demand(*name, f"{holder}{below}")
