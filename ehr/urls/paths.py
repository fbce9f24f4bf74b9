"""The URL table of R4 §3.1: method and path become the name of an interaction and its place.

    [base]                       GET search-system · POST batch or transaction
    [base]/metadata              GET capabilities
    [base]/[type]                GET search-type · POST create · PUT, PATCH, DELETE conditional
    [base]/[type]/[id]           GET read · PUT update · PATCH patch · DELETE delete
    [base]/[type]/[id]/[type|*]  GET search in a compartment
    …/_search                    POST search       …/_history         GET history
    …/_history/[vid]             GET vread         …/$[operation]     GET, POST operation

HEAD is GET without a body. A compartment search has `compartment` and `id`, and its own `type`.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ehr.errors import Invalid, NotAllowed, NotFound, Unsupported
from ehr.urls import operations
from fhir_profiles import definitions
from fhir_profiles.compartments import COMPARTMENTS

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_DOTS = frozenset({".", ".."})
_VERSION = re.compile(r"[1-9][0-9]{0,8}")

_SYSTEM = {"GET": "search-system", "POST": "batch"}
_TYPE = {
    "GET": "search-type",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_INSTANCE = {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OPERATION = {"GET": "operation", "POST": "operation"}
_CHANGING_OPERATION = {"POST": "operation"}


@dataclass(frozen=True, slots=True)
class Route:
    """What was asked and of what; fields as in `ehr.messages.Interaction`."""

    name: str
    type: str | None = None
    id: str | None = None
    version: str | None = None
    operation: str | None = None
    compartment: str | None = None
    # POST …/_search: the criteria stand in the body as a form.
    form: bool = False


_Place = tuple[Route, Mapping[str, str]]


def route(method: str, path: str) -> Route:
    """Return the route of a request; `path` is decoded and stands below the base."""
    place, methods = find_place(path)
    name = methods.get("GET" if method == "HEAD" else method)
    if name is None:
        allowed = allow(methods)
        raise NotAllowed(
            f"{_shown(method)} is not possible on {_shown(path) or 'the base'}. Use {allowed}.",
            headers=(("Allow", allowed),),
        )
    if name in ("update", "patch", "delete") and place.id is not None:
        _check_id(place.id)
    # Not `replace`, which takes three times as long: this is on the way of every request.
    return Route(
        name, place.type, place.id, place.version, place.operation, place.compartment, place.form
    )


def allow(methods: Mapping[str, str]) -> str:
    """Return the value of an Allow header."""
    more = ["HEAD"] if "GET" in methods else []
    return ", ".join([*methods, *more, "OPTIONS"])


def find_place(path: str) -> _Place:
    """Return the place that a path names and the interaction of each method there."""
    segments = path.strip("/").split("/") if path.strip("/") else []
    if "" in segments:
        raise NotFound(f"`{_shown(path)}` has an empty segment. Write single slashes.")
    if not segments or segments[0][0] in "_$" or segments[0] == "metadata":
        return _system(segments)
    type = _resource_type(segments[0])
    if len(segments) == 1:
        return Route("", type), _TYPE
    if len(segments) == 2 and segments[1][0] in "_$":
        return _special(Route("", type), segments[1], "type")
    return _instance(Route("", type, segments[1]), segments[2:])


def _system(segments: list[str]) -> _Place:
    if not segments:
        return Route(""), _SYSTEM
    if len(segments) > 1:
        raise _no_such_path(segments[1:], ["[type]/[id]"])
    if segments[0] == "metadata":
        return Route(""), {"GET": "capabilities"}
    return _special(Route(""), segments[0], "system")


def _special(place: Route, segment: str, level: str) -> _Place:
    if segment == "_search" and level != "instance":
        return replace(place, form=True), {"POST": f"search-{level}"}
    if segment == "_history":
        return place, {"GET": f"history-{level}"}
    if segment.startswith("$"):
        return _operation(place, segment[1:], level)
    raise _no_such_path([segment], ["_history", "_search"])


def _instance(place: Route, rest: list[str]) -> _Place:
    if not rest:
        return place, _INSTANCE
    if rest == ["_search"]:
        return _compartment(place, ["*", "_search"])
    if len(rest) == 1 and rest[0][0] in "_$":
        return _special(place, rest[0], "instance")
    if rest[0] == "_history" and len(rest) == 2:
        if not _VERSION.fullmatch(rest[1]):
            raise NotFound(f"There is no version `{_shown(rest[1])}`. Versions count from 1.")
        return replace(place, version=rest[1]), {"GET": "vread"}
    return _compartment(place, rest)


def _compartment(place: Route, rest: list[str]) -> _Place:
    form = rest[1:] == ["_search"]
    if len(rest) > 1 and not form:
        raise _no_such_path(rest, ["_history/[version]", "_search"])
    type = None if rest[0] == "*" else _resource_type(rest[0])
    if place.type not in COMPARTMENTS:
        raise NotFound(
            f"{place.type} has no compartment to search. Those that have: "
            f"{', '.join(sorted(COMPARTMENTS))}."
        )
    found = Route("", type, place.id, compartment=place.type, form=form)
    name = "search-system" if type is None else "search-type"
    return found, {"POST" if form else "GET": name}


def _operation(place: Route, name: str, level: str) -> _Place:
    found = operations.find(name, level, place.type)
    if found is not None:
        methods = _CHANGING_OPERATION if found.changes else _OPERATION
        return replace(place, operation=name), methods
    here = operations.names(level, place.type)
    where = f" of {place.type}" if place.type else ""
    text = f"There is no operation ${_shown(name)} at {level} level{where}."
    known = f"{_near(name, here, '$')}Offered here: {', '.join('$' + n for n in here) or 'none'}."
    if operations.is_defined(name) and not any(o.name == name for o in operations.OFFERED):
        raise Unsupported(f"${name} is an operation of R4 that this server does not run. {known}")
    raise NotFound(f"{text} {known}", code="not-supported")


def _resource_type(segment: str) -> str:
    if definitions.is_resource_type(segment):
        return segment
    near = _near(segment, definitions.resource_types())
    raise NotFound(
        f"`{_shown(segment)}` is no resource type of R4. "
        f"{near or 'Types are written as in Patient/123.'}".strip(),
        code="not-supported",
    )


def _check_id(id: str) -> None:
    if not _ID.fullmatch(id):
        raise Invalid(
            f"`{_shown(id)}` can't be an id. An id has 1 to 64 letters, digits, `-` and `.`.",
            code="value",
        )
    if id in _DOTS:
        raise Invalid(
            f"`{id}` can't be an id here: segments of dots are taken out of addresses on their "
            "way (RFC 3986 §5.2.4), so that nobody could read it. Choose another one.",
            code="value",
        )


def _no_such_path(rest: Iterable[str], known: list[str]) -> NotFound:
    shown = _shown("/".join(rest))
    return NotFound(
        f"There is nothing at `{shown}` here. {_near(shown, known)}"
        f"Possible: {', '.join(known)} and $operations.",
        code="not-supported",
    )


def _near(given: str, known: Iterable[str], mark: str = "") -> str:
    folded = {word.casefold(): word for word in known}
    near = difflib.get_close_matches(given[:80].casefold(), folded, n=1, cutoff=0.6)
    return f"Did you mean {mark}{folded[near[0]]}? " if near else ""


def _shown(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"
