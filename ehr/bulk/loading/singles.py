"""Entries that are taken or refused each by itself, as they go into a batch to a server."""

from dataclasses import dataclass
from typing import Any

import msgspec

from ehr.bulk.loading.documents import entries_of, interaction_of
from ehr.bulk.loading.results import Outcome, refused
from ehr.bulk.loading.units import Piece
from ehr.errors import FhirError, Invalid
from ehr.messages import Document
from fhir_profiles import json_format


@dataclass(frozen=True, slots=True)
class Single:
    """One entry: its bytes, its request, and the resource it carries, if any."""

    piece: Piece
    part: str
    raw: bytes
    request: Any
    resource: Any


class _Batch(msgspec.Struct):
    entry: list[msgspec.Raw] = []


def of_batch(piece: Piece, number: int, document: Document) -> list[Single]:
    """Return the entries of a batch as they stand there. Raises Invalid where they are none."""
    entries = document.resource.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise Invalid(
            "The entries of a Bundle are an array of objects.",
            code="structure",
            expression="Bundle.entry",
        )
    raws = msgspec.json.decode(document.raw, type=_Batch).entry
    return [
        Single(piece, f"{number}/{place}", bytes(raw), entry.get("request"), entry.get("resource"))
        for place, (raw, entry) in enumerate(zip(raws, entries, strict=True))
    ]


def of_resources(piece: Piece, number: int, document: Document, outcome: Outcome) -> list[Single]:
    """Return an entry for each resource: with an id it is put, else created."""
    some = entries_of(piece, document)
    found = []
    for place, one in enumerate(some):
        part = f"{number}" if len(some) == 1 else f"{number}/{place}"
        try:
            asked = interaction_of(one)
        except FhirError as error:
            outcome.rejects.append(refused(piece, part, one.resource, error))
            continue
        address = f"{asked.type}/{asked.id}" if asked.id is not None else asked.type
        request = {"method": asked.method, "url": address}
        raw = b'{"resource":%s,"request":%s}' % (one.raw, json_format.serialise(request))
        found.append(Single(piece, part, raw, request, one.resource))
    return found
