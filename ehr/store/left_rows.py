"""What stays of a resource's index rows once it is deleted: what access goes by, which no search
names.

Versions of what is deleted are still read, by whoever might read what was deleted. What a Consent
keeps back by a code, and what the role table calls social, are told by these rows.
"""

from collections.abc import Collection
from functools import cache

from sqlalchemy import Connection

from ehr.store.pairs import in_pairs
from ehr.store.rows import CODED, CODING_ELEMENTS, MARKED, IndexRows
from ehr.store.tables import token
from fhir_profiles.search_parameters import for_type

_LEFT = (MARKED, CODED)


def left_of(type: str, rows: IndexRows) -> IndexRows:
    """Return what stays of the rows of a resource: codes without the parameters that find them."""
    coded = _coding_parameters(type)
    stays = [row for row in rows.token if row[0] in _LEFT]
    found = [(CODED, row[1], row[2], None) for row in rows.token if row[0] in coded]
    return IndexRows(token=list(dict.fromkeys((*stays, *found))))


def clear_left(connection: Connection, places: Collection[tuple[int, int]]) -> None:
    """Remove what stayed of resources, given as (patient_key, rid), that are made anew."""
    if places:
        here = in_pairs(connection, token.c.patient_key, token.c.rid, list(places))
        connection.execute(token.delete().where(here, token.c.param.in_(_LEFT)))


@cache
def _coding_parameters(type: str) -> frozenset[int]:
    """Return the parameters by which rows of a type say what they are."""
    known = (for_type(type).get(name) for name in CODING_ELEMENTS)
    return frozenset(one.param_id for one in known if one is not None and one.kind == "token")
