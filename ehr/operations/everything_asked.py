"""The parameters of $everything, read strictly."""

from dataclasses import dataclass
from typing import NoReturn

from ehr.errors import Invalid
from ehr.messages import Instant, Interaction, Params
from ehr.operations.given import single, texts
from ehr.search.everything.rows import Filter
from ehr.search.values.intervals import parse_interval, zone_named
from ehr.settings import Settings
from ehr.urls.counts import read_count
from fhir_profiles.definitions import is_resource_type

NAMES = frozenset({"start", "end", "_since", "_type", "_count", "_cursor"})
# One Bundle holds a whole record, up to this; more comes in pages.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: the parameters as they came, and what they mean."""

    params: Params
    wanted: Filter
    size: int


def read(interaction: Interaction, settings: Settings, kind: str) -> Asked:
    """Return what a caller of a kind asks for. Raises Invalid for what can't be read."""
    params = texts(interaction, NAMES)
    return Asked(
        params,
        _filter(params, settings.record_timezone),
        _size(params, settings.page_limit.of(kind), whole=interaction.id is not None),
    )


def _filter(params: Params, timezone: str) -> Filter:
    start, end = _interval(params, "start", timezone), _interval(params, "end", timezone)
    if start is not None and end is not None and end[1] <= start[0]:
        raise Invalid("`end` lies before `start`.", code="value", expression="end")
    since = _interval(params, "_since", timezone)
    return Filter(
        _types(params),
        since[0] if since else None,
        start[0] if start else None,
        end[1] if end else None,
    )


def _size(params: Params, limit: int, *, whole: bool) -> int:
    """All in one page, unless `_count` is given or it is about everyone."""
    text = single(params, "_count")
    if text is None:
        return MOST if whole else limit
    count = read_count(text)
    if not count:
        _refuse("_count", text, "a whole number from 1")
    return min(count, limit)


def _types(params: Params) -> tuple[str, ...]:
    listed = (value for name, value in params if name == "_type")
    types = tuple(dict.fromkeys(one.strip() for text in listed for one in text.split(",")))
    for type in types:
        if not is_resource_type(type):
            _refuse("_type", type, "types such as Observation,Condition")
    return types


def _interval(params: Params, name: str, timezone: str) -> tuple[Instant, Instant] | None:
    """Return the milliseconds [low, high) of a date or instant."""
    text = single(params, name)
    if text is None:
        return None
    try:
        low, high = parse_interval(text, zone_named(timezone))
    except ValueError:
        _refuse(name, text, "a date such as 2026-11-22 or 2026-11-22T09:30:00Z")
    return low // 1000, -(-high // 1000)


def _refuse(name: str, text: str, wanted: str) -> NoReturn:
    raise Invalid(
        f"`{name}` is `{text[:80]}`, which can't be read. Write {wanted}.",
        code="value",
        expression=name,
    )
