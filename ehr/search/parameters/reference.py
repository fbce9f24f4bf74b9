"""Reference parameters: what a resource points at (R4 search.html §3.1.1.5.5).

A row stands for one Reference of the resource, whichever parameters select it: its path is that of
the element, and a parameter is a set of paths with, maybe, one target type. Where there is no
Reference (a canonical, a uri, a resource inside a Bundle) or the path does not say enough (a
condition on a sibling), the parameter has rows of its own under its own id.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.search.matching import (
    Condition,
    KeyAndRow,
    MatchContext,
    RowAlias,
    any_of,
    check_modifier,
    missing,
    some_row,
)
from ehr.search.parameters.reference_paths import (
    URIS,
    has_own_rows,
    is_inline,
    leading_by,
    target_types,
)
from ehr.search.values.escapes import refuse, split, unescape
from ehr.search.values.targets import Target, canonical_target, reference_target
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows, ReferenceRow
from ehr.store.tables import reference
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.extraction import Leaf, Sink
from fhir_profiles.identity import stable_id
from fhir_profiles.references import Found
from fhir_profiles.search_parameters import SearchParameter

MODIFIERS = ("missing", "identifier")

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


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
        return _own_canonical
    return _inline if leaf.type == "Resource" else None


def _own_reference(hasher: Hasher, base_urls: tuple[str, ...]) -> Sink:
    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        for param in params:
            _add_reference(param, value, rows, hasher, base_urls)

    return emit


def _own_canonical(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    for param in params:
        _add_canonical(param, value, rows)


def _add_reference(
    path: int, value: dict[str, Any], rows: IndexRows, hasher: Hasher, base_urls: tuple[str, ...]
) -> None:
    identifier = value.get("identifier")
    hashed = _identifier_hash(identifier, hasher) if identifier else None
    row = _row(path, value.get("reference"), value.get("type"), hashed, base_urls)
    if row is not None:
        rows.reference.append(row)


# The same few patients, encounters and practitioners come again and again.
@lru_cache(maxsize=16384)
def _row(
    path: int,
    text: str | None,
    declared: str | None,
    identifier_hash: int | None,
    base_urls: tuple[str, ...],
) -> ReferenceRow | None:
    target = reference_target(text, base_urls) if text else None
    if target is None:
        if identifier_hash is None:
            return None
        target = Target()
    type = target.type or _declared_type(declared or "")
    return ReferenceRow(path, type, target.id, target.url, target.version, identifier_hash)


def _declared_type(uri: str) -> str | None:
    name = uri.rpartition("/")[2]
    return name if is_resource_type(name) else None


def _identifier_hash(identifier: dict[str, Any], hasher: Hasher) -> int | None:
    value = identifier.get("value")
    return None if value is None else hasher.once(f"{identifier.get('system', '')}|{value}")


def _add_canonical(path: int, text: str, rows: IndexRows) -> None:
    target = canonical_target(text)
    if target is not None:
        rows.reference.append(
            ReferenceRow(path, target.type, target.id, target.url, target.version, None)
        )


def _inline(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
    # A resource inside a Bundle is no resource of the record: a name to compare, not to resolve.
    type, id = value.get("resourceType"), value.get("id")
    if type is not None:
        url = f"{type}/{id}" if id else None
        rows.reference.extend(ReferenceRow(param, type, None, url, None, None) for param in params)


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition for `Type/id`, `id`, absolute urls, `url|version`, and `:Type=id`."""
    types = target_types(parameter)
    check_modifier(parameter, modifier, (*MODIFIERS, *types))
    of_parameter = leading_by(parameter)
    if modifier == "missing":
        return missing(reference, row, parameter, values, context, of_parameter)
    if modifier == "identifier":
        hashes = [context.hasher.once(_read_identifier(parameter, each)) for each in values]
        return some_row(
            reference,
            row,
            context,
            lambda t: and_(of_parameter(t), t.c.identifier_hash.in_(hashes)),
        )
    targets = [
        target
        for value in values
        for target in _read(parameter, value, (modifier,) if modifier else types, context)
    ]
    at_targets = _target_condition(targets, context, inline=is_inline(parameter))
    return some_row(reference, row, context, lambda t: and_(of_parameter(t), at_targets(t)))


def _read_identifier(parameter: SearchParameter, value: str) -> str:
    parts = split(parameter, value, "|")
    if len(parts) != 2 or not parts[1]:
        raise refuse(parameter, value, "an identifier: system|value, or |value where it has none")
    return "|".join(parts)


def _read(
    parameter: SearchParameter, value: str, types: Sequence[str], context: MatchContext
) -> list[Target]:
    """Return the targets that one value may mean: an id alone means every type allowed."""
    text = unescape(parameter, value)
    if _ID.fullmatch(text):
        return [Target(type, text) for type in types]
    is_canonical = "|" in text
    target = canonical_target(text) if is_canonical else reference_target(text, context.base_urls)
    if target is None or (target.url and not _is_url(target.url)):
        raise refuse(parameter, value, "a reference: Type/id, an id, or an absolute url")
    if len(types) == 1 and target.id is not None and target.type not in types:
        raise refuse(parameter, value, f"a reference to a {types[0]}")
    return [target]


def _is_url(text: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S", text) is not None


def _target_condition(
    targets: Sequence[Target], context: MatchContext, *, inline: bool
) -> Condition:
    """Compare local targets by their keys, those that are not here and all others by hash."""
    names = list(dict.fromkeys((t.type, t.id) for t in targets if t.type and t.id))
    places = context.resolve(names) if names else {}
    rows: dict[str | None, set[KeyAndRow]] = {}
    hashes: dict[str | None, set[int]] = {}
    for target in targets:
        place = places.get((target.type, target.id)) if target.type and target.id else None
        if place is not None:
            rows.setdefault(target.version, set()).add(place)
        if place is None or inline:
            text = f"{target.type}/{target.id}" if target.id else target.url or ""
            hashes.setdefault(target.version, set()).add(context.hasher.once(text))

    def condition(t: FromClause) -> ColumnElement[bool]:
        choices = [
            and_(_at_rows(t, places), *_of_version(t, version)) for version, places in rows.items()
        ]
        choices += [
            and_(t.c.target_hash.in_(sorted(some)), *_of_version(t, version))
            for version, some in hashes.items()
        ]
        return any_of(choices)

    return condition


def _at_rows(t: FromClause, places: set[KeyAndRow]) -> ColumnElement[bool]:
    # A rid is never given twice, so the two lists say as much as their pairs.
    keys, rids = {key for key, _ in places}, {rid for _, rid in places}
    return and_(t.c.target_rid.in_(sorted(rids)), t.c.target_key.in_(sorted(keys)))


def _of_version(t: FromClause, version: str | None) -> list[ColumnElement[bool]]:
    return [] if version is None else [t.c.target_version == version]
