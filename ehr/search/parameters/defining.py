"""One search parameter of one type, out of a SearchParameter that somebody adds (R4 §2.30).

Its expression must parse, name elements that there are, and give what its kind is indexed by; the
parts of a composite must be values below one element, of parameters that are known.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ehr.messages import Resource
from ehr.search.parameters.sinks import indexable
from fhir_profiles.composites import parts
from fhir_profiles.definitions import is_resource_type
from fhir_profiles.identity import stable_id
from fhir_profiles.issues import Issue
from fhir_profiles.search_expressions import Reading, Unusable, read
from fhir_profiles.search_parameters import Component, SearchParameter, by_url
from fhir_profiles.selected import Leaf, leaves
from fhir_profiles.selection import Inexpressible

if TYPE_CHECKING:
    from ehr.search.parameters.custom import Definition

    Known = Callable[[str], Definition | None]

_SHOWN = 6


class Refused(Exception):
    """A SearchParameter can't take effect: `issues` say why, and where."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = list(issues)
        super().__init__(self.issues[0].diagnostics)


def parameter(resource: Resource, type: str, known: "Known") -> SearchParameter:
    """Return the parameter of one type. Raises Refused."""
    kind, code = resource["type"], resource["code"]
    try:
        reading = read(resource["expression"], type, kind)
    except Unusable as reason:
        raise _refused(f"The expression can't be used for {type}: {reason}.") from None
    components = _components(resource, type, known) if kind == "composite" else ()
    made = SearchParameter(
        type=type,
        code=code,
        kind=kind,
        expression=reading.expression,
        url=resource["url"],
        description=" ".join(str(resource.get("description", "")).split()),
        targets=(),
        components=components,
        param_id=stable_id(f"{type}.{code}"),
        results=() if reading.is_walked else _results(reading, type, kind),
    )
    if kind == "composite":
        _check_parts(made)
    elif reading.is_walked and not reading.types & _usable(kind):  # type: ignore[operator]  # walked: known
        raise _useless(reading, type, kind)
    return _with_targets(made, resource) if kind == "reference" else made


def _results(reading: Reading, type: str, kind: str) -> tuple[str, ...]:
    """Return the types that the values of an evaluated expression may have here."""
    if kind == "composite":
        if reading.types is None:
            raise _refused(
                f"The elements of {type} that this gives are of no known type, so that their "
                "parts can't be told. Write a path."
            )
        return tuple(sorted(reading.types))
    found = _usable(kind) if reading.types is None else reading.types & _usable(kind)
    if not found:
        raise _useless(reading, type, kind)
    return tuple(sorted(found))


def _usable(kind: str) -> frozenset[str]:
    # Resources inside others are names to compare, and References have rows by their path.
    more = {"reference": frozenset({"Reference", "Resource"})}
    return indexable(kind) | more.get(kind, frozenset())


def _useless(reading: Reading, type: str, kind: str) -> Refused:
    given = sorted(reading.types or ())
    shown = ", ".join(given[:_SHOWN]) + (", …" if len(given) > _SHOWN else "")
    return _refused(
        f"For {type} the expression gives {shown}, by which a parameter of type `{kind}` can't be "
        f"indexed. It can by: {', '.join(sorted(_usable(kind)))}."
    )


def _components(resource: Resource, type: str, known: "Known") -> tuple[Component, ...]:
    given = resource.get("component", ())
    if len(given) < 2:
        raise _refused("A composite parameter has two components at least.", "component")
    return tuple(_component(n, one, type, known) for n, one in enumerate(given))


def _component(n: int, given: Resource, type: str, known: "Known") -> Component:
    url = str(given.get("definition", "")).partition("|")[0]
    found: SearchParameter | None = None
    try:
        found = by_url(url, type)
        own = None
    except KeyError:
        definition = known(url)
        of_type = {one.type: one for one in definition.parameters} if definition else {}
        own = found = of_type.get(type)
    if found is None or found.kind in ("composite", "special"):
        raise _refused(
            f"`{url}` defines no search parameter of {type} that can be a part: neither R4 nor an "
            "active SearchParameter of this record does.",
            f"component[{n}].definition",
        )
    return Component(url, given.get("expression", ""), own)


def _check_parts(composite: SearchParameter) -> None:
    """Refuse parts that select nothing, or nothing that they can be indexed by."""
    for n, component in enumerate(composite.components):
        at = f"component[{n}].expression"
        try:
            part = parts(replace(composite, components=(component,)))[0]
        except (Inexpressible, LookupError) as reason:
            text = f"The part can't be read: write a path below the element. {reason}"
            raise _refused(text, at) from None
        if not any(leaf.type in _usable(part.parameter.kind) for leaf in part.elements):
            text = (
                f"For {composite.type} the part gives nothing that `{part.parameter.code}` "
                f"({part.parameter.kind}) can be indexed by."
            )
            raise _refused(text, at)


def _with_targets(made: SearchParameter, resource: Resource) -> SearchParameter:
    """Return a reference parameter with the types it may lead to, out of those declared."""
    declared = {name for name in resource.get("target", ()) if is_resource_type(name)}
    possible: set[str] = set()
    for leaf in leaves(made):
        if leaf.type not in _usable("reference"):
            continue
        some = _targets(leaf)
        if not some:
            return replace(made, targets=tuple(sorted(declared)))
        possible |= some
    return replace(made, targets=tuple(sorted(possible & declared if declared else possible)))


def _targets(leaf: Leaf) -> set[str]:
    if leaf.target is not None:
        return {leaf.target}
    named = leaf.field.targets if leaf.field is not None else ()
    return {name for name in named if is_resource_type(name)}


def _refused(text: str, at: str = "expression") -> Refused:
    return Refused([Issue("business-rule", text, f"SearchParameter.{at}")])
