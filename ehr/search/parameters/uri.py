"""Uri parameters: compared as a whole, case and all (R4 search.html §3.1.1.4.9).

A row holds the hash for the look-up and the value itself. A canonical with a version is found with
and without it. `:below` finds the uris that start with the value, `:above` those that the value
lies under, segment by segment. `url=…|version` asks a definition for its version as well, and a
relative `_profile` is one of this server.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_

from ehr.search.matching import LAST_CHARACTER, MatchContext, RowAlias, any_of, missing, some_row
from ehr.search.values.escapes import refuse, split, unescape
from ehr.store import tables
from ehr.store.hashing import Hasher
from ehr.store.rows import IndexRows
from fhir_profiles.extraction import Leaf, Sink, leaves
from fhir_profiles.search_parameters import SearchParameter, for_type

MODIFIERS = ("missing", "above", "below")

_URIS = frozenset(("uri", "url", "canonical", "oid", "uuid"))
_URN = re.compile(r"urn:[a-z0-9-]+:", re.IGNORECASE)
_DEEPEST = 50


def sink(leaf: Leaf, hasher: Hasher) -> Sink | None:
    """Return the function that emits rows for elements of this type; None where there is none."""
    if leaf.type not in _URIS:
        return None
    versioned = leaf.type == "canonical"

    def emit(params: tuple[int, ...], value: Any, rows: IndexRows) -> None:
        hashed = hasher.text(value)
        for param in params:
            rows.uri.append((param, hashed, value))
        if versioned and "|" in value:
            bare = value.partition("|")[0]
            rows.uri.extend((param, hasher.text(bare), bare) for param in params)

    return emit


def clause(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    """Return the condition for whole uris, `url|version`, `:above`, `:below` and `:missing`."""
    if modifier == "missing":
        return missing(tables.uri, row, parameter, values, context)
    plain: list[str] = []
    choices: list[ColumnElement[bool]] = []
    for value in values:
        parts = split(parameter, value, "|")
        if len(parts) == 2 and all(parts) and modifier is None and _has_version(parameter):
            bare = _some(row, parameter, None, parts[:1], context)
            choices.append(and_(bare, _of_version(row, parameter, parts[1], context)))
        else:
            plain.append(unescape(parameter, value))
    if plain:
        choices.append(_some(row, parameter, modifier, plain, context))
    return any_of(choices)


def _some(
    row: RowAlias,
    parameter: SearchParameter,
    modifier: str | None,
    values: Sequence[str],
    context: MatchContext,
) -> ColumnElement[bool]:
    if modifier is not None and any(_URN.match(value) for value in values):
        # "the :above and :below modifiers only apply to URLs, and not URNS such as OIDs"
        raise refuse(
            parameter, values[0], f"a URL, which :{modifier} needs; leave it out for a URN"
        )
    if modifier == "below":
        return some_row(
            tables.uri,
            row,
            context,
            lambda t: and_(
                t.c.param == parameter.param_id, any_of([_starts_with(t, each) for each in values])
            ),
        )
    names = [name for value in values for name in _names(parameter, value, modifier)]
    if _is_canonical(parameter):
        names += [each for name in names for each in _other_names(name, context.base_urls)]
    hashes = [context.hasher.once(name) for name in names]
    return some_row(
        tables.uri,
        row,
        context,
        lambda t: and_(t.c.param == parameter.param_id, t.c.hash.in_(hashes), t.c.value.in_(names)),
    )


def _has_version(parameter: SearchParameter) -> bool:
    # "automatically detecting a |[version] portion as part of the search parameter, and
    # interpreting that portion as a search on the version"
    version = for_type(parameter.type).get("version")
    return parameter.code == "url" and version is not None and version.kind == "token"


def _of_version(
    row: RowAlias, parameter: SearchParameter, version: str, context: MatchContext
) -> ColumnElement[bool]:
    wanted = for_type(parameter.type)["version"].param_id
    hashed = context.hasher.once(version.casefold())
    return some_row(
        tables.token, row, context, lambda t: and_(t.c.param == wanted, t.c.code == hashed)
    )


def _is_canonical(parameter: SearchParameter) -> bool:
    return all(leaf.type == "canonical" for leaf in leaves(parameter))


def _other_names(name: str, bases: Sequence[str]) -> list[str]:
    """Return the other names of a definition of this server: relative ones and those at its bases.

    "The second reference is relative and refers a local profile on the same server." (§3.1.1.4.1)
    """
    relative = next(
        (name.removeprefix(f"{base}/") for base in bases if name.startswith(base)), name
    )
    if ":" in relative or "/" not in relative:
        return []
    return [each for each in (relative, *(f"{base}/{relative}" for base in bases)) if each != name]


def _names(parameter: SearchParameter, value: str, modifier: str | None) -> list[str]:
    """Return the value, and for `:above` every path that it lies under."""
    if modifier != "above":
        return [value]
    start = value.find("//") + 2 if "//" in value else 0
    slashes = [at for at in range(start + 1, len(value)) if value[at] == "/"]
    if len(slashes) > _DEEPEST:
        raise refuse(parameter, value, f"a uri of at most {_DEEPEST} path segments")
    return list(dict.fromkeys([value, *(value[: at + end] for at in slashes for end in (0, 1))]))


def _starts_with(t: FromClause, value: str) -> ColumnElement[bool]:
    return and_(t.c.value >= value, t.c.value <= value + LAST_CHARACTER)
