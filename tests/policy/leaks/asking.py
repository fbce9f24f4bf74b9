"""Those who ask: a token and a client for each caller of a world, on an app of its moment."""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from auth import tokens
from ehr.app import create_app
from tests.client import JSON, Client
from tests.policy.leaks.storing import milliseconds, store
from tests.policy.naive import Caller, Record
from tests.policy.world import World

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from ehr.record import Record as Store

SCOPES = {
    "professional": "user/*.cruds",
    "operator": "user/*.cruds",
    "system": "system/*.cruds",
    "patient": "patient/*.cruds",
    "carer": "patient/*.cruds",
}


class Asking(Client):
    """A client that keeps what the server failed on: a failure is never the right answer."""

    def __init__(self, flask_client: "FlaskClient", token: str | None, failed: list[str]) -> None:
        super().__init__(flask_client, token)
        self._failed = failed

    def request(self, method: str, path: str = "", body: Any = None, **more: Any) -> "TestResponse":
        """Send any request, for JSON unless it says otherwise."""
        more["headers"] = {"Accept": JSON, **(more.get("headers") or {})}
        response = super().request(method, path, body, **more)
        if response.status_code >= 500 and response.status_code != 501:
            self._failed.append(f"{method} {path} answered {response.status_code}")
        return response


@dataclass(frozen=True, slots=True)
class Served:
    """A world in a record, and clients by the names of callers; `everything` is kept nothing from.

    `watching` reads the whole trail. `failed` are the requests that the server failed on so far.
    """

    world: World
    record: "Store"
    clients: dict[str, Client]
    everything: Client
    watching: Client
    failed: list[str]


def serve(record: "Store", world: World) -> Served:
    """Store a world in an empty record and let its callers in, at the world's own moment."""
    world = without_repeats(world)
    now = milliseconds(world.now)
    then = replace(record, clock=lambda: now)
    store(then, world)
    app = create_app(then)
    failed: list[str] = []

    def client(kind: str, scope: str | None = None, **of: str | None) -> Client:
        token = then.database.write(
            lambda connection: tokens.create(
                connection, kind=kind, name="tests", now=now, scope=scope, **of
            )
        )
        return Asking(app.test_client(), token, failed)

    clients = {
        name: client(
            caller.kind,
            SCOPES[caller.kind],
            organisation=_id(caller.organisation),
            client_id="tests",
            context=json.dumps(context_of(caller)),
        )
        for name, caller in world.callers.items()
    }
    return Served(world, then, clients, client("system"), client("operator"), failed)


def without_repeats(world: World) -> World:
    """Return the world without versions that change nothing: the record makes none of them.

    AuditEvents are left out too: they lie in the trail, of which tests of their own ask.
    """
    versions = {
        row.name: tuple(
            one
            for number, one in enumerate(row.versions)
            if number == 0 or one.document != row.versions[number - 1].document
        )
        for row in world.record.rows()
        if row.type != "AuditEvent"
    }
    return replace(world, record=Record(versions, world.record.facts))


def context_of(caller: Caller) -> dict[str, object]:
    """Return what the grant of a caller's token says of the caller."""
    patient = _id(caller.patient)
    told = {
        "author": caller.person or "tests/system",
        "person": caller.person,
        "role": caller.role,
        "purpose": caller.purpose,
        "launch": {"patient": patient} if patient else {},
        "patients": [patient] if patient else [],
    }
    return {name: value for name, value in told.items() if value is not None}


def _id(name: str | None) -> str | None:
    return None if name is None else name.partition("/")[2]
