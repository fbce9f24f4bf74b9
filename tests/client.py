"""A system client in care of the tests: FHIR calls over Flask's test client, no socket.

client.create(given.patient())["id"]        the resource as stored
client.get("Observation?code=8867-4").json  any call, any answer
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

BASE = "/fhir"
JSON = "application/fhir+json"


class Client:
    """Calls the record with one caller's token. Paths are relative to the FHIR base."""

    def __init__(self, flask_client: FlaskClient, token: str | None) -> None:
        self.flask = flask_client
        self.token = token

    def request(
        self,
        method: str,
        path: str = "",
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> TestResponse:
        """Send any request; a body that is not text or bytes goes as JSON."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent.update(headers or {})
        if body is not None and not isinstance(body, str | bytes):
            body = to_json(body)
        return self.flask.open(
            _url(path),
            method=method,
            data=body,
            content_type=content_type if body is not None else None,
            headers=sent,
        )

    def get(self, path: str = "", **headers: str) -> TestResponse:
        """GET; headers by name with underscores: `If_None_Match='W/"1"'`."""
        return self.request("GET", path, headers=_headers(headers))

    def post(self, path: str = "", body: Any = None, **headers: str) -> TestResponse:
        """POST a resource or Bundle."""
        return self.request("POST", path, body, headers=_headers(headers))

    def put(self, path: str, body: Any, **headers: str) -> TestResponse:
        """PUT a resource."""
        return self.request("PUT", path, body, headers=_headers(headers))

    def patch(
        self,
        path: str,
        body: Any,
        content_type: str = "application/json-patch+json",
        **headers: str,
    ) -> TestResponse:
        """PATCH; JSON Patch unless another content type is named."""
        return self.request(
            "PATCH", path, body, headers=_headers(headers), content_type=content_type
        )

    def delete(self, path: str, **headers: str) -> TestResponse:
        """DELETE."""
        return self.request("DELETE", path, headers=_headers(headers))

    def create(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Create a resource, which must succeed, and return it as stored."""
        return expect(self.post(resource["resourceType"], resource), 201)

    def update(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Update a resource by its id, which must succeed, and return it as stored."""
        return expect(self.put(f"{resource['resourceType']}/{resource['id']}", resource), 200, 201)

    def update_all(self, *resources: dict[str, Any]) -> None:
        """Update resources by their ids in one transaction, which must succeed."""
        entries = [
            {
                "resource": one,
                "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
            }
            for one in resources
        ]
        self.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    def read(self, path: str) -> dict[str, Any]:
        """Read one resource, search or history, which must succeed."""
        return expect(self.get(path), 200)

    def transact(self, bundle: dict[str, Any]) -> dict[str, Any]:
        """Send a batch or transaction, which must succeed, and return the response Bundle."""
        return expect(self.post("", bundle), 200)


def expect(response: TestResponse, *statuses: int) -> dict[str, Any]:
    """Return the resource in the answer (decimals exact) or fail with what the record said."""
    text = response.get_data(as_text=True)
    assert response.status_code in statuses, f"{response.status_code}: {text[:2000]}"
    resource: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return resource


def to_json(value: Any) -> str:
    """Serialise with decimals as they stand: Decimal("1.50") is sent as 1.50."""
    marked = json.dumps(value, default=lambda number: f"\0{number}\0", ensure_ascii=False)
    return marked.replace('"\\u0000', "").replace('\\u0000"', "")


def outcome(response: TestResponse) -> list[dict[str, Any]]:
    """Return the issues of the OperationOutcome that the answer is."""
    resource = json.loads(response.get_data())
    assert resource["resourceType"] == "OperationOutcome", resource
    issues: list[dict[str, Any]] = resource["issue"]
    return issues


def _url(path: str) -> str:
    return path if path.startswith("/") else f"{BASE}/{path}".rstrip("/")


def _headers(named: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}
