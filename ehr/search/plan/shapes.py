"""Searches that differ only in whose record they search: their SQL is made once and kept.

A shape is all that the conditions of a search within one key depend on, but for the key: what was
written, who asks (as far as `visible()` goes by it), and how values are read. Conditions that look
something up beforehand, or go by the clock, have no shape.
"""

from collections.abc import Hashable

from sqlalchemy import Connection

from ehr.search.asking import Asking
from ehr.search.request import Condition, Criterion, SearchRequest
from ehr.store.templates import keep, kept

Shape = Hashable

_LONGEST = 1_000  # characters: what is longer seldom comes again
_KINDS = frozenset({"token", "string", "date", "number", "quantity", "uri"})
_MODIFIERS = frozenset({None, "missing", "not", "exact", "contains"})


def shape_of(
    request: SearchRequest,
    patient_keys: tuple[int, ...] | None,
    implied: Criterion | None,
    asking: Asking,
) -> Shape | None:
    """Return the shape of the conditions that the key does not imply; None where they have none."""
    if patient_keys is None or len(patient_keys) != 1:
        return None
    if request.compartment is not None or request.lenient:
        return None
    asked = [one for one in request.conditions if one is not implied]
    if not all(map(_is_constant, asked)):
        return None
    written = tuple(one.written for one in asked)
    if sum(len(name) + len(value) for name, value in written) > _LONGEST:
        return None
    context = asking.context
    # What a name stands for may change: the record can add parameters of its own.
    meant = tuple(one.parameters for one in asked if isinstance(one, Criterion))
    return asking.scope, context.timezone, context.base_urls, request.types, written, meant


def judged(connection: Connection, shape: Shape) -> None:
    """Remember that the conditions of a shape make sense."""
    keep(connection, ("judged", shape), True)


def is_judged(connection: Connection, shape: Shape) -> bool:
    """Tell whether the conditions of a shape are known to make sense, for another patient maybe."""
    return kept(connection, ("judged", shape)) is True


def _is_constant(condition: Condition) -> bool:
    return isinstance(condition, Criterion) and (
        condition.modifier in _MODIFIERS
        and all(
            parameter.kind in _KINDS and not parameter.code.startswith("_")
            for parameter in condition.parameters
        )
        # `ap` is wider the longer ago: it goes by the clock.
        and not any(value.startswith("ap") for value in condition.values)
    )
