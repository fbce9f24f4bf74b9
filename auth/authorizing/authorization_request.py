"""Authorization requests: what one is, what is asked of it, and how a client is told of a fault.

RFC 6749 §4.1.1, SMART App Launch 2.2 §2.0.9, RFC 7636, RFC 9700 §2.1. Where client and redirect
address are in order, a fault is told to the client; else only to the person, on a page.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqlalchemy import Connection

from auth import scopes
from auth.apps.clients import Client
from auth.authorizing import launches
from auth.scopes import Scopes

if TYPE_CHECKING:
    from auth.surroundings import Surroundings

_UNSAID = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")  # of an error_description
_SHOWN = 100
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LIMITS = {"state": 2048, "nonce": 512, "login_hint": 256, "launch": 256, "prompt": 128}
_PROMPTS = {"none", "login", "consent", "select_account"}


class RefusedOnPage(Exception):
    """A request that no browser may be redirected for: the text is for the person in front."""


class RefusedByRedirect(Exception):
    """A request whose fault the client is told: `url` is where the browser goes."""

    def __init__(self, url: str) -> None:
        super().__init__("The client is told.")
        self.url = url


class Fault(Exception):
    """What is wrong with a request, as an OAuth error code and a text for developers."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


@dataclass(frozen=True, slots=True)
class Chosen:
    """The patient and the visit that somebody chose on our pages, in one session."""

    session_id: str
    patient: str | None = None
    visit: str | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One request in order. `launch` is the id of a launch from the workspace, or None.

    `kept` is when it came: who signed in since did so for it. `chosen` is what was chosen for it.
    """

    client: Client
    redirect_uri: str
    scopes: Scopes
    state: str
    nonce: str | None
    challenge: str
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str | None
    launch: str | None
    audience: str
    dpop_jkt: str | None
    handle: str = ""
    kept: int = 0
    chosen: Chosen | None = None


def refusal(
    surroundings: "Surroundings", redirect_uri: str, state: str | None, fault: Fault
) -> str:
    """Return the address that tells a client of a fault (RFC 6749 §4.1.2.1, RFC 9207)."""
    told = {"error": fault.error, "error_description": fault.description}
    if state:
        told["state"] = state
    return with_parameters(redirect_uri, {**told, "iss": surroundings.base})


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """Return an address with these parameters behind those that it has."""
    between = "&" if "?" in uri else "?"
    return f"{uri}{between}{urlencode(parameters)}"


def check(
    surroundings: "Surroundings", connection: Connection, client: Client, asked: Mapping[str, str]
) -> None:
    """Raise the Fault of a request whose client and redirect address are in order."""
    if "request" in asked:
        raise Fault("request_not_supported", "Send parameters, no request object.")
    if asked.get("response_type") != "code":
        wrong = "unsupported_response_type" if asked.get("response_type") else "invalid_request"
        raise Fault(wrong, "response_type must be code.")
    if not client.check_response_type("code"):
        raise Fault("unauthorized_client", "This client is registered without a code grant.")
    if asked.get("response_mode", "query") != "query":
        raise Fault("invalid_request", "response_mode must be query.")
    for name, most in _LIMITS.items():
        if len(asked.get(name, "")) > most:
            raise Fault("invalid_request", f"{name} is longer than {most} characters.")
    if not asked.get("state"):
        raise Fault("invalid_request", "state is missing: 122 bits or more of chance.")
    _check_audience(surroundings.base, asked)
    _check_challenge(asked)
    _check_prompt(asked)
    _check_scope(client, asked)
    launch = asked.get("launch")
    if launch is not None and not launches.is_open(
        connection, launch, client_id=client.id, now=surroundings.clock()
    ):
        raise Fault("invalid_request", "launch is unknown, used, or too old. Launch again.")


def read(
    client: Client, asked: Mapping[str, Any], handle: str, kept: int, chosen: Chosen | None
) -> AuthorizationRequest:
    """Return a request of parameters that were checked."""
    return AuthorizationRequest(
        client=client,
        redirect_uri=asked["redirect_uri"],
        scopes=scopes.parse(asked["scope"]),
        state=asked["state"],
        nonce=asked.get("nonce"),
        challenge=asked["code_challenge"],
        prompt=frozenset(asked.get("prompt", "").split()),
        max_age=int(asked["max_age"]) if "max_age" in asked else None,
        login_hint=asked.get("login_hint"),
        launch=asked.get("launch"),
        audience=asked.get("aud") or asked["resource"],
        dpop_jkt=asked.get("dpop_jkt"),
        handle=handle,
        kept=kept,
        chosen=chosen,
    )


def _check_audience(base: str, asked: Mapping[str, str]) -> None:
    named = [asked[name] for name in ("aud", "resource") if name in asked]
    if not named or any(one.removesuffix("/") != base for one in named):
        raise Fault("invalid_request", "aud must be the FHIR base of this server.")


def _check_challenge(asked: Mapping[str, str]) -> None:
    if not asked.get("code_challenge"):
        raise Fault("invalid_request", "code_challenge is missing: PKCE with S256 is required.")
    if asked.get("code_challenge_method") != "S256":
        raise Fault("invalid_request", "code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        raise Fault("invalid_request", "code_challenge must be 43 characters of base64url.")
    if not _CHALLENGE.fullmatch(asked.get("dpop_jkt", "x" * 43)):
        raise Fault("invalid_request", "dpop_jkt must be a SHA-256 thumbprint in base64url.")


def _check_prompt(asked: Mapping[str, str]) -> None:
    prompts = set(asked.get("prompt", "").split())
    if not prompts <= _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise Fault("invalid_request", "prompt is none, or of login, consent, select_account.")
    if not re.fullmatch("[0-9]{1,9}", asked.get("max_age", "0")):
        raise Fault("invalid_request", "max_age must be a number of seconds.")


def _check_scope(client: Client, asked: Mapping[str, str]) -> None:
    if not asked.get("scope", "").strip(" "):
        raise Fault("invalid_scope", "scope is missing.")
    try:
        wanted = scopes.parse(asked["scope"])
    except ValueError:
        raise Fault("invalid_scope", "scope is longer than this server reads.") from None
    if not wanted.within(client.scope):
        first = _UNSAID.sub("?", asked["scope"].strip(" ").split(" ")[0][:_SHOWN])
        text = f"scope names nothing that this client may ask for; the first of it is {first}"
        raise Fault("invalid_scope", text)
