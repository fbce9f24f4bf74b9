"""User-access brands: by whose names people know this record (SMART App Launch 2.2, §Brands).

A public Bundle of the Endpoint of this server and the Organizations that name it as theirs, as the
record has them. What it lacks of the brand of the server itself is made from the base address.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from flask import Blueprint, Response, request

from auth.apps.shown_texts import OWN_NAME
from auth.endpoints.discovery import public_json
from auth.metadata import brand_identifier
from auth.surroundings import Surroundings

Resource = Mapping[str, Any]

# When what is made of the base alone came about; it moves with a release.
_SINCE = "2026-11-22T00:00:00Z"
_CODES = "http://terminology.hl7.org/CodeSystem"
_VERSION = {
    "url": "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version",
    "valueCode": "4.0.1",
}


def open_brands(routes: Blueprint, surroundings: Surroundings) -> None:
    """Serve the Bundle at `/brands`."""

    @routes.get("/brands")
    def brands() -> Response:
        told = bundle(surroundings.base, surroundings.people.brands(surroundings.base))
        tag = blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()
        response = public_json(told, "application/fhir+json")
        response.set_etag(tag, weak=True)
        response.make_conditional(request)
        return response


def bundle(base: str, known: Sequence[Resource]) -> dict[str, Any]:
    """Return the Bundle; `known` are Endpoints and Organizations that the record has."""
    listed = list(known)
    if not any(each["resourceType"] == "Endpoint" for each in listed):
        listed.insert(0, _endpoint(base))
    if not any(brand_identifier(base) in each.get("identifier", ()) for each in listed):
        # The configuration names one brand as this server's own, so that one is always there.
        listed.insert(1, _organisation(base, str(listed[0]["id"])))
    changed = [str(each.get("meta", {}).get("lastUpdated", "")) for each in known]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": max(changed, default=_SINCE),
        "entry": [
            {"fullUrl": f"{base}/{each['resourceType']}/{each['id']}", "resource": each}
            for each in listed
        ],
    }


def _endpoint(base: str) -> Resource:
    return {
        "resourceType": "Endpoint",
        "id": "shared-care-record",
        "extension": [_VERSION],
        "status": "active",
        "connectionType": {
            "system": f"{_CODES}/endpoint-connection-type",
            "code": "hl7-fhir-rest",
        },
        "name": OWN_NAME,
        "managingOrganization": {"reference": "Organization/shared-care-record"},
        "contact": [{"system": "url", "value": base.removesuffix("/fhir")}],
        "payloadType": [
            {"coding": [{"system": f"{_CODES}/endpoint-payload-type", "code": "none"}]}
        ],
        "address": base,
    }


def _organisation(base: str, endpoint: str) -> Resource:
    return {
        "resourceType": "Organization",
        "id": "shared-care-record",
        "identifier": [brand_identifier(base)],
        "active": True,
        "name": OWN_NAME,
        "telecom": [{"system": "url", "value": base.removesuffix("/fhir")}],
        "endpoint": [{"reference": f"Endpoint/{endpoint}"}],
    }
