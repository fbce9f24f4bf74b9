"""The index rows of reference parameters; `reference.py` says what matches them.

A row stands for one Reference of the resource, whichever parameters select it: its path is that of
the element, and a parameter is a set of paths with, maybe, one target type. Where there is no
Reference (a canonical, a uri, a resource inside a Bundle) or the path does not say enough (a
condition on a sibling), the parameter has rows of its own under its own id.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ehr.search.parameters.reference_paths import URIS, has_own_rows
from ehr.search.values.targets import Target, canonical_target, reference_target
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows, ReferenceRow
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.identity import stable_id
from fhir_profiles.references import Found


def found_rows(
    found: Iterable[Found], rows: IndexRows, hasher: Hasher, base_urls: tuple[str, ...]
) -> None:
    """Add a row for each Reference of a resource."""
    for each in found:
        _add_reference(stable_id(each.path), each.holder, rows, hasher, base_urls)


def sink(leaf: Leaf, hasher: Hasher, base_urls: tuple[str, ...]) -> Sink | None:
    """Return the function that emits the parameter's own rows; None where the paths suffice."""
    if not has_own_rows(leaf):
        return None
    if leaf.type == "Reference":
        return _own_reference(hasher, base_urls)
    if leaf.type in URIS:
        return _own_canonical(base_urls)
    return _inline if leaf.type == "Resource" else None


def _own_reference(hasher: Hasher, base_urls: tuple[str, ...]) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        for param in params:
            _add_reference(param, value, rows, hasher, base_urls)

    return emit


def _own_canonical(base_urls: tuple[str, ...]) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        row = _canonical_row(value, base_urls)
        rows.reference.extend(replace(row, path=param) for param in params)

    return emit


def _add_reference(
    path: int, value: dict[str, Any], rows: IndexRows, hasher: Hasher, base_urls: tuple[str, ...]
) -> None:
    identifier = value.get("identifier")
    hashed = _identifier_hashes(identifier, hasher) if identifier else None
    row = _row(path, value.get("reference"), value.get("type"), hashed, base_urls)
    if row is not None:
        rows.reference.append(row)


# The same few patients, encounters and practitioners come again and again.
@lru_cache(maxsize=16384)
def _row(
    path: int,
    text: str | None,
    declared: str | None,
    identifier: tuple[int, int] | None,
    base_urls: tuple[str, ...],
) -> ReferenceRow | None:
    if not text and identifier is None:
        return None
    target = (reference_target(text, base_urls) if text else None) or Target()
    type = target.type or _declared_type(declared or "")
    value, system = identifier or (None, None)
    row = ReferenceRow(path, type, target.id, target.url, target.version, value, system)
    return replace(row, fragment=text[1:]) if text and text.startswith("#") else row


def _declared_type(uri: str) -> str | None:
    name = uri.rpartition("/")[2]
    return name if is_resource_type(name) else None


def _identifier_hashes(identifier: dict[str, Any], hasher: Hasher) -> tuple[int, int]:
    """Return the hashes of value and system, 0 for none."""
    value, system = identifier.get("value"), identifier.get("system")
    return (
        0 if value is None else hasher.once(value),
        0 if system is None else hasher.text(system),
    )


@lru_cache(maxsize=4096)
def _canonical_row(text: str, base_urls: tuple[str, ...]) -> ReferenceRow:
    if text.startswith("#"):
        # "a fragment … to a contained resource" is a canonical too (§2.24.0.1).
        return ReferenceRow(0, None, None, None, None, None, fragment=text[1:])
    target = canonical_target(text, base_urls) or Target()
    return ReferenceRow(0, target.type, target.id, target.url, target.version, None)


def _inline(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    # A resource inside a Bundle is no resource of the record: a name to compare, not to resolve.
    type, id = value.get("resourceType"), value.get("id")
    if type is not None:
        url = f"{type}/{id}" if id else None
        rows.reference.extend(ReferenceRow(param, type, None, url, None, None) for param in params)
