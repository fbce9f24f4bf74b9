"""The R4 search parameters of each resource type, as the official registry defines them.

FHIR R4 §3.1.1 and §2.30 (SearchParameter). Parameters of Resource and DomainResource stand in the
table of every type. Says what is defined, not what the server can search.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from fhir_profiles.core_data import read_table
from fhir_profiles.identity import stable_id


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite parameter: whose definition, and its expression below the base.

    `parameter` is that definition where it is none of R4's own.
    """

    definition: str
    expression: str
    parameter: "SearchParameter | None" = None


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One parameter of one resource type; `expression` holds the parts about that type only.

    `expression` is empty for `_text`, `_content`, `_query` and `_filter`. Empty `targets` mean any
    type. `param_id` names the parameter in index rows. With `own_rows` references have rows by that
    id as well, for a part of a composite parameter. `results` are the types of the values of an
    expression that has to be evaluated (`evaluated.py`), () where it can be walked.
    """

    type: str
    code: str
    kind: str
    expression: str
    url: str
    description: str
    targets: tuple[str, ...]
    components: tuple[Component, ...]
    param_id: int
    own_rows: bool = False
    results: tuple[str, ...] = ()


@cache
def for_type(type: str) -> Mapping[str, SearchParameter]:
    """Return the parameters of a resource type by code; KeyError when there is no such type."""
    import msgspec

    rows = msgspec.json.decode(_tables()["types"][type])
    return MappingProxyType({row[0]: _parameter(type, *row) for row in rows})


def standard_code(url: str) -> str | None:
    """Return the code of the R4 parameter with this URL, None where R4 has none."""
    import msgspec

    found = _tables()["urls"].get(url)
    return None if found is None else str(msgspec.json.decode(found)[0])


def by_url(url: str, type: str | None = None) -> SearchParameter:
    """Return the parameter with this URL, for the type given or its first; KeyError if none."""
    import msgspec

    code, types = msgspec.json.decode(_tables()["urls"][url])
    return for_type(types[0] if type is None else type)[code]


def component_parameter(parameter: SearchParameter, component: Component) -> SearchParameter:
    """Return the definition of a component for the type of the composite parameter."""
    return component.parameter or by_url(component.definition, parameter.type)


def _parameter(
    type: str,
    code: str,
    kind: str,
    url: str,
    expression: str,
    description: str,
    targets: list[str],
    components: list[list[str]],
) -> SearchParameter:
    return SearchParameter(
        type=type,
        code=code,
        kind=kind,
        expression=expression,
        url=url,
        description=description,
        targets=tuple(targets),
        components=tuple(Component(of, below) for of, below in components),
        param_id=stable_id(f"{type}.{code}"),
    )


@cache
def _tables() -> dict[str, dict[str, Any]]:
    import msgspec

    shape = dict[str, dict[str, msgspec.Raw]]
    tables: dict[str, dict[str, Any]] = read_table("search-parameters", shape)
    return tables
