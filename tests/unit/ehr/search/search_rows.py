"""Rows of one resource and conditions of one request, for the tests beside this module."""

from typing import Any

import sqlalchemy
from sqlalchemy.dialects import sqlite

from ehr.search.indexer import Indexer
from ehr.search.matching import MatchContext, RowAlias
from ehr.search.parameters.clauses import clause
from ehr.search.values.escapes import alternatives
from ehr.store import tables
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from fhir_profiles.search_parameters import for_type

HASHER = Hasher(b"0123456789abcdef")
BASE = "https://here.example/fhir"


def rows_of(resource: dict[str, Any], timezone: str = "UTC") -> IndexRows:
    """Return the index rows of a resource."""
    return Indexer(HASHER, timezone, [BASE]).rows(resource)


def param(name: str) -> int:
    """Return the id of a parameter such as `Patient.gender`."""
    type, _, code = name.partition(".")
    return for_type(type)[code].param_id


def of_param(rows: list[Any], name: str) -> list[Any]:
    """Return the rows of one parameter, without its id."""
    return [row[1:] for row in rows if row[0] == param(name)]


def condition(row: RowAlias, type: str, name: str, value: str, **context: Any) -> Any:
    """Return the clause for one pair of a request."""
    code, _, modifier = name.partition(":")
    made = MatchContext(HASHER, base_urls=(BASE,), **context)
    return clause(row, for_type(type)[code], modifier or None, alternatives(value), made)


def sql(type: str, name: str, value: str, **context: Any) -> str:
    """Return a search as SQL with its values; raises what the clause raises."""
    wanted = condition(tables.resource.alias("row"), type, name, value, **context)
    compiled = sqlalchemy.select(wanted).compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )
    return " ".join(str(compiled).split())
