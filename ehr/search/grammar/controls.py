"""Parameters that shape the result, not the matches: `_count _sort _summary _elements _total …`.

FHIR R4 §3.1.1.5 (Managing Returned Resources). Each may be given once. `_format` and `_pretty`
are read where HTTP is; here they are only kept, so that links repeat them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast, get_args

from ehr.errors import Invalid
from ehr.search.grammar.criterion import missing
from ehr.search.grammar.elements import check_elements
from ehr.search.grammar.refusals import shown, unknown
from ehr.search.parameters.custom import NO_CUSTOM, Custom
from ehr.search.parameters.supported import is_sortable, parameters_named, supported_names
from ehr.search.request import SortKey, Summary, Total
from ehr.search.values.escapes import alternatives
from ehr.urls.counts import read_count
from fhir_profiles.definitions import resource_types
from fhir_profiles.search_parameters import SearchParameter, component_parameter

CURSOR = "_cursor"
MAXIMUM_SORT_KEYS = 5
_PRETTY = ("true", "false")
_SUMMARIES = tuple(name for name in get_args(Summary) if name)
_TOTALS = tuple(name for name in get_args(Total) if name)


@dataclass(slots=True)
class Controls:
    """What the single-valued parameters said; `types` are those asked for."""

    types: tuple[str, ...]
    custom: Custom = NO_CUSTOM
    count: int | None = None
    sort: tuple[SortKey, ...] = ()
    summary: Summary = ""
    elements: tuple[str, ...] = ()
    total: Total = ""
    cursor: str | None = None


def read_control(controls: Controls, name: str, value: str) -> None:
    """Take one parameter of `CONTROLS` into `controls`; raise Invalid when its value is wrong."""
    CONTROLS[name](controls, value)


def _count(controls: Controls, value: str) -> None:
    count = read_count(value)
    if count is None:
        raise Invalid(
            f"`_count` is `{shown(value)}`. It must be a whole number from 0 "
            "(0 returns only the total)."
        )
    controls.count = count


def _sort(controls: Controls, value: str) -> None:
    codes = value.split(",")
    if len(codes) > MAXIMUM_SORT_KEYS:
        raise Invalid(
            f"`_sort` names {len(codes)} parameters. At most {MAXIMUM_SORT_KEYS} are supported.",
            code="too-costly",
        )
    controls.sort = tuple(_sort_key(controls, code) for code in codes)
    names = [key.code for key in controls.sort]
    if len(set(names)) < len(names):
        raise Invalid("`_sort` names a parameter twice. Name each parameter once.")


def _sort_key(controls: Controls, written: str) -> SortKey:
    types, custom = controls.types, controls.custom
    code = written.removeprefix("-")
    parameters = parameters_named(types, code, custom)
    if parameters and is_sortable(parameters):
        return SortKey(code, written.startswith("-"), parameters)
    if parameters:
        raise _no_order(code, parameters)
    if code == "_score":
        raise Invalid(
            "`_sort=_score` is not supported: matches are not ranked. Sort by a search parameter.",
            code="not-supported",
        )
    if custom.waits(types, code):
        raise missing(types, code, custom)
    valid = [
        name
        for name in supported_names(types, custom)
        if is_sortable(parameters_named(types, name, custom))
    ]
    raise unknown("sort parameter", code, " in `_sort`", valid)


def _no_order(code: str, parameters: tuple[SearchParameter, ...]) -> Invalid:
    first = parameters[0]
    if first.components:
        parts = ",".join(component_parameter(first, one).code for one in first.components)
        why = f"each of its values is made of several. Sort by its parts: `{parts}`"
    else:
        why = "its values have no order that all these types share. Sort by another parameter"
    return Invalid(f"`{shown(code)}` in `_sort` is not supported: {why}.", code="not-supported")


def _summary(controls: Controls, value: str) -> None:
    if value not in _SUMMARIES:
        raise unknown("value", value, " of `_summary`", _SUMMARIES)
    controls.summary = cast(Summary, value)


def _total(controls: Controls, value: str) -> None:
    if value not in _TOTALS:
        raise unknown("value", value, " of `_total`", _TOTALS)
    controls.total = cast(Total, value)


def _elements(controls: Controls, value: str) -> None:
    names = alternatives(value)
    check_elements(controls.types or resource_types(), names)
    controls.elements = names


def _cursor(controls: Controls, value: str) -> None:
    controls.cursor = value


def _contained(_: Controls, value: str) -> None:
    if value != "false":
        raise Invalid(
            f"`_contained={shown(value)}` is not supported: contained resources are never "
            "matches of their own. Leave it out, or use `false`.",
            code="not-supported",
        )


def _contained_type(_: Controls, __: str) -> None:
    raise Invalid(
        "`_containedType` is not supported: contained resources are never matches of their own. "
        "Leave it out.",
        code="not-supported",
    )


def _kept(_: Controls, __: str) -> None:
    """`_format` concerns the answer's form, which the edge decides."""


def _pretty(_: Controls, value: str) -> None:
    """`_pretty` does so as well; the edge hands it on where it passes over it."""
    if value not in _PRETTY:
        raise unknown("value", value, " of `_pretty`", _PRETTY)


CONTROLS: dict[str, Callable[[Controls, str], Any]] = {
    "_count": _count,
    "_sort": _sort,
    "_summary": _summary,
    "_elements": _elements,
    "_total": _total,
    CURSOR: _cursor,
    "_contained": _contained,
    "_containedType": _contained_type,
    "_format": _kept,
    "_pretty": _pretty,
}
