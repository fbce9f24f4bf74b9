"""Writes as questions: what is hidden is answered as what is not there.

No write here succeeds where it should not: each asks for a version that nothing has, or is a patch
of nothing. A row that the caller sees is asked too, to tell that the question is one.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.client import Client
from tests.policy.leaks.running import Run
from tests.policy.naive import Row

Answer = Any
_STALE = {"If-Match": 'W/"987654"'}
_FHIRPATH = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "delete"},
                {"name": "path", "valueString": "language"},
            ],
        }
    ],
}
_FHIRPATH_XML = (
    '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>'
    '<part><name value="type"/><valueCode value="delete"/></part>'
    '<part><name value="path"/><valueString value="language"/></part></parameter></Parameters>'
)
_PATCHES: dict[str, tuple[str, str]] = {
    "JSON Patch": ("application/json-patch+json", '[{"op":"test","path":"/id","value":"!"}]'),
    "JSON Merge Patch": ("application/merge-patch+json", '{"language":null}'),
    "XML Patch": (
        "application/xml-patch+xml",
        '<diff xmlns="urn:ietf:params:xml:ns:patch-ops"><remove sel="f:language" '
        'xmlns:f="http://hl7.org/fhir"/></diff>',
    ),
    "FHIRPath Patch": ("application/fhir+json", json.dumps(_FHIRPATH)),
    "FHIRPath Patch in XML": ("application/fhir+xml", _FHIRPATH_XML),
}


def _patch(media: str, body: str, client: Client, type: str, id: str) -> Answer:
    return client.request("PATCH", f"{type}/{id}", body, headers=_STALE, content_type=media)


def _update(client: Client, type: str, id: str) -> Answer:
    body = {"resourceType": type, "id": id}
    return client.request("PUT", f"{type}/{id}", body, headers=_STALE)


def _delete(client: Client, type: str, id: str) -> Answer:
    return client.request("DELETE", f"{type}/{id}", headers=_STALE)


DIRECT: dict[str, Callable[[Client, str, str], Answer]] = {
    **{name: partial(_patch, media, body) for name, (media, body) in _PATCHES.items()},
    "update": _update,
    "delete": _delete,
}


def _conditional_patch(client: Client, type: str, id: str) -> Answer:
    media, body = _PATCHES["JSON Patch"]
    return client.request("PATCH", f"{type}?_id={id}", body, headers=_STALE, content_type=media)


def _conditional_update(client: Client, type: str, id: str) -> Answer:
    return client.request("PUT", f"{type}?_id={id}", {"resourceType": type}, headers=_STALE)


def _conditional_delete(client: Client, type: str, id: str) -> Answer:
    return client.request("DELETE", f"{type}?_id={id}", headers=_STALE)


def _conditional_create(client: Client, type: str, id: str) -> Answer:
    # Nobody is this patient: what is not matched is refused before it is made.
    body = {"resourceType": type, "subject": {"reference": "Patient/nobody-at-all"}}
    return client.request("POST", type, body, headers={"If-None-Exist": f"_id={id}"})


CONDITIONAL: dict[str, Callable[[Client, str, str], Answer]] = {
    "conditional create": _conditional_create,
    "conditional update": _conditional_update,
    "conditional patch": _conditional_patch,
    "conditional delete": _conditional_delete,
}


def direct(run: Run) -> None:
    """Patches, updates and deletions by id."""
    _ask(run, DIRECT, "r")


def conditional(run: Run) -> None:
    """Writes that find what they are about by a search."""
    _ask(run, CONDITIONAL, "s")


def _ask(run: Run, kinds: dict[str, Callable[[Client, str, str], Answer]], letter: str) -> None:
    for name, send in kinds.items():
        for _ in range(max(run.turns // 2, 4)):
            asker = run.asker()
            row = run.row_for(asker, letter=letter)
            is_shown = asker.sight.sees(row, letter)
            if row.is_deleted or (not is_shown and asker.sight.sees(row, "rs".replace(letter, ""))):
                continue
            id, other = row.name.partition("/")[2], run.another_id()
            answers = [_told(send(asker.client, row.type, one), one) for one in (id, other)]
            is_same = answers[0] == answers[1]
            if is_shown:
                run.tally.may_differ(name, is_same=is_same)
            else:
                told = f"({answers[0]} for {answers[1]})"[:400]
                run.tally.same(name, asker.name, row.name, is_same=is_same, told=told)
            _is_unharmed(run, row)


def _told(response: Answer, id: str) -> tuple[int, str]:
    return response.status_code, response.get_data(as_text=True).replace(id, "*")


def _is_unharmed(run: Run, row: Row) -> None:
    response = run.everything.request("HEAD", row.name)
    assert response.headers.get("ETag") == f'W/"{len(row.versions)}"', row.name
