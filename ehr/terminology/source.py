"""Definitions in the record: by their canonical url, or by where they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, select

from ehr.errors import Invalid
from ehr.messages import Resource
from ehr.store.engine import of
from ehr.store.hashing import Hasher
from ehr.store.tables import locator, resource, uri, version
from fhir_profiles import json_format, own_codes
from fhir_profiles.definitions import type_number
from fhir_profiles.references import type_and_id
from fhir_profiles.search_parameters import for_type

Concept = tuple[str, str]  # (system, code)

# Definitions with one url; more are a fault of the record, and the newest of these will do.
_MOST = 50
_ROW, _VERSION = resource.alias("r"), version.alias("v")


@dataclass(frozen=True, slots=True)
class Source:
    """Where definitions are asked for, and what the caller may see of them."""

    connection: Connection
    visible: Callable[[FromClause], ColumnElement[bool]]
    hasher: Hasher
    base_urls: tuple[str, ...] = ()


def definition(source: Source, type: str, canonical: str) -> Resource | None:
    """Return the definition that a `url|version`, `Type/id` or own address names, if it is there.

    "If the server can treat the reference as a literal URL, it does, else it tries to match known
    logical ValueSet.url values" (R4 §3.1.1.4.10). Of several versions the newest in the record.
    """
    bare, _, wanted = canonical.partition("|")
    literal = type_and_id(bare, source.base_urls)
    found = _at(source, type, literal[1]) if literal is not None and literal[0] == type else []
    for each in found or _own(type, bare) or _with_url(source, type, bare):
        if not wanted or each.get("version") == wanted:
            return each
    return None


def _own(type: str, url: str) -> list[Resource]:
    """Return what the server defines itself, whatever somebody may have stored under its url."""
    found = own_codes.definition(type, url.rpartition("/")[2])
    return [found] if found is not None and found["url"] == url else []


def unknown(what: str, url: str, why: str) -> Invalid:
    """Return the refusal of a value set or code system, naming it."""
    shown = url if len(url) <= 200 else url[:200] + "…"
    return Invalid(f"{what} {shown} {why}", code="not-supported")


def _at(source: Source, type: str, id: str) -> list[Resource]:
    place = and_(locator.c.patient_key == _ROW.c.patient_key, locator.c.rid == _ROW.c.rid)
    named = and_(locator.c.type == type_number(type), locator.c.id == id)
    return _bodies(source, select(*_COLUMNS).join_from(locator, _ROW, place).where(named))


def _with_url(source: Source, type: str, url: str) -> list[Resource]:
    place = and_(uri.c.patient_key == _ROW.c.patient_key, uri.c.rid == _ROW.c.rid)
    named = and_(
        uri.c.param == for_type(type)["url"].param_id,
        uri.c.hash == source.hasher.once(url),
        uri.c.value == url,
    )
    statement = select(*_COLUMNS).join_from(uri, _ROW, place).where(named)
    return _bodies(source, statement.order_by(_ROW.c.last_updated.desc()).limit(_MOST))


_COLUMNS = (_VERSION.c.dict_id, _VERSION.c.body)


def _bodies(source: Source, statement: Any) -> list[Resource]:
    same = and_(
        _VERSION.c.patient_key == _ROW.c.patient_key,
        _VERSION.c.rid == _ROW.c.rid,
        _VERSION.c.version == _ROW.c.version,
    )
    current = and_(_ROW.c.deleted.is_(False), source.visible(_ROW))
    rows: Sequence[Any] = source.connection.execute(
        statement.join(_VERSION, same).where(current)
    ).all()
    decompress = of(source.connection).compressor.decompress
    # A stored body leaves out what its columns say; a definition is known by the rest.
    return [json_format.reparse(b'{"meta":{"x":0' + decompress(body, id)) for id, body in rows]
