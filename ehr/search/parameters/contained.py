"""Contained resources: index rows of their own, for the chains that lead into them.

R4 §3.1.1.5.5: "By default, search results only include resources that are not contained in other
resources. A chained condition will be evaluated inside contained resources." A reference leads to
one by its id (`#x`), and from inside to the container by `#` alone (§2.3.0.6).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ehr.search.parameters.token import SORT_LENGTH
from ehr.store.contained import MOST
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows, ReferenceRow
from fhir_profiles.search_parameters import for_type

Resource = dict[str, Any]
_Places = Mapping[str, tuple[int, str]]  # by id: which one of the container, and its type


def index(
    resource: Resource, rows: IndexRows, extract: Callable[[Resource], IndexRows], hasher: Hasher
) -> None:
    """Add the rows of what a resource contains, and lead references with a fragment there."""
    places: dict[str, tuple[int, str]] = {}
    for one in resource.get("contained", ())[:MOST]:
        id, type = one.get("id"), one["resourceType"]
        if id is not None and id not in places:
            inside, param = extract(one), for_type(type)["_id"].param_id
            inside.identifier = []  # nobody is found by it
            inside.token.append((param, hasher.once(id), 0, id[:SORT_LENGTH]))
            rows.inside.append(inside)
            rows.failed += inside.failed
            places[id] = len(rows.inside), type
    _lead(rows, places)
    around = {**places, "": (0, resource["resourceType"])}
    for inside in rows.inside:
        _lead(inside, around)


def _lead(rows: IndexRows, places: _Places) -> None:
    if any(row.fragment is not None for row in rows.reference):
        rows.reference = [_led(row, places) for row in rows.reference]


def _led(row: ReferenceRow, places: _Places) -> ReferenceRow:
    if row.fragment is None or row.fragment not in places:
        return row
    number, type = places[row.fragment]
    return replace(row, type=type, contained=number)
