"""The steps of OAuth for tests: clients with keys, authorization without pages, token requests.

app = flow.app(around, scope="openid patient/*.rs")          a public client
code = flow.code(around, app, user, patient="p1")             as if the user had consented
flow.exchange(web, app, code)                                 the answer of the token endpoint
"""

import base64
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from flask.testing import FlaskClient
from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey
from sqlalchemy import Connection, delete, update
from werkzeug.test import TestResponse

from auth import ending, tokens
from auth.apps import clients
from auth.apps.clients import Client
from auth.authorizing import authorizations, kept_requests, permissible
from auth.authorizing.authorization_request import AuthorizationRequest, RefusedByRedirect
from auth.jose import dpop
from auth.models import browser_session, user_account, user_patient
from auth.sign_in import sessions, users
from auth.sign_in.sessions import Session, Step
from auth.sign_in.users import Role, User
from auth.surroundings import Surroundings
from ehr.app import create_app
from tests.signing_in import let_act

if TYPE_CHECKING:
    from ehr.record import Record

REDIRECT = "https://app.example.org/back"
VERIFIER = "v" * 43
BROWSER = "a browser"
SCOPE = "openid fhirUser launch/patient patient/*.rs user/*.rs offline_access online_access launch"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class App:
    """A client and what it knows."""

    client: Client
    secret: str | None = None
    keys: Mapping[str, Key] = field(default_factory=dict)  # by kid

    @property
    def id(self) -> str:
        """Return the client_id."""
        return self.client.id


def app(around: Surroundings, *, scope: str = SCOPE, method: str = "none", **more: Any) -> App:
    """Register an application for users."""
    values = {
        "grant_types": ("authorization_code", "refresh_token"),
        "redirect_uris": (REDIRECT,),
        "origins": ("https://app.example.org",),
        **more,
    }
    return _registered(around, "An app", method, scope, values)


def service(around: Surroundings, *, scope: str = "system/*.rs", **more: Any) -> App:
    """Register a backend service with an ES384 key `es` and an RSA key `rs`."""
    keys: dict[str, Key] = {"es": _EC, "rs": _RSA}
    public = [{**key.as_dict(private=False), "kid": kid} for kid, key in keys.items()]
    values = {"grant_types": ("client_credentials",), "jwks": {"keys": public}, **more}
    if "jwks_uri" in values:
        del values["jwks"]
    made = _registered(around, "A system", "private_key_jwt", scope, values)
    return App(made.client, None, keys)


_EC = ECKey.generate_key("P-384")
_RSA = RSAKey.generate_key(2048)


def person(around: Surroundings, kind: str = "professional", *patients: str) -> User:
    """Make a user; professionals have a role, a carer the Consent of the first patient."""
    roles = [Role("gp", "GP at Northside", "northside")] if kind == "professional" else []
    who = f"{users.TYPES[kind]}/{secrets.token_hex(4)}"
    if kind == "carer" and patients:
        let_act(around, who, patients[0])

    def work(connection: Connection) -> User:
        return users.create(
            connection,
            kind=kind,
            login=f"{secrets.token_hex(4)}@example.org",
            name="Ada Nordmann",
            fhir_user=who,
            now=around.clock(),
            roles=roles,
            patients=patients,
        )

    return around.store.write(work)


def session(around: Surroundings, user: User) -> Session:
    """Begin a whole browser session of a user."""
    number = user.roles[0].number if user.roles else None
    step = Step(user.id, ("pwd", "otp", "mfa"), "aal2", complete=True, role_number=number)
    return sessions.begin(around, step)[1]


def asked(around: Surroundings, of: App, **changes: str | None) -> dict[str, str]:
    """Return the parameters of an authorization request; None leaves one out."""
    values: dict[str, str | None] = {
        "response_type": "code",
        "client_id": of.id,
        "redirect_uri": REDIRECT,
        "scope": "openid fhirUser user/*.rs offline_access",
        "state": "a state / of + any & kind",
        "aud": around.base,
        "nonce": "n-1",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def request(around: Surroundings, of: App, **changes: str | None) -> AuthorizationRequest:
    """Send an authorization request, which must be in order, and return what was kept."""
    handle = kept_requests.keep(around, list(asked(around, of, **changes).items()), BROWSER)
    return kept_requests.kept(around, handle, BROWSER)


def refused(around: Surroundings, of: App, **changes: str | None) -> dict[str, str]:
    """Send an authorization request that is refused; return what the client is told."""
    try:
        request(around, of, **changes)
    except RefusedByRedirect as told:
        return answer_in(told.url)
    raise AssertionError("the request was taken")


def answer_in(url: str) -> dict[str, str]:
    """Return the parameters that a browser brings back."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def code(
    around: Surroundings,
    of: App,
    user: User,
    *,
    patient: str | None = None,
    beside: Mapping[str, Any] | None = None,
    **changes: str | None,
) -> str:
    """Let a user consent to all that is asked; return the code."""
    kept = request(around, of, **changes)
    launch = {**(beside or {}), **({"patient": patient} if patient else {})}
    granted = permissible.grantable(kept)
    url = authorizations.approve(around, kept, session(around, user), granted, launch)
    told = answer_in(url)
    assert "code" in told, told
    return told["code"]


def is_active(around: Surroundings, access_token: str) -> bool:
    """Tell whether an access token is in force."""
    with around.store.read() as connection:
        return tokens.find(connection, access_token, now=around.clock()) is not None


def later(record: "Record", milliseconds: int) -> FlaskClient:
    """Give a client of the application some time from now."""
    moved = replace(record, clock=lambda: record.clock() + milliseconds)
    return create_app(moved).test_client()


_PROGRAM = """
import json, sys, threading
from concurrent.futures import ThreadPoolExecutor
from ehr.app import create_app
from ehr.record import open_record
from ehr.settings import load

threads = int(sys.argv[3])
record = open_record(load({"EHR_DATABASE_URL": sys.argv[1]}))
app = create_app(record)
start = threading.Barrier(threads)

def ask(_):
    start.wait()
    return app.test_client().post("/auth/token", data=json.loads(sys.argv[2])).status_code

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(threads) as pool:
    print(json.dumps(list(pool.map(ask, range(threads)))))
record.database.close()
"""


def in_processes(
    database_url: str, form: Mapping[str, str], *, processes: int = 2, threads: int = 1
) -> list[int]:
    """Post a form to the token endpoint from all threads of processes at once; return statuses."""
    command = [sys.executable, "-c", _PROGRAM, database_url, json.dumps(form), str(threads)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    others = [subprocess.Popen(command, text=True, **pipes) for _ in range(processes)]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    for other in others:
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.flush()
    return [status for other in others for status in json.loads(other.communicate()[0])]


def end(around: Surroundings, user: User, how: str) -> None:
    """Let something end that grants of a user stand on."""
    now = around.clock()
    ways: dict[str, Callable[[Connection], Any]] = {
        "disabled": lambda c: c.execute(_account(user, disabled=now)),
        "changed": lambda c: c.execute(_account(user, changed=now + 1)),
        "ended": lambda c: ending.end_all(c, user_id=user.id, why="test", now=now),
        "patient": lambda c: c.execute(
            delete(user_patient).where(user_patient.c.user_id == user.id)
        ),
        "signed out": lambda c: c.execute(
            update(browser_session).where(browser_session.c.user_id == user.id).values(ended=now)
        ),
    }
    around.store.write(ways[how])


def _account(user: User, **values: int) -> Any:
    return update(user_account).where(user_account.c.id == user.id).values(values)


def exchange(
    web: FlaskClient,
    of: App,
    code: str,
    *,
    headers: Mapping[str, str] | None = None,
    **changes: str | None,
) -> TestResponse:
    """Change a code for tokens."""
    values = {"code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER, **changes}
    return token(web, of, "authorization_code", headers=headers, **values)


def refresh(web: FlaskClient, of: App, refresh_token: str, **more: str | None) -> TestResponse:
    """Change a refresh token for new tokens."""
    return token(web, of, "refresh_token", refresh_token=refresh_token, **more)


def token(
    web: FlaskClient,
    of: App,
    grant_type: str,
    *,
    headers: Mapping[str, str] | None = None,
    **form: str | None,
) -> TestResponse:
    """Ask the token endpoint, as the client proves who it is."""
    return post(web, "token", of, headers=headers, grant_type=grant_type, **form)


def post(
    web: FlaskClient,
    endpoint: str,
    of: App,
    *,
    headers: Mapping[str, str] | None = None,
    **form: str | None,
) -> TestResponse:
    """Post a form as a client that proves who it is."""
    values: dict[str, str | None] = {}
    sent = dict(headers or {})
    method = of.client.auth_method
    if method in ("none", "client_secret_post"):
        values["client_id"] = of.id
    if method == "client_secret_post":
        values["client_secret"] = of.secret
    if method == "client_secret_basic":
        sent.setdefault("Authorization", basic(of.id, of.secret or ""))
    if method == "private_key_jwt":
        values |= {"client_assertion_type": ASSERTION, "client_assertion": assertion(of)}
    values.update(form)
    kept = {name: value for name, value in values.items() if value is not None}
    return web.post(f"/auth/{endpoint}", data=kept, headers=sent)


def basic(id: str, secret: str) -> str:
    """Return an Authorization header."""
    return "Basic " + base64.b64encode(f"{id}:{secret}".encode()).decode()


def assertion(
    of: App,
    *,
    header: Mapping[str, Any] | None = None,
    key: Key | None = None,
    audience: Any = "http://127.0.0.1:8000/auth/token",
    **changes: Any,
) -> str:
    """Return a client assertion; a change to None leaves a claim or header out."""
    now = int(time.time())
    head = {"alg": "ES384", "kid": "es", "typ": "JWT", **(header or {})}
    claims = {
        "iss": of.id,
        "sub": of.id,
        "aud": audience,
        "exp": now + 240,
        "iat": now,
        "jti": secrets.token_hex(16),
        **changes,
    }
    signer = key or of.keys[str(head.get("kid"))]
    return signed(_kept(head), _kept(claims), signer)


def proof(
    key: ECKey,
    url: str,
    *,
    method: str = "POST",
    nonce: str | None = None,
    token: str | None = None,
    header: Mapping[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Return a DPoP proof by a P-256 key."""
    hash = base64.urlsafe_b64encode(sha256((token or "").encode()).digest()).rstrip(b"=").decode()
    claims = {
        "htm": method,
        "htu": url,
        "iat": int(time.time()),
        "jti": secrets.token_hex(16),
        "nonce": nonce,
        "ath": hash if token else None,
        **changes,
    }
    head = {
        "alg": "ES256",
        "typ": "dpop+jwt",
        "jwk": key.as_dict(private=False),
        **(header or {}),
    }
    return signed(_kept(head), _kept(claims), key)


def nonce(around: Surroundings) -> str:
    """Return the nonce that proofs of this moment need."""
    return dpop.nonce(around)


def bound(web: FlaskClient, of: App, key: ECKey, code: str) -> TestResponse:
    """Change a code for tokens that are bound to a key, at the second try as the nonce asks."""
    url = "http://127.0.0.1:8000/auth/token"
    first = exchange(web, of, code, headers={"DPoP": proof(key, url)})
    assert first.get_json()["error"] == "use_dpop_nonce", first.text
    given = first.headers["DPoP-Nonce"]
    return exchange(web, of, code, headers={"DPoP": proof(key, url, nonce=given)})


def claims_of(jwt: str) -> dict[str, Any]:
    """Return what a JWT says."""
    middle = jwt.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=="))
    return said


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: Key) -> str:
    """Sign whatever is said, as no library of good manners would."""
    parts = f"{_encoded(json.dumps(header))}.{_encoded(json.dumps(claims))}"
    signature = jws.JWSRegistry.algorithms[header["alg"]].sign(parts.encode(), key)
    return f"{parts}.{_encoded(signature)}"


def _encoded(content: str | bytes) -> str:
    octets = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _registered(
    around: Surroundings, name: str, method: str, scope: str, values: Mapping[str, Any]
) -> App:
    def work(connection: Connection) -> tuple[Client, str | None]:
        return clients.create(
            connection,
            name=name,
            auth_method=method,
            scope=scope,
            now=around.clock(),
            **values,
        )

    return App(*around.store.write(work))
