"""fhirclient for Python, by the makers of SMART: discovery, code with PKCE, refresh, a patient."""

from collections.abc import Callable
from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.observation import Observation
from fhirclient.server import FHIRUnauthorizedException

from tests.clients.browsing import REDIRECT, Person
from tests.clients.conftest import Site
from tests.signing_in import Known

SCOPE = "openid fhirUser offline_access patient/*.rs"


def _app(site: Site, id: str, secret: str | None = None, scope: str = SCOPE) -> FHIRClient:
    return FHIRClient(
        settings={
            "app_id": id,
            "app_secret": secret,
            "api_base": site.base,
            "redirect_uri": REDIRECT,
            "scope": scope,
        }
    )


@pytest.mark.parametrize("method", ["none", "client_secret_basic"])
def test_a_patient_starts_an_app_and_it_reads_the_record(
    site: Site, register: Callable[..., Any], patient: Known, method: str
) -> None:
    client, secret = register(auth_method=method)
    app = _app(site, client.id, secret)

    assert app.prepare() is False
    app.handle_callback(Person(patient).go(app.authorize_url))

    assert app.ready
    assert app.patient_id == "mary"
    assert app.patient.name[0].family == "Murray"
    found = list(Observation.where({}).perform_resources_iter(app.server))
    assert [each.id for each in found] == ["weight"]


def test_refreshed_it_reads_on(site: Site, register: Callable[..., Any], patient: Known) -> None:
    app = _app(site, register()[0].id)
    app.prepare()
    app.handle_callback(Person(patient).go(app.authorize_url))
    first = app.server.auth.refresh_token

    assert app.reauthorize()

    assert app.server.auth.refresh_token != first
    assert app.launch_context["patient"] == "mary"
    assert app.patient.id == "mary"


def test_its_scopes_of_smart_v1_are_taken(
    site: Site, register: Callable[..., Any], patient: Known
) -> None:
    app = _app(site, register()[0].id, scope="openid profile patient/*.read")
    app.prepare()

    app.handle_callback(Person(patient).go(app.authorize_url))

    assert "patient/*.read" in app.launch_context["scope"].split()
    assert Observation.read("weight", app.server).code.text == "Weight"


def test_what_was_not_granted_is_refused(
    site: Site, register: Callable[..., Any], patient: Known
) -> None:
    app = _app(site, register()[0].id, scope="openid fhirUser patient/Patient.rs")
    app.prepare()
    app.handle_callback(Person(patient).go(app.authorize_url))

    with pytest.raises(Exception, match="403"):
        Observation.read("weight", app.server)


def test_cut_off_it_reads_no_more(site: Site, register: Callable[..., Any], patient: Known) -> None:
    from auth import ending

    app = _app(site, register()[0].id)
    app.prepare()
    app.handle_callback(Person(patient).go(app.authorize_url))
    now = site.around.clock()
    site.record.database.write(
        lambda connection: ending.end_all(
            connection, user_id=patient.user.id, why="cut off", now=now
        )
    )

    with pytest.raises(FHIRUnauthorizedException):
        Observation.read("weight", app.server)
    with pytest.raises(Exception, match="400"):
        app.reauthorize()
