"""Granular scopes: `?category=system|code` of a scope, as SQL and in Python.

SMART App Launch 2.2, *Finer-grained resource constraints using search parameters*. Only token
parameters, without modifiers: `,` is or, `&` is and. What can't be judged permits nothing.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import ColumnElement, FromClause, and_, false, or_

from auth.scopes import Filter
from ehr.access.there import there_is
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from ehr.store.tables import token
from fhir_profiles.definitions import resource_types
from fhir_profiles.extraction import leaves
from fhir_profiles.search_parameters import for_type

Hashes = tuple[int | None, int | None]  # of the code and of the system; None: any, 0: none


@dataclass(frozen=True, slots=True)
class Wanted:
    """One parameter of a filter: any of these tokens will do."""

    params: frozenset[int]
    tokens: tuple[Hashes, ...]

    def meets(self, rows: Iterable[tuple[int, int, int, str | None]]) -> bool:
        """Tell whether one of these token rows is a token that is wanted."""
        return any(
            param in self.params
            and any(c in (None, code) and s in (None, system) for c, s in self.tokens)
            for param, code, system, _ in rows
        )


def met_by_row(
    hasher: Hasher,
    filter: Filter,
    types: Collection[str] | None,
    key: ColumnElement[int],
    rid: ColumnElement[int],
) -> ColumnElement[bool]:
    """Return the condition that the resource of these types (None: any) at a place meets a filter.

    Its index rows tell.
    """
    conditions = []
    for test in tests_of(hasher, filter, None if types is None else tuple(sorted(types))):
        if not test.params or not test.tokens:
            return false()
        conditions.append(there_is(_TOKEN, _TOKEN.c.patient_key == key, _TOKEN.c.rid == rid,
                                         _TOKEN.c.param.in_(sorted(test.params)),
                                         _any_of(test.tokens)))  # fmt: skip
    return and_(*conditions)


def met_by(hasher: Hasher, filter: Filter, rows: IndexRows) -> bool:
    """Tell whether a resource meets a filter, by index rows that are not stored yet."""
    found = [row for one in (rows, *rows.parts) for row in one.token]
    return all(test.meets(found) for test in tests_of(hasher, filter, None))


_TOKEN = token.alias("permitted")


def _any_of(tokens: tuple[Hashes, ...]) -> ColumnElement[bool]:
    return or_(*(_is_token(_TOKEN, *one) for one in tokens))


def _is_token(t: FromClause, code: int | None, system: int | None) -> ColumnElement[bool]:
    parts = []
    if code is not None:
        parts.append(t.c.code == code)
    if system is not None:
        parts.append(t.c.system == system)
    return and_(*parts)


@lru_cache(maxsize=1024)
def tests_of(hasher: Hasher, filter: Filter, types: tuple[str, ...] | None) -> tuple[Wanted, ...]:
    """Return the tests of a filter for these types (None: any), all of which must be met."""
    return tuple(
        Wanted(_params(name, types), tuple(_tokens(hasher, name, value))) for name, value in filter
    )


@lru_cache(maxsize=256)
def _params(name: str, types: tuple[str, ...] | None) -> frozenset[int]:
    """Return the numbers of the token parameters of a name, of each of these types that has one."""
    known = (for_type(type).get(name) for type in types or resource_types())
    return frozenset(one.param_id for one in known if one is not None and one.kind == "token")


@lru_cache(maxsize=256)
def _is_folded(name: str) -> bool:
    """Tell whether a parameter looks at strings, whose case does not count."""
    known = (for_type(type).get(name) for type in resource_types())
    found = [one for one in known if one is not None and one.kind == "token"]
    return any(leaf.type == "string" for one in found for leaf in leaves(one))


def _tokens(hasher: Hasher, name: str, value: str) -> Iterator[Hashes]:
    if "\\" in value:
        return  # no code of a terminology has a comma or bar in it
    for each in value.split(","):
        system, bar, code = each.rpartition("|")
        if not code and not system:
            continue
        codes = {code, code.casefold()} if _is_folded(name) else {code}
        for one in sorted(codes):
            yield (
                hasher.once(one) if one else None,
                None if not bar else hasher.once(system) if system else 0,
            )
