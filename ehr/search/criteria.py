"""Conditions of conditional interactions and references: `Type?identifier=…` matched to ids.

Conditions on one identifier, by far the most, are matched together in one statement, however many a
Bundle has; any other condition is one search. A match counts only what the caller may see.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from auth.principal import Principal
from ehr.access.scope import scope_of
from ehr.access.visible import visible_within
from ehr.errors import FhirError, PreconditionFailed, located
from ehr.messages import Params
from ehr.search.asking import asking_for
from ehr.search.grammar.query import parse as parse_search
from ehr.search.plan.plan import plan
from ehr.search.results.found import Found
from ehr.search.results.page import page
from ehr.store.rows import identifier_part, identifier_text
from ehr.store.tables import identifier_locator, resource
from ehr.urls.queries import decode_pairs
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import for_type

if TYPE_CHECKING:
    from ehr.record import Record

_RESULT_PARAMETERS = {"_format", "_pretty", "_summary", "_elements", "_count", "_sort", "_include",
                      "_revinclude", "_total"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Criteria:
    """One condition. `reference`: it stood in a reference; `limit`: matches to look for."""

    type: str
    params: Params
    reference: bool = False
    limit: int = 2
    expression: str = field(default="", compare=False)
    text: str = field(default="", compare=False)

    @property
    def identifier(self) -> tuple[str | None, str] | None:
        """Return (system, value) where the condition is one identifier; system None = any."""
        if len(self.params) != 1 or self.params[0][0] != "identifier":
            return None
        text = self.params[0][1]
        if "\\" in text or "," in text:
            return None
        system, bar, value = text.partition("|")
        if not bar:
            return (None, system) if system else None
        return (system, value) if value and "|" not in value else None


_ROW = resource.alias("r")
_HOLDERS = (
    select(
        identifier_locator.c.hash,
        identifier_locator.c.type,
        identifier_locator.c.value,
        _ROW.c.id,
    )
    .join(
        _ROW,
        (_ROW.c.patient_key == identifier_locator.c.patient_key)
        & (_ROW.c.rid == identifier_locator.c.rid),
    )
    .where(_ROW.c.deleted.is_(False))
)
Matches = Mapping[Criteria, tuple[str, ...]]


def parse(type: str, query: str, *, reference: bool = False, expression: str = "") -> Criteria:
    """Return the condition of a query string. Raises PreconditionFailed for an empty one."""
    params = decode_pairs(query.encode("utf-8", "surrogatepass"), "condition")
    selecting = _selecting(type, params, expression)
    return Criteria(type, selecting, reference, expression=expression, text=f"{type}?{query}")


def of_params(type: str, params: Params, *, expression: str = "", limit: int = 2) -> Criteria:
    """Return the condition of parameters. Raises PreconditionFailed where they select all."""
    return Criteria(type, _selecting(type, params, expression), limit=limit, expression=expression)


def _selecting(type: str, params: Params, expression: str) -> Params:
    selecting = tuple(pair for pair in params if pair[0] not in _RESULT_PARAMETERS)
    if not selecting:
        raise PreconditionFailed(
            f"The condition on {type} names no search parameter, so it would match everything. "
            f"Name one, as in {type}?identifier=system|value, or one resource: {type}/[id].",
            code="required",
            expression=expression,
        )
    return selecting


def match(
    record: "Record",
    principal: Principal,
    connection: Connection,
    conditions: Collection[Criteria],
) -> dict[Criteria, tuple[str, ...]]:
    """Return the ids that match each condition, at most `limit` of them, sorted."""
    simple = [one for one in conditions if _by_identifier(one)]
    found = _match_identifiers(record, principal, connection, simple) if simple else {}
    for one in conditions:
        if one not in found:
            found[one] = _searched(record, principal, connection, one)
    return found


def _searched(
    record: "Record", principal: Principal, connection: Connection, one: Criteria
) -> tuple[str, ...]:
    try:
        rows = find(record, principal, connection, one.type, one.params, limit=one.limit)
    except FhirError as error:
        raise located(error, one.expression) from error
    return tuple(sorted(row.id for row in rows))


def find(
    record: "Record",
    principal: Principal,
    connection: Connection,
    type: str,
    params: Params,
    *,
    limit: int = 2,
) -> list[Found]:
    """Return up to `limit` matches of a condition, for interactions that depend on one."""
    asking = asking_for(record, principal, connection)
    planned = plan(parse_search((type,), params, custom=record.definitions.custom), asking)
    return list(page(connection, planned, size=limit).matches)


def _by_identifier(condition: Criteria) -> bool:
    parameter = for_type(condition.type).get("identifier")
    return condition.identifier is not None and parameter is not None and parameter.kind == "token"


def _match_identifiers(
    record: "Record", principal: Principal, connection: Connection, conditions: Sequence[Criteria]
) -> dict[Criteria, tuple[str, ...]]:
    wanted: dict[tuple[int, int], list[Criteria]] = {}
    for one in conditions:
        assert one.identifier is not None
        hash = record.database.hasher.once(one.identifier[1])
        wanted.setdefault((hash, type_number(one.type)), []).append(one)
    scope = scope_of(record.database, principal)
    rows = connection.execute(
        _HOLDERS.where(
            identifier_locator.c.hash.in_(sorted({hash for hash, _ in wanted})),
            visible_within(_ROW, scope, record.database.hasher),
        )
    ).all()
    ids: dict[Criteria, set[str]] = {one: set() for one in conditions}
    for hash, number, value, id in rows:
        for one in wanted.get((hash, number), ()):
            if _same_identifier(one, value):
                ids[one].add(id)
    return {one: tuple(sorted(some)[: one.limit]) for one, some in ids.items()}


def _same_identifier(condition: Criteria, stored: str) -> bool:
    """Compare the value itself: a hash alone is never trusted with an identifier."""
    assert condition.identifier is not None
    system, value = condition.identifier
    if system is None:
        return stored.endswith(f"|{identifier_part(value)}")
    return stored == identifier_text(system, value)
