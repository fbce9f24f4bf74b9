"""The profiles, tags and security labels that current resources carry (R4 §3.2.0.2, $meta).

Index rows hold tags as hashes, so one resource of each tag is read to learn its words. At most
1,000 of each kind are told.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, func, select

from ehr.access.visible import visible_within
from ehr.messages import Resource
from ehr.search.asking import Asking, in_whole
from ehr.search.results.found import fetch
from ehr.search.results.linked import Linked
from ehr.store import tables
from fhir_profiles.definitions import resource_types, type_name
from fhir_profiles.search_parameters import for_type

MAXIMUM = 1_000
_TOKEN, _URI, _ROW = (
    tables.token.alias("t"), tables.uri.alias("u"), tables.resource.alias("r")
)  # fmt: skip


class _Meta(msgspec.Struct):
    tag: list[dict[str, Any]] = []
    security: list[dict[str, Any]] = []


class _Resource(msgspec.Struct):
    meta: _Meta


def labels_in_use(asking: Asking, type: str | None) -> Resource:
    """Return a Meta of all labels on resources of a type, or of every type, that may be seen."""
    asking = in_whole(asking)
    types = (type,) if type else resource_types()
    bodies = [
        msgspec.json.decode(one.json, type=_Resource).meta
        for one in fetch(_carriers(asking, types), asking)
    ]
    meta = {
        "profile": _profiles(asking, types),
        "security": _distinct(coding for body in bodies for coding in body.security),
        "tag": _distinct(coding for body in bodies for coding in body.tag),
    }
    return {name: values for name, values in meta.items() if values}


def _profiles(asking: Asking, types: Sequence[str]) -> list[str]:
    same = and_(_ROW.c.patient_key == _URI.c.patient_key, _ROW.c.rid == _URI.c.rid)
    statement = (
        select(_URI.c.value)
        .join_from(_URI, _ROW, same)
        .where(
            _URI.c.param.in_(_parameters(types, "_profile")),
            _ROW.c.deleted.is_(False),
            _seen(asking),
        )
        .distinct()
        .limit(MAXIMUM)
    )
    return sorted(asking.connection.execute(statement).scalars())


def _carriers(asking: Asking, types: Sequence[str]) -> list[Linked]:
    """Return one resource for each tag and each security label."""
    same = and_(_ROW.c.patient_key == _TOKEN.c.patient_key, _ROW.c.rid == _TOKEN.c.rid)
    number = func.row_number().over(
        partition_by=(_TOKEN.c.code, _TOKEN.c.system),
        order_by=(_TOKEN.c.patient_key, _TOKEN.c.rid),
    )
    labels = _parameters(types, "_tag") + _parameters(types, "_security")
    numbered = (
        select(_ROW.c.type, _ROW.c.patient_key, _ROW.c.rid, number.label("n"))
        .join_from(_TOKEN, _ROW, same)
        .where(_TOKEN.c.param.in_(labels), _ROW.c.deleted.is_(False), _seen(asking))
        .subquery("n")
    )
    statement = (
        select(numbered.c.type, numbered.c.patient_key, numbered.c.rid)
        .where(numbered.c.n == 1)
        .limit(2 * MAXIMUM)
    )
    rows = asking.connection.execute(statement).all()
    return [
        Linked(type_name(kind), (key, rid)) for kind, key, rid in dict.fromkeys(map(tuple, rows))
    ]


def _seen(asking: Asking) -> ColumnElement[bool]:
    return visible_within(_ROW, asking.scope, asking.context.hasher, binaries=True)


def _parameters(types: Sequence[str], code: str) -> list[int]:
    return [for_type(type)[code].param_id for type in types]


def _distinct(codings: Any) -> list[dict[str, Any]]:
    known = {(coding.get("system", ""), coding.get("code", "")): coding for coding in codings}
    return [known[key] for key in sorted(known)]
