"""The operations that R4 defines: where each may be invoked, and with which parameters.

FHIR R4 §3.2 (Operations) and §5.4.4 (OperationDefinition). Says what is defined, not what the
server offers.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from fhir_profiles.core_data import read_table


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in or out; `type` is empty where it only has parts."""

    name: str
    use: str
    min: int
    many: bool
    type: str
    search_type: str
    targets: tuple[str, ...]
    parts: tuple["Parameter", ...]


@dataclass(frozen=True, slots=True)
class OperationDefinition:
    """One operation: `name` is its code without the `$`; levels are system, type and instance."""

    name: str
    url: str
    system: bool
    type: bool
    instance: bool
    resources: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    affects_state: bool


@cache
def all() -> tuple[OperationDefinition, ...]:
    """Return every operation in order of name and URL."""
    table = read_table("operations", dict[str, dict[str, dict[str, Any]]])["operations"]
    operations = (_operation(url, row) for url, row in table.items())
    return tuple(sorted(operations, key=lambda each: (each.name, each.url)))


@cache
def for_type(type: str) -> tuple[OperationDefinition, ...]:
    """Return the operations of a resource type at type or instance level, those of Resource too."""
    return tuple(
        each
        for each in all()
        if (each.type or each.instance) and {type, "Resource"} & set(each.resources)
    )


def _operation(url: str, row: dict[str, Any]) -> OperationDefinition:
    return OperationDefinition(
        name=row["code"],
        url=url,
        system=row["system"],
        type=row["type"],
        instance=row["instance"],
        resources=tuple(row["resources"]),
        parameters=tuple(_parameter(each) for each in row["parameters"]),
        affects_state=row["affects_state"],
    )


def _parameter(row: dict[str, Any]) -> Parameter:
    targets = (url.rpartition("/")[2] for url in row.get("targetProfile", ()))
    return Parameter(
        name=row["name"],
        use=row.get("use", ""),
        min=row["min"],
        many=row["max"] != "1",
        type=row.get("type", ""),
        search_type=row.get("searchType", ""),
        targets=tuple(targets),
        parts=tuple(_parameter(each) for each in row.get("part", ())),
    )
