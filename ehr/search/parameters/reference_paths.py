"""Which rows of the reference table are a parameter's own: a set of paths, each maybe with a type.

A row stands for one Reference, whichever parameters select it, and its path is that of the element.
Parameters that no path can say have rows under their own id. Chains, includes and compartments ask
here as well.
"""

from functools import cache

from sqlalchemy import ColumnElement, FromClause, and_, or_

from ehr.search.matching import Condition
from fhir_profiles.definitions import resource_types, type_number
from fhir_profiles.extraction import Leaf, leaves
from fhir_profiles.identity import stable_id
from fhir_profiles.search_parameters import SearchParameter

URIS = frozenset(("uri", "url", "canonical"))


@cache
def reference_paths(parameter: SearchParameter) -> tuple[tuple[int, str | None], ...]:
    """Return the `reference.path` ids of a parameter, each with its only target type or None."""
    found: dict[tuple[int, str | None], None] = {}
    for leaf in leaves(parameter):
        if not parameter.own_rows and not has_own_rows(leaf):
            found[stable_id(leaf.path), leaf.target] = None
        elif leaf.type in (*URIS, "Reference", "Resource"):
            found[parameter.param_id, leaf.target] = None
    return tuple(found)


@cache
def canonical_path(parameter: SearchParameter) -> int | None:
    """Return the `reference.path` id of the canonicals of a parameter; None where it has none."""
    is_canonical = any(leaf.type in URIS for leaf in leaves(parameter))
    return parameter.param_id if is_canonical else None


def has_own_rows(leaf: Leaf) -> bool:
    """Tell whether the parameter has rows under its own id for this part of its expression."""
    return not (leaf.by_path and leaf.type == "Reference")


@cache
def target_types(parameter: SearchParameter) -> tuple[str, ...]:
    """Return the types that an id alone may stand for."""
    only = {target for _, target in reference_paths(parameter)}
    if only and None not in only:
        return tuple(sorted(target for target in only if target))
    return parameter.targets or resource_types()


def is_inline(parameter: SearchParameter) -> bool:
    """Tell whether the parameter leads to resources inside a Bundle."""
    return any(leaf.type == "Resource" for leaf in leaves(parameter))


def leading_by(parameter: SearchParameter, target: str | None = None) -> Condition:
    """Return the condition that a reference row is of this parameter, to a `target` if given.

    The type is asked for where the parameter's path alone does not tell it.
    """
    paths: dict[str | None, list[int]] = {}
    for path, only in reference_paths(parameter):
        if target is None or only is None or only == target:
            paths.setdefault(target or only, []).append(path)

    def condition(t: FromClause) -> ColumnElement[bool]:
        return or_(
            *(
                and_(t.c.path.in_(some), t.c.target_type == type_number(only))
                if only
                else t.c.path.in_(some)
                for only, some in paths.items()
            )
        )

    return condition
