"""References up and down a hierarchy: `:above` and `:below` (R4 search.html §3.1.1.4.14).

"When the reference establishes a strict hierarchy, the modifiers :above and :below may be used to
search transitively through the hierarchy". Strict are the elements below: one parent at most, of
the same type. Each level is one bounded step, so that no join leaves the key.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, and_, select

from ehr.errors import TooCostly
from ehr.search.matching import KeyAndRow
from ehr.store import tables
from ehr.store.pairs import in_pairs
from ehr.terminology import Source
from fhir_profiles.identity import stable_id

PARENT = {
    "Account": "partOf",
    "Device": "parent",
    "DeviceDefinition": "parentDevice",
    "Encounter": "partOf",
    "Location": "partOf",
    "Organization": "partOf",
}
MAXIMUM_LEVELS = 30
MAXIMUM_PLACES = 10_000
_LINK, _ROW = tables.reference.alias("up"), tables.resource.alias("r")


def related(
    source: Source, type: str, places: Collection[KeyAndRow], *, upward: bool
) -> frozenset[KeyAndRow]:
    """Return these resources of a type with all those above (or below) them that may be seen."""
    seen = set(places)
    waiting = set(places)
    for _ in range(MAXIMUM_LEVELS):
        if not waiting:
            return frozenset(seen)
        rows = source.connection.execute(_next(source, type, waiting, upward=upward))
        waiting = {(key, rid) for key, rid in rows} - seen
        seen |= waiting
        if len(seen) > MAXIMUM_PLACES:
            break
    raise TooCostly(
        f"The hierarchy of {type} there has more than {MAXIMUM_PLACES} members or {MAXIMUM_LEVELS} "
        "levels. Start further down, or ask for its parts."
    )


def _next(
    source: Source, type: str, places: Collection[KeyAndRow], *, upward: bool
) -> Select[int, int]:
    """Return the places right above (or below) some, where the lower one may be seen."""
    lower, upper = (_LINK.c.patient_key, _LINK.c.rid), (_LINK.c.target_key, _LINK.c.target_rid)
    start, end = (lower, upper) if upward else (upper, lower)
    conditions: list[ColumnElement[bool]] = [
        _LINK.c.path == stable_id(f"{type}.{PARENT[type]}"),
        _LINK.c.target_rid.isnot(None),
        in_pairs(source.connection, *start, places),
        _ROW.c.deleted.is_(False),
        source.visible(_ROW),
    ]
    same = and_(_ROW.c.patient_key == _LINK.c.patient_key, _ROW.c.rid == _LINK.c.rid)
    statement: Select[int, int] = (
        select(*end).join_from(_LINK, _ROW, same).where(*conditions).limit(MAXIMUM_PLACES + 1)
    )
    return statement
