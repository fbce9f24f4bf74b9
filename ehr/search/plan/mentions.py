"""Which resources a condition names, so that one statement can find them all beforehand."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from ehr.errors import FhirError, Invalid
from ehr.search.grammar.refusals import shown
from ehr.search.matching import KeyAndRow, MatchContext, TypeAndId
from ehr.search.parameters.clauses import clause
from ehr.search.request import (
    AllOf,
    AnyOf,
    Chain,
    Comparison,
    Condition,
    Criterion,
    Negation,
    Reverse,
)
from ehr.store import tables

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


def mentioned(condition: Condition, context: MatchContext) -> tuple[TypeAndId, ...]:
    """Return the `(type, id)` that the condition compares with, in every part of a chain."""
    match condition:
        case Chain():
            inner = [mentioned(one, context) for _, one in condition.inner]
            return tuple(name for names in inner for name in names)
        case Reverse():
            return mentioned(condition.inner, context)
        case AllOf() | AnyOf():
            parts = [mentioned(one, context) for one in condition.parts]
            return tuple(name for names in parts for name in names)
        case Negation():
            return mentioned(condition.part, context)
        case Comparison():
            return ()
        case Criterion():
            return _of_criterion(condition, context)


def _of_criterion(criterion: Criterion, context: MatchContext) -> tuple[TypeAndId, ...]:
    if criterion.modifier == "missing":
        return ()
    if criterion.parameters[0].code == "_id":
        return id_names(criterion)
    if criterion.parameters[0].kind not in ("reference", "composite"):
        return ()
    heard: list[TypeAndId] = []

    def listen(names: Sequence[TypeAndId]) -> Mapping[TypeAndId, KeyAndRow]:
        heard.extend(names)
        if criterion.parameters[0].kind == "reference":
            raise _Heard  # all of them: the rest of the clause is not wanted
        return {}

    listening = replace(context, resolve=listen)
    for parameter in criterion.parameters:
        # What is wrong with a value is said, to the caller, when the clause itself is made.
        with suppress(_Heard, FhirError):
            clause(tables.resource, parameter, criterion.modifier, criterion.values, listening)
    return tuple(heard)


class _Heard(Exception):
    pass


def id_names(criterion: Criterion) -> tuple[TypeAndId, ...]:
    """Return what the values of `_id` name, for each type asked for."""
    return tuple(
        (parameter.type, value)
        for parameter in criterion.parameters
        for value in criterion.values
        if _ID.fullmatch(value)
    )


def check_ids(criterion: Criterion) -> None:
    """Raise Invalid where a value of `_id` can be no id."""
    for value in criterion.values:
        if not _ID.fullmatch(value):
            raise Invalid(
                f"`_id` is `{shown(value)}`. An id has 1 to 64 letters, digits, `-` and `.`, "
                "without the type.",
                code="value",
            )
