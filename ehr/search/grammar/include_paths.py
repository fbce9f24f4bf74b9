"""`_include` and `_revinclude` as text: `Type:parameter`, `Type:parameter:Target`, `Type:*`, `*`.

FHIR R4 §3.1.1.5.4 (Including other resources in result). `results/include.py` follows them.
"""

from ehr.errors import Invalid
from ehr.search.grammar.criterion import missing
from ehr.search.grammar.refusals import shown, unknown
from ehr.search.parameters.custom import Custom
from ehr.search.parameters.supported import parameters_named, supported_names
from ehr.search.request import Include
from fhir_profiles.definitions import is_resource_type, resource_types
from fhir_profiles.search_parameters import SearchParameter

INCLUDES = frozenset({"_include", "_revinclude"})
_ITERATE = "iterate"
_WILDCARD = "*"


def is_include(name: str) -> bool:
    """Tell whether a parameter is `_include` or `_revinclude`, with a modifier or without."""
    return name.partition(":")[0] in INCLUDES


def read_include(types: tuple[str, ...], name: str, value: str, custom: Custom) -> Include:
    """Return what to include; `types` are those that the search returns (none: all)."""
    word, colon, modifier = name.partition(":")
    if colon and modifier != _ITERATE:
        raise unknown("modifier", modifier, f" of `{word}`", (_ITERATE,))
    reverse, iterate = word == "_revinclude", bool(colon)
    if value == _WILDCARD:
        every = _further(resource_types(), custom)
        return Include((name, value), reverse, iterate, None, (), None, every)
    source, code, target = _parts(word, value)
    parameters: tuple[SearchParameter, ...] = ()
    further: tuple[SearchParameter, ...] = ()
    if code == _WILDCARD:
        further = _further((source,), custom)
    else:
        parameters = (_reference(source, code, word, custom),)
    include = Include((name, value), reverse, iterate, source, parameters, target, further)
    _check_target(include)
    if types and not iterate:
        _check_reach(include, types)
    return include


def _parts(word: str, value: str) -> tuple[str, str, str | None]:
    parts = value.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise Invalid(
            f"`{word}={shown(value)}` must be `Type:parameter`, `Type:parameter:Target`, "
            "`Type:*` or `*`."
        )
    for name in (parts[0], *parts[2:]):
        if not is_resource_type(name):
            raise unknown("resource type", name, f" in `{word}`", resource_types())
    return parts[0], parts[1], parts[2] if len(parts) == 3 else None


def _further(types: tuple[str, ...], custom: Custom) -> tuple[SearchParameter, ...]:
    """Return the references that a wildcard means beside those of R4."""
    found = (one for name in types for one in custom.of_type(name).values())
    return tuple(one for one in found if one.kind == "reference")


def _reference(source: str, code: str, word: str, custom: Custom) -> SearchParameter:
    found = parameters_named((source,), code, custom)
    if not found and custom.waits((source,), code):
        raise missing((source,), code, custom)
    if not found or found[0].kind != "reference":
        valid = [
            name
            for name in supported_names((source,), custom)
            if parameters_named((source,), name, custom)[0].kind == "reference"
        ]
        raise unknown("reference parameter", code, f" of {source} in `{word}`", valid)
    return found[0]


def _check_target(include: Include) -> None:
    for parameter in include.parameters:
        if include.target and parameter.targets and include.target not in parameter.targets:
            raise unknown(
                "target type", include.target, f" of `{parameter.code}`", parameter.targets
            )


def _check_reach(include: Include, types: tuple[str, ...]) -> None:
    if not include.reverse:
        reached = include.source in types
    else:
        reached = not include.target or include.target in types
        for parameter in include.parameters:
            reached = reached and (not parameter.targets or bool({*parameter.targets} & {*types}))
    if not reached:
        name, value = include.written
        raise Invalid(
            f"`{name}={shown(value)}` has nothing to start from: the search returns "
            f"{', '.join(types)}. To follow from included resources, write `{name}:iterate`."
        )
