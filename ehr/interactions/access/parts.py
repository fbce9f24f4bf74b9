"""Answers of which a caller sees parts: what role or relationship hide is left out at the door.

`auth/roles/left.py`. One statement asks which of the resources in an answer are shown whole, where
any of them may not be.
"""

import re
from collections.abc import Iterator
from typing import Any

from auth.principal import Principal
from auth.rights import is_judged
from auth.roles.left import LEFT, left_of
from ehr.access.judging import seen
from ehr.messages import Result, replace
from ehr.record import Record
from ehr.store.locator import locate
from fhir_profiles import json_format

_OF_STAFF = ("professional", "operator")
# How an answer begins that is one resource, and what is in one that may have to be cut.
_ALONE = re.compile(rb'\{"resourceType":"([A-Za-z]+)"')
_ANY = re.compile(rb'"resourceType":"(?:%s)"' % "|".join(LEFT).encode())

Resource = dict[str, Any]


def shown_parts(record: Record, principal: Principal, result: Result) -> Result:
    """Return an answer with what this caller may see of each resource in it."""
    body = result.body
    if body is None or result.is_whole or principal.kind not in _OF_STAFF:
        return result
    if not is_judged(principal):
        return result
    alone = _ALONE.match(body)
    if alone is not None and alone[1] != b"Bundle":
        if alone[1].decode() not in LEFT:
            return result
        if len(result.shown) == 1:
            return _shown_alone(record, principal, result, alone[1].decode())
    elif _ANY.search(body) is None:
        return result
    document = json_format.reparse(body)
    names = {(one["resourceType"], one["id"]) for one in _resources(document) if "id" in one}
    some = {name for name in names if name[0] in LEFT}
    if not some:
        return result
    with record.database.read() as connection:
        places = {(at.patient_key, at.rid): name for name, at in locate(connection, some).items()}
        types = {at: name[0] for at, name in places.items()}
        whole = seen(connection, record.database, principal, types, whole=True)
    cut = {name for at, name in places.items() if at not in whole} | (some - {*places.values()})
    if not cut:
        return result
    return replace(result, body=json_format.serialise(_without(document, cut)))


def _shown_alone(record: Record, principal: Principal, result: Result, type: str) -> Result:
    """Return the answer to a read, of which the row is known."""
    [(key, rid, _version)] = result.shown
    with record.database.read() as connection:
        if seen(connection, record.database, principal, {(key, rid): type}, whole=True):
            return result
    document = json_format.reparse(result.body or b"")
    return replace(result, body=json_format.serialise(left_of(document)))


def _resources(document: Resource) -> Iterator[Resource]:
    if not _is_list(document):
        yield document
        return
    for entry in document.get("entry", []):
        if "resource" in entry:
            yield entry["resource"]


def _is_list(document: Resource) -> bool:
    """Tell whether it is a Bundle that was made for this answer, not one that was stored."""
    return document["resourceType"] == "Bundle" and document.get("type") in ("searchset", "history")


def _without(document: Resource, cut: set[tuple[str, str]]) -> Resource:
    def shown(one: Resource) -> Resource:
        return left_of(one) if (one["resourceType"], one.get("id")) in cut else one

    if not _is_list(document):
        return shown(document)
    entries = [
        {**entry, "resource": shown(entry["resource"])} if "resource" in entry else entry
        for entry in document.get("entry", [])
    ]
    return {**document, "entry": entries}
