"""Search parameters that a record adds to those of R4: judged when written, kept as data.

FHIR R4 searchparameter.html §2.30. A definition that is active must be one that can be indexed and
asked for; a draft or a retired one has no effect and is not judged. One with the url of an R4
parameter is a copy of what the server has anyway.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from ehr.messages import Resource
from ehr.search.parameters import defining
from ehr.search.parameters.defining import Refused
from fhir_profiles.definitions import base_types, is_resource_type, resource_types
from fhir_profiles.issues import Issue
from fhir_profiles.search_parameters import SearchParameter, for_type, standard_code

KINDS = ("number", "date", "string", "token", "reference", "composite", "quantity", "uri")

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s|#]+")
_PARAMETERS = msgspec.json.Decoder(tuple[SearchParameter, ...])
_ABSTRACT = frozenset({"Resource", "DomainResource"})


@dataclass(frozen=True, slots=True)
class Definition:
    """What a SearchParameter says that matters here: a parameter for each type of its `base`."""

    url: str
    parameters: tuple[SearchParameter, ...]

    @property
    def types(self) -> frozenset[str]:
        """Return the types that it is a parameter of."""
        return frozenset(each.type for each in self.parameters)

    def text(self) -> str:
        """Return the definition as it is kept."""
        return msgspec.json.encode(self.parameters).decode()


Known = Callable[[str], Definition | None]


def definition_of(url: str, text: str) -> Definition:
    """Return a definition that was kept as text."""
    return Definition(url, _PARAMETERS.decode(text))


def has_effect(resource: Resource) -> bool:
    """Tell whether a SearchParameter defines something here that R4 does not."""
    return resource.get("status") == "active" and standard_code(resource.get("url", "")) is None


def define(resource: Resource, known: Known) -> Definition:
    """Return what an active SearchParameter defines. Raises Refused with all that is wrong.

    `known` finds the other definitions of the record by their url.
    """
    issues = [*_misnamed(resource), *_misplaced(resource)]
    kind, url = resource.get("type", ""), resource.get("url", "")
    if kind not in KINDS:
        text = f"Parameters of type `{kind}` can't be added. Possible: {', '.join(KINDS)}."
        issues.append(_issue("type", text))
    if resource.get("xpathUsage", "normal") != "normal":
        text = "Only `normal` matching can be added: leave `xpathUsage` out."
        issues.append(_issue("xpathUsage", text))
    if not resource.get("expression"):
        text = "An active search parameter needs an expression, in FHIRPath."
        issues.append(_issue("expression", text))
    if issues:
        raise Refused(issues)
    made = [defining.parameter(resource, type, known) for type in types_of(resource)]
    return Definition(url, tuple(made))


def in_force(
    resources: Mapping[str, Resource], last: Collection[str] = ()
) -> tuple[dict[str, Definition], dict[str, list[Issue]]]:
    """Return the definitions that SearchParameters give, by url, and what is wrong with others.

    `resources` are by id. Of two that clash, those with an id in `last` give way. A composite may
    refer to any that is none.
    """
    found: dict[str, Definition] = {}
    refused: dict[str, list[Issue]] = {}
    active = {id: one for id, one in resources.items() if has_effect(one)}
    for id in sorted(
        active, key=lambda id: (active[id].get("type") == "composite", id in last, id)
    ):
        try:
            one = define(active[id], found.get)
        except Refused as refusal:
            refused[id] = refusal.issues
            continue
        clash = next(filter(None, (conflict(one, other) for other in found.values())), None)
        if clash is None:
            found[one.url] = one
        else:
            refused[id] = [clash]
    return found, refused


def types_of(resource: Resource) -> tuple[str, ...]:
    """Return the resource types that `base` stands for."""
    named = set(resource.get("base", ()))
    return tuple(
        name
        for name in resource_types()
        if name in named or named & {*base_types(name)} & _ABSTRACT
    )


def _misnamed(resource: Resource) -> Iterator[Issue]:
    url, code = resource.get("url", ""), resource.get("code", "")
    if not _URL.fullmatch(url):
        yield _issue("url", "The url must be absolute, without a fragment or a version.")
    if not _CODE.fullmatch(code):
        yield _issue(
            "code",
            "A code has 1 to 64 letters, digits and `-`, and begins with none of these: "
            "`_` is for what R4 itself defines.",
        )


def _misplaced(resource: Resource) -> Iterator[Issue]:
    code, bases = resource.get("code", ""), resource.get("base", ())
    for n, name in enumerate(bases):
        if name not in _ABSTRACT and not is_resource_type(name):
            yield _issue(f"base[{n}]", f"`{name}` is no resource type of R4.")
    for type in types_of(resource):
        taken = for_type(type).get(code)
        if taken is not None:
            text = f"`{code}` is a parameter of {type} already: {taken.url}. Choose another code."
            yield _issue("code", text, "duplicate")
            return


def conflict(one: Definition, other: Definition) -> Issue | None:
    """Return what is wrong where two definitions of a record can't both be active."""
    if one.url == other.url:
        text = "Another active SearchParameter has this url. Retire that one first."
        return _issue("url", text, "duplicate")
    codes = {(each.type, each.code) for each in other.parameters}
    shared = [each for each in one.parameters if (each.type, each.code) in codes]
    if not shared:
        return None
    text = (
        f"`{shared[0].code}` is a parameter of {shared[0].type} already: {other.url}. Choose "
        "another code, or retire that one first."
    )
    return _issue("code", text, "duplicate")


def _issue(element: str, text: str, code: str = "business-rule") -> Issue:
    return Issue(code, text, f"SearchParameter.{element}")


@dataclass(frozen=True, slots=True, eq=False)
class Custom:
    """What can be asked for beside R4's parameters, by type and code.

    `waiting` are the urls of those that not everything is indexed by yet.
    """

    ready: Mapping[str, Mapping[str, SearchParameter]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    waiting: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))

    def of_type(self, type: str) -> Mapping[str, SearchParameter]:
        """Return the parameters of a type, by code."""
        return self.ready.get(type, _NONE)

    def waits(self, types: tuple[str, ...], code: str) -> str | None:
        """Return the url of a parameter that is not ready for one of these types (none: any)."""
        for type in types or resource_types():
            if (type, code) in self.waiting:
                return self.waiting[type, code]
        return None


_NONE: Mapping[str, SearchParameter] = MappingProxyType({})
NO_CUSTOM = Custom()


def custom_of(ready: Iterable[Definition], waiting: Iterable[Definition]) -> Custom:
    """Return what definitions give, those that are ready and those that are not."""
    by_type: dict[str, dict[str, SearchParameter]] = {}
    for definition in ready:
        for each in definition.parameters:
            by_type.setdefault(each.type, {})[each.code] = each
    named = {(each.type, each.code): one.url for one in waiting for each in one.parameters}
    return Custom(by_type, named)
