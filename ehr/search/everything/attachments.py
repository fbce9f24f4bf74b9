"""Binaries that attachments lead to: their url is no Reference, so no index row tells of them.

R4 §2.24.0.11 (Attachment.url). Only resources that name a Binary at all are parsed.
"""

from collections.abc import Iterable, Iterator, Sequence

from ehr.search.asking import Asking
from ehr.search.results.found import Found
from ehr.search.results.linked import Linked
from ehr.store.locator import locate
from fhir_profiles import json_format
from fhir_profiles.references import collect, type_and_id

_LINKS = frozenset({"uri"})


def attached_binaries(
    asking: Asking, carriers: Iterable[Found], home: Sequence[int]
) -> list[Linked]:
    """Return the Binaries that attachments of these resources lead to.

    Those of nobody's record, and those under the home keys; never another patient's.
    """
    names = {
        ("Binary", id) for one in carriers if b"Binary/" in one.json for id in _named(one, asking)
    }
    places = locate(asking.connection, names).values()
    return [
        Linked("Binary", (place.patient_key, place.rid))
        for place in places
        if place.patient_key <= 0 or place.patient_key in home
    ]


def _named(one: Found, asking: Asking) -> Iterator[str]:
    resource = json_format.reparse(one.json)
    for link in collect(resource, kinds=_LINKS, nested=True):
        name = type_and_id(link.value, asking.context.base_urls) if link.value else None
        if name is not None and name[0] == "Binary":
            yield name[1]
