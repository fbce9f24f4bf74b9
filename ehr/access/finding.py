"""One resource by its id for who may see it: a statement that leaves out what is hidden.

What a caller may not see is answered as what is not there, and takes no longer: its body is neither
fetched nor unpacked.
"""

from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    SmallInteger,
    Text,
    bindparam,
    select,
)

from ehr.access.opening.simply import simply_visible
from ehr.access.scope import EVERYTHING, Scope
from ehr.access.visible import visible_within
from ehr.store import read, tables
from ehr.store.engine import of
from ehr.store.read import Stored
from ehr.store.templates import Template, keeping, run, template_of
from fhir_profiles.definitions import type_number

_PLACE, _ROW = tables.locator.alias("place"), tables.resource.alias("one")
_VERSION = tables.version.alias("text")


def newest(connection: Connection, scope: Scope, type: str, id: str) -> Stored | None:
    """Return the newest version of a resource; None where there is none that this scope shows."""
    if scope == EVERYTHING:
        return read.newest(connection, type, id)
    # What is hidden and what is not there are asked for twice alike.
    simply = _shown_simply(connection, scope, type, id)
    return simply or _shown(connection, scope, type, id)


def version(connection: Connection, scope: Scope, type: str, id: str, number: int) -> Stored | None:
    """Return one version of a resource; None where there is none that this scope shows."""
    if scope == EVERYTHING:
        return read.version(connection, type, id, number)
    return _shown(connection, scope, type, id, asked_version=number)


def _shown_simply(connection: Connection, scope: Scope, type: str, id: str) -> Stored | None:
    """Return a resource as most are shown: whole, for a reason that is quickly told."""
    template = keeping(
        connection, ("simply shown", scope, type), lambda: _simply(connection, scope, type)
    )
    if template is False:
        return None
    found = run(connection, template, _values(scope, type, id))
    return read.stored(connection, type, id, found[0], is_whole=True) if found else None


def _simply(connection: Connection, scope: Scope, type: str) -> Template | Literal[False]:
    seen = simply_visible(_ROW, scope, of(connection).hasher, type)
    return False if seen is None else template_of(connection, _one(_ROW.c.version, seen))


def _shown(connection: Connection, scope: Scope, type: str, id: str, **asked: int) -> Stored | None:
    template = keeping(
        connection,
        ("shown", scope, type, *asked),
        lambda: template_of(connection, _statement(connection, scope, type, bool(asked))),
    )
    found = run(connection, template, {**_values(scope, type, id), **asked})
    return read.stored(connection, type, id, found[0]) if found else None


def _values(scope: Scope, type: str, id: str) -> dict[str, Any]:
    return {**scope.values, "asked_type": type_number(type), "asked_id": id}


def _statement(
    connection: Connection, scope: Scope, type: str, by_number: bool
) -> Select[*tuple[Any, ...]]:
    number = bindparam("asked_version", 0, Integer) if by_number else _ROW.c.version
    seen = visible_within(
        _ROW,
        scope,
        of(connection).hasher,
        binaries=type == "Binary",
        types=(type,),
        version=_VERSION if by_number else None,
    )
    return _one(number, seen)


def _one(number: ColumnElement[int], seen: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    at, r, v = _PLACE.c, _ROW.c, _VERSION.c
    return (
        select(*(v[name] for name in read.COLUMNS))
        .select_from(_PLACE)
        .join(_ROW, (r.patient_key == at.patient_key) & (r.rid == at.rid))
        .join(_VERSION, (v.patient_key == r.patient_key) & (v.rid == r.rid))
        .where(
            at.type == bindparam("asked_type", 0, SmallInteger),
            at.id == bindparam("asked_id", "", Text),
            v.version == number,
            seen,
        )
    )
