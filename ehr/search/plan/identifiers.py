"""Identifiers over all patients: found by the locator, by their value itself and not by a hash.

ehr/README.md, *Locator*. Serves `identifier=system|value`, `identifier=value` and
`identifier=|value`.
"""

from sqlalchemy import Connection, select

from ehr.search.matching import KeyAndRow, MatchContext
from ehr.search.request import Criterion
from ehr.search.values.escapes import split
from ehr.store.rows import identifier_part, identifier_text
from ehr.store.tables import identifier_locator
from ehr.store.templates import rows_of
from fhir_profiles.definitions import type_number
from fhir_profiles.search_parameters import SearchParameter

# More rows with one value than this are left to the index.
_MOST = 1_000


def are_located(parameter: SearchParameter, criterion: Criterion, context: MatchContext) -> bool:
    """Tell whether the locator can answer: a whole value, of the resource's own identifier."""
    return (
        context.patient_keys is None
        and not context.inside
        and criterion.modifier is None
        and parameter.expression == f"{parameter.type}.identifier"
        and all(_is_whole(parameter, value) for value in criterion.values)
    )


def located(
    connection: Connection, parameter: SearchParameter, criterion: Criterion, context: MatchContext
) -> list[KeyAndRow] | None:
    """Return where resources with one of these identifiers are; None when there are too many."""
    wanted = [_read(parameter, value) for value in criterion.values]
    t = identifier_locator
    statement = (
        select(t.c.value, t.c.patient_key, t.c.rid)
        .where(
            t.c.hash.in_({context.hasher.once(value) for _, value in wanted}),
            t.c.type == type_number(parameter.type),
        )
        .limit(_MOST + 1)
    )
    rows = rows_of(connection, statement)
    if len(rows) > _MOST:
        return None
    whole = {identifier_text(system, value) for system, value in wanted if system is not None}
    endings = tuple(f"|{identifier_part(value)}" for system, value in wanted if system is None)
    pairs = ((key, rid) for text, key, rid in rows if text in whole or text.endswith(endings))
    return list(dict.fromkeys(pairs))


def _is_whole(parameter: SearchParameter, value: str) -> bool:
    """Any other shape is the token's, to search for or to refuse."""
    parts = split(parameter, value, "|")
    return len(parts) <= 2 and bool(parts[-1])


def _read(parameter: SearchParameter, value: str) -> tuple[str | None, str]:
    """Return (system, value): system None is any, "" none."""
    parts = split(parameter, value, "|")
    return (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
