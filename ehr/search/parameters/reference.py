"""Reference parameters: what a resource points at (R4 search.html §3.1.1.4.12-14).

Here is what a request finds; `reference_rows.py` has the rows, and `reference_paths.py` which of
them are a parameter's. `:identifier` "works as a token search" on the identifier of a Reference.
"""

import re
from collections.abc import Sequence
from functools import cache, partial

from sqlalchemy import ColumnElement, FromClause, and_, or_

from ehr.search.matching import (
    LAST_CHARACTER,
    Condition,
    KeyAndRow,
    MatchContext,
    RowAlias,
    any_of,
    missing,
    some_row,
)
from ehr.search.parameters import hierarchy
from ehr.search.parameters.reference_paths import URIS, is_inline, leading_by, target_types
from ehr.search.values.escapes import refuse, split, unescape
from ehr.search.values.targets import Target, canonical_target, reference_target
from ehr.store.hashing import Hasher
from ehr.store.pairs import in_pairs
from ehr.store.tables import reference
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.extraction import leaves
from fhir_profiles.search_parameters import SearchParameter

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@cache
def modifiers(parameter: SearchParameter) -> tuple[str, ...]:
    """Return the modifiers that the elements of a parameter give a meaning to, but for types."""
    types = {leaf.type for leaf in leaves(parameter)}
    found = ["missing"]
    if "Reference" in types:
        # "not supported on canonical elements since they do not have an identifier separate from
        # the reference itself"
        found.append("identifier")
        if hierarchy.PARENT.keys() & {*target_types(parameter)}:
            found += ["above", "below"]
    elif types & URIS:
        found.append("below")
    return tuple(found)


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition for `Type/id`, `id`, absolute urls, `url|version`, and `:Type=id`."""
    of_parameter = leading_by(parameter)
    if modifier == "missing":
        return missing(reference, row, parameter, values, context, of_parameter)
    if modifier == "identifier":
        choices = [_read_identifier(parameter, each, context.hasher) for each in values]
        return some_row(
            reference,
            row,
            context,
            lambda t: and_(of_parameter(t), any_of([choice(t) for choice in choices])),
        )
    at_targets = _targets_of(parameter, modifier, values, context)
    return some_row(reference, row, context, lambda t: and_(of_parameter(t), at_targets(t)))


def _targets_of(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: MatchContext
) -> Condition:
    types = target_types(parameter)
    if modifier in ("above", "below") and "identifier" in modifiers(parameter):
        types = tuple(type for type in types if type in hierarchy.PARENT)
    elif modifier not in (None, "below"):
        types = (str(modifier),)
    targets = [
        target for value in values for target in _read(parameter, value, types, modifier, context)
    ]
    if modifier in ("above", "below") and "identifier" in modifiers(parameter):
        return _in_hierarchy(targets, context, upward=modifier == "above")
    inline, prefix = is_inline(parameter), modifier == "below"
    return _target_condition(targets, context, inline=inline, prefix=prefix)


def _read_identifier(parameter: SearchParameter, value: str, hasher: Hasher) -> Condition:
    parts = split(parameter, value, "|")
    if len(parts) > 2 or not any(parts):
        raise refuse(parameter, value, "an identifier: value, system|value, |value or system|")
    text, system = parts[-1], parts[0] if len(parts) == 2 else None

    def condition(t: FromClause) -> ColumnElement[bool]:
        wanted: list[ColumnElement[bool]] = [t.c.identifier_hash.isnot(None)]
        if text:
            wanted.append(t.c.identifier_hash == hasher.once(text))
        if system is not None:
            wanted.append(t.c.identifier_system == (hasher.once(system) if system else 0))
        return and_(*wanted)

    return condition


def _read(
    parameter: SearchParameter,
    value: str,
    types: Sequence[str],
    modifier: str | None,
    context: MatchContext,
) -> list[Target]:
    """Return the targets that one value may mean: an id alone means every type allowed."""
    text = unescape(parameter, value)
    if _ID.fullmatch(text):
        return [Target(type, text) for type in types]
    is_canonical = "|" in text
    read = canonical_target if is_canonical else reference_target
    target = read(text, context.base_urls)
    if target is None or (target.url and not _is_url(target.url)):
        raise refuse(parameter, value, "a reference: Type/id, an id, or an absolute url")
    if target.url and modifier is not None and is_resource_type(modifier):
        # "The [type] modifier can't be used with a reference to a resource found on another server"
        raise refuse(parameter, value, f"on this server, as :{modifier} asks; leave the type out")
    if target.id is not None and target.type not in types and (modifier or len(types) == 1):
        raise refuse(parameter, value, f"a reference to a {' or '.join(types)}")
    return [target]


def _in_hierarchy(targets: Sequence[Target], context: MatchContext, *, upward: bool) -> Condition:
    """Compare with what is above or below the targets, themselves included."""
    source = context.source
    names = list(dict.fromkeys((t.type, t.id) for t in targets if t.type and t.id))
    found: dict[str, set[KeyAndRow]] = {}
    for (type, _), place in (context.resolve(names) if names else {}).items():
        found.setdefault(type, set()).add(place)
    places: set[KeyAndRow] = set()
    for type, some in found.items():
        if source is not None:
            places |= context.once(
                (hierarchy.related, type, frozenset(some), upward),
                partial(hierarchy.related, source, type, some, upward=upward),
            )
    themselves = _target_condition(targets, context, inline=False)
    if source is None or not places:
        return themselves
    connection, listed = source.connection, sorted(places)

    def condition(t: FromClause) -> ColumnElement[bool]:
        return any_of([themselves(t), in_pairs(connection, t.c.target_key, t.c.target_rid, listed)])

    return condition


def _is_url(text: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S", text) is not None


def _target_condition(
    targets: Sequence[Target], context: MatchContext, *, inline: bool, prefix: bool = False
) -> Condition:
    """Compare local targets by their keys, those that are not here and all others by hash.

    `prefix`: a version stands for all that begin with it, as 1 does for 1.0 and 1.1.
    """
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
            and_(_at_rows(t, places), *_of_version(t, version, prefix))
            for version, places in rows.items()
        ]
        choices += [
            and_(t.c.target_hash.in_(sorted(some)), *_of_version(t, version, prefix))
            for version, some in hashes.items()
        ]
        return any_of(choices)

    return condition


def _at_rows(t: FromClause, places: set[KeyAndRow]) -> ColumnElement[bool]:
    # A rid is never given twice, so the two lists say as much as their pairs.
    keys, rids = {key for key, _ in places}, {rid for _, rid in places}
    return and_(t.c.target_rid.in_(sorted(rids)), t.c.target_key.in_(sorted(keys)))


def _of_version(t: FromClause, version: str | None, prefix: bool) -> list[ColumnElement[bool]]:
    if version is None:
        return []
    column = t.c.target_version
    if not prefix:
        return [column == version]
    below = and_(column >= f"{version}.", column <= f"{version}.{LAST_CHARACTER}")
    return [or_(column == version, below)]
