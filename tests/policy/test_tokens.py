"""Tokens at the door: whose server they are for, how they are sent, and when they end."""

import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwk, jwt

from tests.client import Client, outcome

if TYPE_CHECKING:
    from ehr.record import Record

App = Callable[..., Client]
BASE = "https://record.example.org/fhir"


@pytest.fixture
def record_settings() -> dict[str, str]:
    """Say where this record is."""
    return {"EHR_BASE_URL": BASE, "EHR_CORS_ORIGINS": "https://app.example.org"}


@pytest.mark.parametrize("audience", [BASE, f"{BASE}/", None])
def test_a_token_for_this_server_is_taken(mary: App, audience: str | None) -> None:
    assert mary("patient/*.rs", audience=audience).get("Patient/mary").status_code == 200


@pytest.mark.parametrize(
    "audience", ["https://other.example.org/fhir", f"{BASE}/x", BASE.replace("https", "http"), ""]
)
def test_t12_a_token_for_another_server_is_none(mary: App, audience: str) -> None:
    refused = mary("patient/*.rs", audience=audience).get("Patient/mary")

    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def test_t20_tokens_are_taken_from_the_header_only(mary: App) -> None:
    app = mary("patient/*.rs")
    token, app.token = app.token, None

    assert app.get(f"Patient/mary?access_token={token}").status_code == 401
    form = app.request(
        "POST",
        "Patient/_search",
        f"access_token={token}",
        content_type="application/x-www-form-urlencoded",
    )
    assert form.status_code == 401
    assert app.get("Patient/mary", Cookie=f"access_token={token}").status_code == 401
    app.token = token
    twice = app.get(f"Patient?access_token={token}")
    assert twice.status_code == 400
    assert str(token) not in twice.get_data(as_text=True)


def test_t20_no_answer_shows_the_token(mary: App) -> None:
    app = mary("patient/Observation.rs")
    app.token = f"{app.token}x"

    refused = app.get("Patient/mary")

    assert refused.status_code == 401
    assert str(app.token) not in refused.get_data(as_text=True) + str(refused.headers)


def test_who_has_no_token_learns_how_to_get_one(client: Client) -> None:
    client.token = None
    refused = client.get("Patient")

    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="fhir"'
    said = outcome(refused)[0]
    assert said["code"] == "login"
    assert "smart-configuration" in said["diagnostics"]
    assert "ehr token create" in said["diagnostics"]


def test_an_expired_or_revoked_token_is_none(mary: App, record: "Record") -> None:
    from auth import tokens

    app = mary("patient/*.rs")
    assert app.get("Patient/mary").status_code == 200
    record.database.write(lambda c: tokens.revoke(c, app.token or "", now=record.clock()))

    refused = app.get("Patient/mary")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="fhir", error="invalid_token"'


class Proofs:
    """Makes proofs of one key, as an app does."""

    def __init__(self) -> None:
        self.key = jwk.ECKey.generate_key("P-256")
        self.nonce = ""

    def headers(self, token: str, path: str, method: str = "GET", **more: Any) -> dict[str, str]:
        digest = urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()
        claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": f"{BASE}/{path}", "ath": digest,
                  "iat": int(time.time()), "nonce": self.nonce, **more}  # fmt: skip
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": self.key.as_dict(private=False)}
        return {"Authorization": f"DPoP {token}", "DPoP": jwt.encode(header, claims, self.key)}


@pytest.fixture
def proofs(mary: App) -> Proofs:
    """Give proofs with a nonce that the server has given."""
    made = Proofs()
    app = mary("patient/*.rs", jkt=made.key.thumbprint())
    first = app.request(
        "GET", "Patient/mary", headers=made.headers(app.token or "", "Patient/mary")
    )
    assert first.status_code == 401
    assert 'error="use_dpop_nonce"' in first.headers["WWW-Authenticate"]
    made.nonce = first.headers["DPoP-Nonce"]
    return made


def test_a_bound_token_is_taken_with_a_proof(mary: App, proofs: Proofs) -> None:
    app = mary("patient/*.rs", jkt=proofs.key.thumbprint())
    path = "Observation/_search"

    sent = proofs.headers(app.token or "", "Patient/mary")
    answer = app.request("GET", "Patient/mary", headers=sent)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    posted = proofs.headers(app.token or "", path, "POST")
    form = "application/x-www-form-urlencoded"
    answer = app.request("POST", path, "code=1", headers=posted, content_type=form)
    assert answer.status_code == 200
    queried = proofs.headers(app.token or "", "Observation")
    assert app.request("GET", "Observation?code=1", headers=queried).status_code == 200


def test_t19_a_bound_token_alone_is_worth_nothing(mary: App, proofs: Proofs) -> None:
    app = mary("patient/*.rs", jkt=proofs.key.thumbprint())
    token = app.token or ""
    stranger = Proofs()
    stranger.nonce = proofs.nonce
    used = proofs.headers(token, "Patient/mary")
    assert app.request("GET", "Patient/mary", headers=used).status_code == 200

    cases = {
        "as a bearer": {"Authorization": f"Bearer {token}"},
        "bearer with a proof": used | {"Authorization": f"Bearer {token}"},
        "no proof": {"Authorization": f"DPoP {token}"},
        "used before": used,
        "another key": stranger.headers(token, "Patient/mary"),
        "another address": proofs.headers(token, "Patient/john"),
        "another host": proofs.headers(token, "Patient/mary", htu="https://x/fhir/Patient/mary"),
        "another method": proofs.headers(token, "Patient/mary", "POST"),
        "another token": proofs.headers(token + "x", "Patient/mary")
        | {"Authorization": f"DPoP {token}"},
        "old": proofs.headers(token, "Patient/mary", iat=int(time.time()) - 4000),
    }
    for name, headers in cases.items():
        refused = app.request("GET", "Patient/mary", headers=headers)
        assert refused.status_code == 401, name
        assert "WWW-Authenticate" in refused.headers, name
        assert token not in refused.get_data(as_text=True)


def test_a_token_without_a_key_is_no_dpop_token(mary: App, proofs: Proofs) -> None:
    app = mary("patient/*.rs")

    sent = proofs.headers(app.token or "", "Patient/mary")
    assert app.request("GET", "Patient/mary", headers=sent).status_code == 401


def test_t32_answers_are_for_allowed_origins_without_credentials(mary: App) -> None:
    app = mary("patient/*.rs")

    other = app.get("Patient/mary", Origin="https://evil.example.org")
    assert "Access-Control-Allow-Origin" not in other.headers
    allowed = app.get("Patient/mary", Origin="https://app.example.org")
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    assert "WWW-Authenticate" in allowed.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "headers",
    [{"X-HTTP-Method-Override": "DELETE"}, {"X-Forwarded-Host": "evil"}, {"X-Method": "DELETE"}],
)
def test_t37_no_header_changes_what_is_judged(mary: App, headers: dict[str, str]) -> None:
    app = mary("patient/*.rs")

    answer = app.request("GET", "Observation/mary-vital", headers=headers)
    assert answer.status_code == 200
    assert "evil" not in answer.get_data(as_text=True) + str(answer.headers)
    assert app.get("Observation/mary-vital").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["Observation/john-vital;x=mary-vital", "Observation/mary-vital/../john-vital",
     "Observation/..%2fPatient/john", "Observation/%2e%2e/Patient/john", "//Patient/john",
     "Patient/mary%2f..%2fjohn", "Observation/john%2Dvital", "Observation?_method=DELETE",
     "Patient/mary/Observation/john-vital"],
)  # fmt: skip
def test_t37_one_reading_of_an_address(mary: App, path: str) -> None:
    answer = mary("patient/*.rs").get(path)

    assert answer.status_code in (400, 404), path
    assert (
        "john" not in answer.get_data(as_text=True).replace(path, "") or answer.status_code >= 400
    )


def test_t33_old_and_hidden_doors_are_closed(mary: App) -> None:
    app = mary("patient/*.cruds")

    for path in ("/Patient/mary", "/fhir/r4/Patient/mary", "/api/Patient/mary", "/fhir2/Patient"):
        assert app.get(path).status_code == 404, path


@pytest.fixture
def second_process(record: "Record") -> Iterator[Any]:
    """Give what sends a request of an app to another process on the same database."""
    import os
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from ehr.app import create_app\n"
        "from ehr.record import open_record\n"
        "from ehr.settings import load\n"
        "import os\n"
        "app = create_app(open_record(load(os.environ)))\n"
        "client = app.test_client()\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin:\n"
        "    sent = {'Authorization': 'Bearer ' + line.strip()}\n"
        "    print(client.get('/fhir/Patient/mary', headers=sent).status_code, flush=True)\n"
    )
    url = record.database.url.render_as_string(hide_password=False)
    environment = {**os.environ, "EHR_DATABASE_URL": url, "EHR_BASE_URL": BASE}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def ask(token: str) -> int:
            print(token, file=process.stdin, flush=True)
            return int(process.stdout.readline())  # type: ignore[union-attr]

        yield ask
        process.stdin.close()


def test_the_next_request_on_any_worker_sees_a_revocation(
    mary: App, record: "Record", second_process: Callable[[str], int]
) -> None:
    from auth import tokens

    app, other = mary("patient/*.rs"), mary("patient/*.rs")
    token = app.token or ""
    assert app.get("Patient/mary").status_code == second_process(token) == 200

    record.database.write(lambda c: tokens.revoke(c, token, now=record.clock()))

    assert second_process(token) == app.get("Patient/mary").status_code == 401
    assert second_process(other.token or "") == 200
