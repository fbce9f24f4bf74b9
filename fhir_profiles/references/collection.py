"""Find the references of a resource, and on demand every element that may hold a link.

A plan per type, made from the definitions on first use, says which members can lead to one; all
others are passed over. Extensions are followed everywhere, those of primitives too.
"""

from collections.abc import Container, Iterator
from functools import cache
from typing import Any, NamedTuple

from fhir_profiles.definitions import Field, is_resource_type, type_definition

ALL_KINDS = frozenset({"reference", "canonical", "uri", "narrative"})
_REFERENCE = frozenset({"reference"})
_TEXTS = (ALL_KINDS | {"attachment"}) - _REFERENCE
_KIND_OF_TYPE = {
    "canonical": "canonical",
    "uri": "uri",
    "url": "uri",
    "oid": "uri",
    "uuid": "uri",
    "xhtml": "narrative",
    "Reference": "reference",
    "Resource": "resource",
}


class Step(NamedTuple):
    """One member that can lead to a link: what it is called, and what is below it."""

    key: str
    label: str
    element: str
    # Empty in a data type, where it depends on what holds that type.
    path: str
    kind: str
    plan: "_Plan"


# How a link was reached: the trail of its parent, the step, and the index or -1.
Trail = tuple[Any, Step, int]


# A named tuple, not a dataclass: several are made for each resource written.
class Found(NamedTuple):
    """One link: `path` is its element path, `holder` the Reference, or the parent of a uri."""

    path: str
    kind: str
    value: str | None
    holder: dict[str, Any]
    trail: Trail

    @property
    def location(self) -> str:
        """The FHIRPath location with indices: `Observation.performer[0]`."""
        parts = []
        trail: Trail | None = self.trail
        while trail is not None:
            trail, step, index = trail
            parts.append(f"{step.label}[{index}]" if index >= 0 else step.label)
        return ".".join(reversed(parts))

    @property
    def keys(self) -> tuple[str | int, ...]:
        """The members and indices that lead from the resource to the text of the link."""
        keys: list[str | int] = ["reference"] if self.kind == "reference" else []
        trail: Trail | None = self.trail
        while trail is not None:
            trail, step, index = trail
            if index >= 0:
                keys.append(index)
            if step.key:
                keys.append(step.key)
        return tuple(reversed(keys))


def collect(
    resource: dict[str, Any],
    *,
    kinds: frozenset[str] = _REFERENCE,
    nested: bool = False,
    extended: bool = True,
) -> list[Found]:
    """Return the links of `resource` in document order: References, unless told otherwise.

    The kind "attachment" is the `uri` of an Attachment alone. `extended` False says that the
    document has no extension, so most of it need not be visited. `nested` includes those of
    contained resources and of those in a Bundle or Parameters, paths beginning with their type.
    """
    return _collected(resource, _Options(kinds, nested, extended), None)


def collect_among(resource: dict[str, Any], texts: Container[str]) -> list[Found]:
    """Return the links of all kinds whose text is one of `texts`, nested ones and all narratives.

    Much cheaper than to collect every coding system and then to choose.
    """
    return _collected(resource, _Options(ALL_KINDS, True, True), texts)


def _collected(
    resource: dict[str, Any], options: "_Options", among: Container[str] | None
) -> list[Found]:
    out: list[Found] = []
    name = resource["resourceType"]
    plan = _plan(name, options)
    _walk(resource, plan, name, (None, Step("", name, name, name, "", plan), -1), among, out)
    return out


class _Options(NamedTuple):
    """What is looked for: kinds of links, in nested resources too, in extensions too."""

    kinds: frozenset[str]
    nested: bool
    extended: bool


class _Plan:
    """The steps of a type by member; `keys` tell at once that an object has none of them."""

    __slots__ = ("keys", "options", "steps")

    def __init__(self, options: "_Options") -> None:
        self.options = options
        self.steps: dict[str, Step] = {}
        self.keys: frozenset[str] = frozenset()


def _walk(
    value: dict[str, Any],
    plan: _Plan,
    path: str,
    trail: Trail,
    among: Container[str] | None,
    out: list[Found],
) -> None:
    steps = plan.steps
    for key, member in value.items():
        step = steps.get(key)
        if step is None:
            continue
        # What isn't of the expected shape is passed over: the validator speaks of that.
        is_link, keys = step.kind, step.plan.keys
        if member.__class__ is list:
            for index, item in enumerate(member):
                if is_link or (item.__class__ is dict and not keys.isdisjoint(item)):
                    _visit(item, value, step, path, (trail, step, index), among, out)
        elif is_link or (member.__class__ is dict and not keys.isdisjoint(member)):
            _visit(member, value, step, path, (trail, step, -1), among, out)


def _visit(
    member: Any,
    holder: dict[str, Any],
    step: Step,
    path: str,
    trail: Trail,
    among: Container[str] | None,
    out: list[Found],
) -> None:
    kind, plan = step.kind, step.plan
    if member.__class__ is str:
        is_wanted = among is None or member in among or kind == "narrative"
        if is_wanted and kind in _TEXTS:
            out.append(Found(step.path or f"{path}.{step.element}", kind, member, holder, trail))
        return
    if member.__class__ is not dict:
        return
    below = step.path or f"{path}.{step.element}"
    if kind == "reference":
        text = member.get("reference")
        if text.__class__ is not str:
            text = None
        if among is None or text in among:
            out.append(Found(below, kind, text, member, trail))
    elif kind == "resource":
        name = member.get("resourceType")
        if not isinstance(name, str) or not is_resource_type(name):
            return
        below, plan = name, _plan(name, plan.options)
    if not plan.keys.isdisjoint(member):
        _walk(member, plan, below, trail, among, out)


@cache
def _plan(name: str, options: _Options) -> _Plan:
    """Return the plan of a resource type, with those of all types below it."""
    known: dict[str, _Plan] = {}
    plan = _build(name, options, known)
    _prune(list(known.values()))
    return plan


def _build(name: str, options: _Options, known: dict[str, _Plan]) -> _Plan:
    plan = known.get(name)
    if plan is not None:
        return plan
    # Known before it is complete: Extension holds Extension, an item holds items.
    plan = known[name] = _Plan(options)
    for field in type_definition(name).fields.values():
        if options.extended or field.type != "Extension":
            for step in _steps(name, field, options, known):
                plan.steps[step.key] = step
    return plan


def _prune(plans: list[_Plan]) -> None:
    """Leave out the steps below which there is no link, and note what is left."""
    live: set[int] = set()
    while True:
        found = {
            id(plan)
            for plan in plans
            if any(step.kind or id(step.plan) in live for step in plan.steps.values())
        }
        if found == live:
            break
        live = found
    for plan in plans:
        plan.steps = {
            key: step for key, step in plan.steps.items() if step.kind or id(step.plan) in live
        }
        plan.keys = frozenset(plan.steps)


def _steps(owner: str, field: Field, options: _Options, known: dict[str, _Plan]) -> Iterator[Step]:
    label = field.element.removesuffix("[x]")
    path = field.path if is_resource_type(owner.partition(".")[0]) else ""

    def step(key: str, kind: str, below: str) -> Step:
        plan = _build(below, options, known)
        return Step(key, label, field.element, path, kind, plan)

    if field.xml == "attribute" or (field.type == "Resource" and not options.nested):
        return
    kind = _KIND_OF_TYPE.get(field.type, "")
    if not field.primitive:
        wanted = kind in options.kinds or kind == "resource"
        yield step(
            field.name, kind if wanted else "", "Element" if kind == "resource" else field.type
        )
        return
    if "attachment" in options.kinds and field.path == "Attachment.url":
        kind = "attachment"
    if kind in options.kinds:
        yield step(field.name, kind, "Element")
    if options.extended:
        yield step(f"_{field.name}", "", "Element")
