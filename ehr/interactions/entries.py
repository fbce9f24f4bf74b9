"""A Bundle unfolded into Interactions, and the answers folded back into one (R4 §3.1.0.11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec

from ehr.errors import FhirError, Invalid, TooLarge, located
from ehr.messages import Document, Interaction, Params, Preconditions, Resource, Result
from ehr.store.bodies import instant
from ehr.store.dates import first_millisecond
from ehr.urls import paths, queries
from ehr.urls.conditions import entity_tags
from fhir_profiles import json_format
from fhir_profiles.validator import validate

_FHIR_JSON = "application/fhir+json"
_READS = ("GET", "HEAD")
# Whoever sends a resource has it already; the others ask for theirs.
_SILENT = frozenset({"create", "update", "delete"})
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")


class _Entry(msgspec.Struct):
    resource: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: what it asks, its full url, and where it stands, for error texts."""

    interaction: Interaction
    full_url: str | None
    at: str

    @property
    def resource_at(self) -> str:
        """Return the FHIRPath location of the entry's resource."""
        return f"{self.at}.resource"


def refuse_more_than(most: int, document: Document) -> None:
    """Raise TooLarge for a Bundle of more entries, before anything is done for them."""
    entries = document.resource.get("entry")
    count = len(entries) if isinstance(entries, list) else 0
    if count > most:
        raise TooLarge(
            f"The Bundle has {count} entries. You may send {most} at once: split it.",
            expression="Bundle.entry",
        )


def check_bundle(document: Document, *, tolerant: bool) -> list[Resource]:
    """Return the entries of a Bundle whose frame is valid. Raises Invalid with all issues."""
    bundle = document.resource
    entries = bundle.get("entry", [])
    frame = dict(bundle)
    if isinstance(entries, list) and entries and all(isinstance(one, dict) for one in entries):
        frame["entry"] = [_framed(one) for one in entries]
    issues = [
        issue
        for issue in validate(frame, tolerant=tolerant)
        if issue.severity in ("error", "fatal")
    ]
    if issues:
        raise Invalid(issues[0].diagnostics, issues=issues)
    return entries if isinstance(entries, list) else []


def _framed(entry: Resource) -> Resource:
    """Return an entry without its resource, which is judged by itself."""
    rest = {name: member for name, member in entry.items() if name != "resource"}
    if "resource" in entry and "request" not in entry:
        # That there is one has to be known, or it would be missed (bdl-5).
        rest["resource"] = {"resourceType": "Parameters"}
    return rest


def raw_resources(document: Document) -> list[bytes | None]:
    """Return the bytes of each entry's resource, as they were sent."""
    bundle = msgspec.json.decode(document.raw, type=_Bundle)
    return [None if e.resource is msgspec.UNSET else bytes(e.resource) for e in bundle.entry]


def unfold(interaction: Interaction, number: int, entry: Resource, raw: bytes | None) -> Entry:
    """Return one entry as an Interaction. Raises FhirError where it asks for nothing possible."""
    at = f"Bundle.entry[{number}]"
    request = entry.get("request")
    if not isinstance(request, dict):
        raise Invalid(
            "Every entry of a batch or transaction needs a request with method and url.",
            code="required",
            expression=f"{at}.request",
        )
    method = request.get("method")
    if method not in _METHODS:
        raise Invalid(f"`{method}` is no method.", expression=f"{at}.request.method")
    try:
        asked = _interaction(interaction, method, request, entry, raw)
    except FhirError as error:
        raise located(error, at) from error
    return Entry(asked, entry.get("fullUrl"), at)


def _interaction(
    outer: Interaction, method: str, request: Resource, entry: Resource, raw: bytes | None
) -> Interaction:
    path, _, query = _relative(outer.base, request["url"]).partition("?")
    route = _route(method, path)
    if route.name in ("batch", "transaction"):
        raise Invalid("A Bundle can't hold another batch or transaction.")
    if route.form and raw is not None:
        raise Invalid("A search in a Bundle has its criteria in request.url. Leave the body out.")
    return Interaction(
        name=route.name,
        type=route.type,
        id=route.id,
        version=route.version,
        operation=route.operation,
        compartment=route.compartment,
        params=_params(query) if query else (),
        document=None if raw is None else Document(raw, entry["resource"]),
        preconditions=_preconditions(request) if len(request) > 2 else _NONE,
        preferences=outer.preferences,
        method=method,
        base=outer.base,
        request_id=outer.request_id,
        # Bundles hold resources: a Binary among them is one too, not its content.
        accept=(_FHIR_JSON,),
    )


def _params(query: str) -> Params:
    # A Bundle has one format, so that of an entry is nothing to refuse and nothing to obey.
    return queries.without_formatting(queries.decode_pairs(query.encode(), "request.url"))


# The same few addresses come again for every entry of a Bundle, and of the next one.
@lru_cache(maxsize=1024)
def _route(method: str, path: str) -> paths.Route:
    return paths.route(method, queries.decode_path(path))


_NONE = Preconditions()


def _preconditions(request: Resource) -> Preconditions:
    return Preconditions(
        if_match=entity_tags(request.get("ifMatch"), "ifMatch"),
        if_none_match=entity_tags(request.get("ifNoneMatch"), "ifNoneMatch"),
        if_modified_since=_moment(request.get("ifModifiedSince")),
        if_none_exist=request.get("ifNoneExist"),
    )


def _relative(base: str, url: str) -> str:
    """Return an address below the base; the base itself may be written out in front."""
    return url.removeprefix(base).lstrip("/") if base else url.lstrip("/")


def _moment(text: Any) -> int | None:
    return first_millisecond(text) if isinstance(text, str) else None


def respond(interaction: Interaction, entry: Interaction, result: Result) -> bytes:
    """Return the entry of a response Bundle, as JSON bytes."""
    response: dict[str, Any] = {"status": _status(result.status)}
    if result.location is not None:
        response["location"] = f"{interaction.base}/{result.location}"
    if result.version is not None:
        response["etag"] = f'W/"{result.version}"'
    if interaction.preferences.returning == "OperationOutcome" and entry.method not in _READS:
        response["outcome"] = _done(entry, result)
    if result.last_modified is not None:
        response["lastModified"] = instant(result.last_modified)
    shown = result.body is not None and _wants_body(interaction, entry)
    head = b'{"resource":' + (result.body or b"") + b"," if shown else b"{"
    if result.location is not None:
        address = result.location.partition("/_history/")[0]
        head = (
            b'{"fullUrl":'
            + json_format.serialise(f"{interaction.base}/{address}")
            + b","
            + head[1:]
        )
    return head + b'"response":' + json_format.serialise(response) + b"}"


def _wants_body(interaction: Interaction, entry: Interaction) -> bool:
    if entry.method == "HEAD":
        return False
    return entry.name not in _SILENT or interaction.preferences.returning == "representation"


def _done(entry: Interaction, result: Result) -> Resource:
    text = f"{entry.name.capitalize()} done: {result.location or entry.type}."
    issue = {"severity": "information", "code": "informational", "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def respond_error(outcome: Resource, status: int) -> bytes:
    """Return the entry that tells of a refused one."""
    response = {"status": _status(status), "outcome": outcome}
    return b'{"response":' + json_format.serialise(response) + b"}"


def fold(kind: str, id: str, entries: Sequence[bytes]) -> bytes:
    """Return a response Bundle of these entries."""
    head = f'{{"resourceType":"Bundle","id":"{id}","type":"{kind}"'.encode()
    if not entries:
        return head + b"}"
    return head + b',"entry":[' + b",".join(entries) + b"]}"


def _status(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
