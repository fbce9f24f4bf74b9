"""The endpoint with a pipeline that only remembers what it was asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from auth.principal import Principal
from ehr.messages import Interaction, Result, replace
from ehr.rest.caller import Sent
from ehr.rest.endpoint import Door, endpoint
from ehr.settings import Settings

PATIENT = b'{"resourceType":"Patient","id":"1","active":true,"gender":"female"}'


@dataclass
class Answer:
    """What came back, with the body read and the headers by name."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Fake:
    """A door whose pipeline gives `result` or raises `error`, and keeps what it was asked."""

    result: Result = field(default_factory=lambda: Result(status=200, body=PATIENT, version=3))
    error: Exception | None = None
    settings: Settings = field(default_factory=Settings)
    asked: list[Interaction] = field(default_factory=list)

    def ask(self, method: str, path: str, *, token: str | None = "good", **sent: Any) -> Answer:
        """Send one request below the base through the endpoint."""
        path, _, query = path.partition("?")
        headers = dict(sent.pop("headers", {}))
        if token is not None:
            headers.setdefault("Authorization", f"Bearer {token}")
        builder = EnvironBuilder(
            path=f"/fhir{path}", query_string=query, method=method, headers=headers, **sent
        )
        return self.send(builder.get_environ())

    def send(self, environ: dict[str, Any]) -> Answer:
        """Send a WSGI environ."""
        status, headers, body = endpoint(self.door(), environ)
        return Answer(status, dict(headers), b"".join(body))

    def door(self) -> Door:
        """Return the door itself."""
        return Door(self.settings, self._handle, self._authenticate)

    @property
    def last(self) -> Interaction:
        """The interaction asked for last, without the id of its request."""
        return replace(self.asked[-1], request_id="")

    def _handle(self, principal: Principal, interaction: Interaction) -> Result:
        self.asked.append(interaction)
        if self.error is not None:
            raise self.error
        return self.result

    def _authenticate(self, sent: Sent) -> Principal | None:
        return Principal("1", "system", "Ward") if sent.token == "good" else None


@pytest.fixture
def fake() -> Callable[..., Fake]:
    """Give a maker of fakes: `fake(result=…, error=…, settings=…)`."""
    return Fake


@pytest.fixture
def server(fake: Callable[..., Fake]) -> Fake:
    """Give a fake that answers every request with one patient."""
    return fake()
