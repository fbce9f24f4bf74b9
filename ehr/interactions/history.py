"""history (R4 §3.1.0.12) of a resource, a type or everything: `_since`, `_at`, `_count`, pages.

The Bundle's own `meta.lastUpdated` is the moment to poll from: `_since` that moment misses nothing.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from auth.principal import Principal
from ehr.access import finding
from ehr.access.scope import bound_to, scope_of
from ehr.access.visible import visible_within
from ehr.errors import PASSED_OVER, Invalid, NotFound
from ehr.interactions.own_definitions import OWN_SINCE, OWN_VERSION, own_definition
from ehr.interactions.read import not_found
from ehr.messages import Instant, Interaction, Result
from ehr.record import Record
from ehr.search.results.cursor import Cursor, expired, seal, unseal
from ehr.search.values.intervals import parse_interval
from ehr.store import feed
from ehr.store import history as versions
from ehr.store.bodies import instant
from ehr.store.drafts import Method
from ehr.store.tables import resource, version
from ehr.urls.counts import read_count
from fhir_profiles import json_format

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

_KNOWN = ("_since", "_at", "_count", "_cursor", "_sort", "_summary", "_elements")


def history(record: Record, principal: Principal, interaction: Interaction) -> Result:
    """Return a page of versions, newest first, deletions as entries without a resource."""
    params = _params(interaction)
    is_counted = params.get("_summary") == "count"
    count = 0 if is_counted else _count(record, principal, params.get("_count"))
    cursor = _cursor(record, principal, interaction, params.get("_cursor"))
    asked = _asked(record, interaction, params)
    own = own_definition(interaction)
    if own is not None:
        return _of_own(record, principal, interaction, own, asked, count)
    with record.database.read() as connection:
        polled = int(cursor.values[0] or 0) if cursor else feed.watermark(connection)
        judged = _visible(record, principal, interaction)
        if interaction.id is not None:
            scope = scope_of(record.database, principal, "rh")
            row = finding.newest(connection, scope, interaction.type or "", interaction.id)
            if row is None:
                raise NotFound(not_found(interaction))
            judged = judged & versions.of_row(row.patient_key, row.rid)
        else:
            asked = replace(asked, until=polled)
        number = cursor.total if cursor else None
        if number is None and (interaction.id is not None or count == 0):
            number = versions.total(connection, asked, judged)
        if cursor is not None:
            low, rid, number_of = (int(value or 0) for value in cursor.values[1:])
            asked = replace(asked, before=(low, rid, number_of))
        page = versions.entries(connection, asked, judged, count + 1) if count else []
    more = len(page) > count
    return Result(
        status=200,
        body=_bundle(record, principal, interaction, page[:count], number, polled, more),
        last_modified=polled,
        shown=tuple(one.item for one in page[:count]),
        found=None if count else number,
    )


def _visible(
    record: Record, principal: Principal, interaction: Interaction
) -> "ColumnElement[bool]":
    """Return the condition of the resources whose history the caller may see.

    That of one resource is read; those of a type and of everything are lists, as searches are.
    """
    return visible_within(
        resource,
        scope_of(record.database, principal, "sh" if interaction.id is None else "rh"),
        record.database.hasher,
        binaries=interaction.type in (None, "Binary"),
        types=(interaction.type,) if interaction.type else (),
        version=version,
    )


def _of_own(
    record: Record,
    principal: Principal,
    interaction: Interaction,
    body: bytes,
    asked: versions.Asked,
    count: int,
) -> Result:
    """Return the history of what the server defines itself: its one version."""
    is_within = (asked.since or 0) <= OWN_SINCE < (asked.at[1] if asked.at else OWN_SINCE + 1)
    type, id = interaction.type or "", interaction.id or ""
    entry = versions.Entry(
        0, 0, type, id, OWN_VERSION, OWN_SINCE, Method.PUT, created=True, body=body
    )
    page = [entry] if is_within and count else []
    polled = record.clock()
    bundle = _bundle(record, principal, interaction, page, int(is_within), polled, more=False)
    return Result(status=200, body=bundle, last_modified=polled)


def _params(interaction: Interaction) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in interaction.params:
        if name not in _KNOWN and not interaction.preferences.lenient:
            raise Invalid(
                f"`{name[:80]}` is no parameter of a history. Possible: _since, _at, _count. "
                f"{PASSED_OVER}",
                code="not-supported",
                expression=name[:80],
            )
        if name == "_sort" and value != "-_lastUpdated":
            raise Invalid(
                "A history is in one order, newest first. Leave `_sort` out.",
                code="not-supported",
                expression=name,
            )
        if name in found:
            raise Invalid(f"`{name}` is given twice. Send it once.", expression=name)
        found[name] = value
    return found


def _count(record: Record, principal: Principal, text: str | None) -> int:
    if text is None:
        return record.settings.page_size
    count = read_count(text)
    if count is None:
        said = f"`_count` is `{text[:80]}`. Write a whole number from 0."
        raise Invalid(said, expression="_count")
    return min(count, record.settings.page_limit.of(principal.kind))


def _asked(record: Record, interaction: Interaction, params: dict[str, str]) -> versions.Asked:
    zone = ZoneInfo(record.settings.record_timezone)
    since = _interval("_since", params["_since"], zone)[0] if "_since" in params else None
    at = _interval("_at", params["_at"], zone) if "_at" in params else None
    return versions.Asked(type=interaction.type, id=interaction.id, since=since, at=at)


def _interval(name: str, text: str, zone: ZoneInfo) -> tuple[Instant, Instant]:
    """Return the milliseconds [low, high) of a date or instant."""
    try:
        low, high = parse_interval(text, zone)
    except ValueError:
        _refuse(name, text)
    return low // 1000, max(high // 1000, low // 1000 + 1)


def _refuse(name: str, text: str) -> NoReturn:
    raise Invalid(
        f"`{name}` is `{text[:80]}`, which is no date. Write 2026-11-22 or 2026-11-22T09:30:00Z.",
        code="value",
        expression=name,
    )


def _search_bytes(interaction: Interaction) -> bytes:
    kept = [pair for pair in interaction.params if pair[0] not in ("_cursor", "_count")]
    return repr((interaction.name, interaction.type, interaction.id, sorted(kept))).encode()


def _cursor(
    record: Record, principal: Principal, interaction: Interaction, text: str | None
) -> Cursor | None:
    if text is None:
        return None
    cursor = unseal(
        text,
        keys=(record.database.secret("cursor"),),
        caller=bound_to(principal),
        search=_search_bytes(interaction),
        now=record.clock(),
    )
    if cursor.epoch != record.database.epoch:
        raise expired()
    return cursor


def _bundle(
    record: Record,
    principal: Principal,
    interaction: Interaction,
    page: list[versions.Entry],
    total: int | None,
    polled: Instant,
    more: bool,
) -> bytes:
    links = [("self", _address(interaction))]
    if more:
        last = page[-1]
        cursor = Cursor(
            values=(polled, last.last_updated, last.rid, last.version),
            backward=False,
            mark="",
            epoch=record.database.epoch,
            total=total,
            issued=record.clock(),
        )
        sealed = seal(
            cursor,
            keys=(record.database.secret("cursor"),),
            caller=bound_to(principal),
            search=_search_bytes(interaction),
        )
        links.append(("next", _address(interaction, sealed)))
    head = {
        "resourceType": "Bundle",
        "id": record.new_id(),
        "meta": {"lastUpdated": instant(polled)},
        "type": "history",
        **({"total": total} if total is not None else {}),
        "link": [{"relation": relation, "url": url} for relation, url in links],
    }
    body = json_format.serialise(head)
    if not page:
        return body
    some = b",".join(_entry(interaction.base, entry) for entry in page)
    return body[:-1] + b',"entry":[' + some + b"]}"


def _entry(base: str, entry: versions.Entry) -> bytes:
    name = f"{entry.type}/{entry.id}"
    url = entry.type if entry.method is Method.POST else name
    status = "204" if entry.body is None else "201" if entry.created else "200"
    rest = {
        "request": {"method": entry.method.name, "url": url},
        "response": {
            "status": status,
            "etag": f'W/"{entry.version}"',
            "lastModified": instant(entry.last_updated),
        },
    }
    head = json_format.serialise({"fullUrl": f"{base}/{name}"})[:-1]
    resource_part = b',"resource":' + entry.body if entry.body is not None else b""
    return head + resource_part + b"," + json_format.serialise(rest)[1:]


def _address(interaction: Interaction, cursor: str | None = None) -> str:
    place = "/".join(part for part in (interaction.type, interaction.id, "_history") if part)
    pairs = [pair for pair in interaction.params if pair[0] in _KNOWN and pair[0] != "_cursor"]
    if cursor is not None:
        pairs.append(("_cursor", cursor))
    query = urlencode(pairs, safe=":/,$@!'()*;?~", quote_via=quote)
    return f"{interaction.base}/{place}" + (f"?{query}" if query else "")
