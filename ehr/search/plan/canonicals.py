"""Canonicals: they lead to every resource whose url they are (R4 §2.3.0.5, §3.1.1.4.12).

A canonical may name a version: "the |[version] portion … a search on the business version of the
target resource". Without one it leads to all versions that are there: which of them is meant, R4
leaves to the reader. Urls are compared by their hashes, versions folded, as `version` is searched.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    union_all,
)

from ehr.search.asking import Asking
from ehr.search.matching import KeyAndRow, under
from ehr.search.parameters.reference_paths import canonical_path
from ehr.search.parameters.token import SORT_LENGTH
from ehr.store import tables
from ehr.store.pairs import in_keys, in_named, in_pairs
from ehr.store.templates import rows_of
from fhir_profiles.definitions import resource_types
from fhir_profiles.search_parameters import SearchParameter, for_type

Name = tuple[int, str | None]  # hash of the url, folded version

_URL, _VERSION = tables.uri.alias("canonical"), tables.token.alias("business")
_DEFINITION = tables.resource.alias("definition")


def paths(parameters: Iterable[SearchParameter]) -> list[int]:
    """Return the `reference.path` ids of canonicals among what these parameters look at."""
    return sorted({path for one in parameters if (path := canonical_path(one)) is not None})


def definitions(types: Sequence[str]) -> tuple[str, ...]:
    """Return those of these types (none: all) that are known by a canonical url."""
    return tuple(type for type in types or resource_types() if _is_definition(type))


def _is_definition(type: str) -> bool:
    known = for_type(type)
    return "version" in known and "url" in known and known["url"].expression == f"{type}.url"


def with_names(step: Select[Any], row: FromClause, type: str) -> Select[Any]:
    """Return the step with two more columns, the canonical name of a row if it has one."""
    url, version = (for_type(type)[code].param_id for code in ("url", "version"))
    return (
        step.add_columns(_URL.c.hash, _VERSION.c.text)
        .select_from(row)
        .outerjoin(_URL, and_(_same(_URL, row), _URL.c.param == url))
        .outerjoin(_VERSION, and_(_same(_VERSION, row), _VERSION.c.param == version))
    )


def _same(t: FromClause, row: FromClause) -> ColumnElement[bool]:
    return and_(t.c.patient_key == row.c.patient_key, t.c.rid == row.c.rid)


def leads_to(
    t: FromClause, paths: Sequence[int], names: Collection[Name], asking: Asking
) -> ColumnElement[bool]:
    """Return the condition that a reference row is a canonical of one of these definitions."""
    version = func.substr(t.c.target_version, 1, SORT_LENGTH)
    exact = in_named(asking.connection, t.c.target_hash, version, _versioned(names))
    return and_(
        t.c.path.in_(paths),
        in_keys(asking.connection, t.c.target_hash, sorted({hash for hash, _ in names})),
        or_(t.c.target_version.is_(None), exact),
    )


def is_named(
    row: FromClause, types: Sequence[str], names: Collection[Name], asking: Asking
) -> ColumnElement[bool]:
    """Return the condition that a row of these types is a definition with one of these names."""
    found: Select[Any] = select(_URL.c.patient_key, _URL.c.rid)
    if asking.context.patient_keys is not None:
        found = found.where(under(_URL.c.patient_key, asking.context.patient_keys))
    listed = union_all(*_named(found, types, names, asking))
    return tuple_(row.c.patient_key, row.c.rid).in_(listed)


def named_rows(
    row: FromClause, types: Sequence[str], names: Collection[Name], asking: Asking
) -> list[Select[Any]]:
    """Return what selects type and place of definitions with one of these names, as may be seen.

    `row` is an alias of `resource`.
    """
    found: Select[Any] = select(row.c.type, row.c.patient_key, row.c.rid).join_from(
        _URL, row, _same(_URL, row)
    )
    seen = found.where(row.c.deleted.is_(False), asking.visible(row))
    return _named(seen, types, names, asking)


def _named(
    found: Select[Any], types: Sequence[str], names: Collection[Name], asking: Asking
) -> list[Select[Any]]:
    urls, versions = _params(types, "url"), _params(types, "version")
    found = found.where(_URL.c.param.in_(urls))
    plain = sorted({hash for hash, version in names if version is None})
    exact = _versioned(names)
    chosen = [found.where(in_keys(asking.connection, _URL.c.hash, plain))]
    if exact:
        hashes = sorted({hash for hash, _ in exact})
        chosen.append(
            found.join(_VERSION, _same(_VERSION, _URL)).where(
                _VERSION.c.param.in_(versions),
                in_keys(asking.connection, _URL.c.hash, hashes),
                in_named(asking.connection, _URL.c.hash, _VERSION.c.text, exact),
            )
        )
    return chosen


def names_of(
    places: Collection[KeyAndRow], types: Sequence[str], asking: Asking, *, check: bool
) -> dict[KeyAndRow, Name]:
    """Return the canonical names of rows of these types; `check` that those may be seen."""
    urls, versions = _params(types, "url"), _params(types, "version")
    versioned = and_(_same(_VERSION, _URL), _VERSION.c.param.in_(versions))
    statement = (
        select(_URL.c.patient_key, _URL.c.rid, _URL.c.hash, _VERSION.c.text)
        .outerjoin_from(_URL, _VERSION, versioned)
        .where(
            in_pairs(asking.connection, _URL.c.patient_key, _URL.c.rid, places),
            _URL.c.param.in_(urls),
        )
    )
    if check:
        there = and_(_same(_URL, _DEFINITION), _DEFINITION.c.deleted.is_(False))
        statement = statement.where(exists().where(there, asking.visible(_DEFINITION)))
    rows = rows_of(asking.connection, statement)
    return {(key, rid): (hash, version) for key, rid, hash, version in rows}


def _params(types: Sequence[str], code: str) -> list[int]:
    return [for_type(type)[code].param_id for type in types]


def _versioned(names: Collection[Name]) -> list[tuple[int, str]]:
    return sorted({(hash, text[:SORT_LENGTH]) for hash, text in names if text is not None})
