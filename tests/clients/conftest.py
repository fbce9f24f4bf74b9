"""A record that is served on a port of this machine, with people who may sign in.

site        base, root and record of the server       register(...)   a client of it
patient     a patient with an account                  gp              a professional with one
"""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from auth.apps import clients
from auth.surroundings import Surroundings
from ehr.app import create_app, surroundings_of
from tests import signing_in
from tests.client import Client
from tests.clients.browsing import REDIRECT
from tests.signing_in import Known

if TYPE_CHECKING:
    from ehr.record import Record

APP_SCOPE = (
    "openid fhirUser profile launch launch/patient launch/encounter offline_access online_access "
    "patient/*.cruds user/*.cruds"
)


@dataclass(frozen=True)
class Site:
    """A record that answers on a port."""

    root: str
    record: "Record"
    around: Surroundings

    @property
    def base(self) -> str:
        """Return the FHIR base."""
        return f"{self.root}/fhir"


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture
def record_settings(port: int) -> dict[str, str]:
    """Let the record know where it is served."""
    return {"EHR_BASE_URL": f"http://127.0.0.1:{port}/fhir"}


@pytest.fixture
def site(record: "Record", port: int) -> Iterator[Site]:
    """Serve the record."""
    server = make_server("127.0.0.1", port, create_app(record), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{port}", record, surroundings_of(record))
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def register(site: Site) -> Callable[..., tuple[clients.Client, str | None]]:
    """Give what registers clients: of users, unless told otherwise."""

    def make(**values: Any) -> tuple[clients.Client, str | None]:
        asked = {
            "name": "Real client",
            "auth_method": "none",
            "scope": APP_SCOPE,
            "redirect_uris": [REDIRECT],
            "verified": True,
            "now": site.around.clock(),
            **values,
        }
        return site.record.database.write(lambda connection: clients.create(connection, **asked))

    return make


@pytest.fixture
def fhir(site: Site, client: Client) -> Client:
    """Give a system client that puts resources into the served record."""
    practice = signing_in.registered(client)
    mary = {"resourceType": "Patient", "id": "mary", "name": [{"family": "Murray"}]}
    client.update({**mary, **practice})
    client.update({"resourceType": "Practitioner", "id": "anna", "name": [{"family": "Reid"}]})
    client.update(
        {
            "resourceType": "Observation",
            "id": "weight",
            "status": "final",
            "code": {"text": "Weight"},
            "subject": {"reference": "Patient/mary"},
        }
    )
    return client


@pytest.fixture
def patient(site: Site, fhir: Client) -> Known:
    """Make Mary, who opens her own record."""
    return signing_in.make_user(
        site.around, "patient", name="Mary Murray", fhir_user="Patient/mary", patients=["mary"]
    )


@pytest.fixture
def gp(site: Site, fhir: Client) -> Known:
    """Make Anna, who works as a GP."""
    return signing_in.make_user(
        site.around, "professional", name="Anna Reid", fhir_user="Practitioner/anna"
    )
