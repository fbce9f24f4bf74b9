"""Rows that access goes by and no search can name: what a resource is to roles and consents.

Marks (`auth/roles/marks.py`) are tokens without a system. What a resource is coded by counts for
consents even where R4 has no parameter for it, as `Flag.category` (`ehr/access/consents/`).
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from auth.roles.marks import marks
from ehr.store.hashing import Hasher
from ehr.store.rows import CODED, CODING_ELEMENTS, MARKED, IndexRows
from fhir_profiles.search_parameters import for_type


def index(resource: dict[str, Any], rows: IndexRows, hasher: Hasher) -> None:
    """Add the rows of a resource."""
    rows.token += [(MARKED, hasher.once(word), 0, None) for word in marks(resource)]
    for name in _unindexed(resource["resourceType"]):
        for system, code in _codings(resource.get(name)):
            rows.token.append((CODED, hasher.once(code), hasher.once(system), None))


@cache
def _unindexed(type: str) -> tuple[str, ...]:
    """Return the elements that say what a resource is and have no parameter of their name."""
    known = for_type(type)
    return tuple(
        name for name in CODING_ELEMENTS if name not in known or known[name].kind != "token"
    )


def _codings(found: Any) -> Iterator[tuple[str, str]]:
    for concept in found if isinstance(found, list) else [found]:
        codings = concept.get("coding", [concept]) if isinstance(concept, dict) else ()
        for one in codings if isinstance(codings, list) else ():
            if isinstance(one, dict) and isinstance(one.get("code"), str):
                system = one.get("system")
                if isinstance(system, str):
                    yield system, one["code"]
