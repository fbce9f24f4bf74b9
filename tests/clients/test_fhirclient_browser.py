"""fhirclient for the browser, which most SMART apps are built on: in a real browser, on a site.

The app is two pages: one that begins (standalone, or started from the workspace) and one that the
browser comes back to, which reads the patient and says so.
"""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from tests import live_server, npm
from tests.chromium import ARGUMENTS, chromium
from tests.clients.conftest import Site
from tests.signing_in import Known, code_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

INTEGRITY = "sha512-CirZixcwWelbkIXxpxlNQx5+ZdJirl6F1s4y4yvA1X7hHAkr9n99aVHaMi0wX+97nATjKQ65X"
INTEGRITY += "6NB5as/wZoJzg=="
BEGINS = "<script src='/fhir-client.js'></script><script>FHIR.oauth2.authorize({how})</script>"
ENDS = """<script src='/fhir-client.js'></script><p id="told"></p><script>
const tell = (what) => { document.getElementById("told").textContent = JSON.stringify(what); };
FHIR.oauth2.ready().then(async (client) => {
  const patient = await client.patient.read();
  const user = await client.user.read();
  const first = client.state.tokenResponse.refresh_token;
  // The library proves no key when it refreshes.
  const renews = !client.state.clientPrivateJwk;
  if (renews) await client.refresh();
  const again = await client.request("Observation");
  tell({
    patient: patient.id, user: client.user.fhirUser, name: user.name[0].family,
    scope: client.state.tokenResponse.scope, encounter: client.encounter.id,
    observations: again.entry.map((each) => each.resource.id),
    renewed: (client.state.tokenResponse.refresh_token !== first) === renews,
  });
}).catch((error) => tell({failed: String(error)}));
</script>"""
SCOPE = "openid fhirUser offline_access patient/*.rs"


@pytest.fixture
def window() -> Iterator["Page"]:
    """Give a page of the machine's browser that finds the library on every site."""
    executable = chromium()
    from playwright.sync_api import sync_playwright

    library = npm.packed("fhirclient@2.6.3", INTEGRITY, "build/fhir-client.js")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        page = browser.new_page()
        script = {"body": library, "content_type": "text/javascript"}
        page.route("**/fhir-client.js", lambda route: route.fulfill(**script))
        yield page
        browser.close()


def _app(how: dict[str, Any]) -> Callable[[str], str]:
    def answer(path: str) -> str:
        page = BEGINS.replace("{how}", json.dumps(how)) if path == "/launch" else ENDS
        return f'<!DOCTYPE html><html lang="en"><title>App</title>{page}'

    return answer


def _sign_in(window: "Page", known: Known) -> None:
    window.get_by_label("Sign-in name").fill(known.user.login)
    window.get_by_label("Password").fill(known.password)
    window.get_by_role("button", name="Sign in", exact=True).click()
    if known.secret is not None:
        window.get_by_label("Code from your authenticator app").fill(code_of(known))
        window.get_by_role("button", name="Continue").first.click()


def _told(window: "Page") -> dict[str, Any]:
    window.wait_for_function("document.getElementById('told')?.textContent", timeout=60_000)
    told: dict[str, Any] = json.loads(window.inner_text("#told"))
    return told


def _how(site: Site, address: str, id: str, **more: Any) -> dict[str, Any]:
    return {"clientId": id, "scope": SCOPE, "redirectUri": f"{address}/app", **more}


@pytest.mark.parametrize(
    "method", ["none", pytest.param("private_key_jwt", marks=pytest.mark.slow)]
)
def test_a_patient_starts_an_app_in_a_browser(
    site: Site, register: Callable[..., Any], patient: Known, window: "Page", method: str
) -> None:
    key = ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384", "key_ops": ["sign"]})
    public = {"kty": "EC", **key.as_dict(private=False), "key_ops": ["verify"]}
    proves = {"jwks": {"keys": [public]}} if method != "none" else {}
    how: dict[str, Any] = {}
    with live_server.pages(lambda path: _app(how)(path)) as address:
        client, _ = register(
            auth_method=method, redirect_uris=[f"{address}/app"], origins=[address], **proves
        )
        how |= _how(site, address, client.id, iss=site.base)
        if method != "none":
            how["clientPrivateJwk"] = key.as_dict(private=True)

        window.goto(f"{address}/launch")
        _sign_in(window, patient)
        window.get_by_role("button", name="Allow", exact=True).click()
        told = _told(window)

    assert told.get("patient") == "mary", told
    assert told["user"] == "Patient/mary"
    assert told["observations"] == ["weight"]
    assert told["renewed"]


@pytest.mark.slow
def test_a_professional_starts_an_app_from_the_workspace(
    site: Site, register: Callable[..., Any], gp: Known, window: "Page"
) -> None:
    how: dict[str, Any] = {}
    with live_server.pages(lambda path: _app(how)(path)) as address:
        client, _ = register(
            redirect_uris=[f"{address}/app"],
            launch_uri=f"{address}/launch",
            origins=[address],
            name="Growth chart",
        )
        how |= _how(site, address, client.id, scope=f"launch {SCOPE} user/Practitioner.rs")

        window.goto(f"{site.root}/auth/launch?patient=mary")
        _sign_in(window, gp)
        window.get_by_role("button", name="Start Growth chart").click()
        window.get_by_role("button", name="Allow", exact=True).click()
        told = _told(window)

    assert told.get("patient") == "mary", told
    assert told["user"] == "Practitioner/anna"
    assert told["observations"] == ["weight"]
