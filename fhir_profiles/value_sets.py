"""Codes of the value sets that can be listed, whole code systems included.

FHIR R4 §4.9 (ValueSet): filters, imports and exclusions were worked out when the package was
condensed. A value set over SNOMED CT, LOINC, UCUM, BCP 47 or media types can't be listed: None.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from fhir_profiles.core_data import read_table

_RELEASE = "4.0.1"


# Bounded: a caller may ask for value sets that do not exist.
@lru_cache(maxsize=1024)
def codes(value_set: str) -> frozenset[str] | None:
    """Return the codes of a value set, `|version` ignored; None when it can't be listed."""
    content = coded(value_set)
    return None if content is None else frozenset(code for _, code in content)


@lru_cache(maxsize=1024)
def coded(value_set: str) -> frozenset[tuple[str, str]] | None:
    """Return (system, code) of a value set, `|version` ignored; None when it can't be listed."""
    parts = _tables()["value_sets"].get(value_set.partition("|")[0])
    if parts is None:
        return None
    return frozenset(
        (system, code)
        for system, listed in _decoded(parts)
        for code in (_system_codes(system) if listed is None else listed)
    )


@lru_cache(maxsize=256)
def system_codes(system: str) -> frozenset[str] | None:
    """Return all codes of a packaged, complete code system; None when we don't have it."""
    return frozenset(_system_codes(system)) if system in _tables()["systems"] else None


@lru_cache(maxsize=64)
def parents(system: str) -> Mapping[str, frozenset[str]]:
    """Return the codes of a packaged code system that have others right above them, with those."""
    raw = _tables()["parents"].get(system)
    known = {} if raw is None else _decoded(raw)
    return {code: frozenset(above) for code, above in known.items()}


def edition(url: str) -> str:
    """Return the version of a packaged value set or code system."""
    raw = _tables()["editions"].get(url)
    return _RELEASE if raw is None else str(_decoded(raw))


def _system_codes(system: str) -> list[str]:
    listed: list[str] = _decoded(_tables()["systems"][system])
    return listed


def _decoded(raw: Any) -> Any:
    import msgspec

    return msgspec.json.decode(raw)


@cache
def _tables() -> dict[str, dict[str, Any]]:
    import msgspec

    # Raw: a process touches a few dozen of the 1,300 value sets.
    tables: dict[str, dict[str, Any]] = read_table("value-sets", dict[str, dict[str, msgspec.Raw]])
    return tables
