"""What may be registered of a client, by an operator or by the client itself (RFC 7591 §2)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from auth import scopes
from auth.apps import client_key_rules, redirects, shown_texts
from auth.purposes import OF_SERVICES

AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post", "private_key_jwt")
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
ORGANISATION = re.compile(r"[A-Za-z0-9.-]{1,64}")  # the id, as of every resource
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?|http://\[::1\](?::[0-9]{1,5})?")


def check(values: Mapping[str, Any]) -> None:
    """Raise ValueError, in words for who registers it, where a client can't be as it is said."""
    method, grants = values["auth_method"], tuple(values["grant_types"])
    if not ID.fullmatch(values["id"]):
        raise ValueError("A client's id has 1 to 128 letters, digits, dots, dashes, underlines.")
    if (wrong := shown_texts.fault_of_name(values["name"])) is not None:
        raise ValueError(f"The name of a client {wrong}.")
    if method not in AUTH_METHODS:
        raise ValueError(f"The way to prove who it is must be one of {', '.join(AUTH_METHODS)}.")
    if not grants or not set(grants) <= set(GRANT_TYPES):
        raise ValueError(f"Grant types are {', '.join(GRANT_TYPES)}; name one or more.")
    if "client_credentials" in grants and method != "private_key_jwt":
        raise ValueError("Backend services (client_credentials) need private_key_jwt.")
    _check_purpose(values.get("purpose"), grants)
    _check_maker(values)
    _check_keys(values, method)
    _check_addresses(values, grants)
    _check_scope(values["scope"], grants)


def _check_purpose(purpose: str | None, grants: Sequence[str]) -> None:
    if purpose is None:
        return
    if "client_credentials" not in grants:
        raise ValueError("Purposes of use are named for backend services; users have their own.")
    if purpose not in OF_SERVICES:
        raise ValueError(f"The purpose of use is one of {', '.join(OF_SERVICES)}.")


def _check_maker(values: Mapping[str, Any]) -> None:
    organisation, publisher = values.get("organisation"), values.get("publisher")
    if organisation is not None and not ORGANISATION.fullmatch(organisation):
        raise ValueError("Name an organisation by its id in the record: northside-practice.")
    wrong = None if publisher is None else shown_texts.fault_of_name(publisher)
    if wrong is not None:
        raise ValueError(f"The name of who made the app {wrong}.")


def _check_keys(values: Mapping[str, Any], method: str) -> None:
    jwks, uri = values.get("jwks"), values.get("jwks_uri")
    if (method == "private_key_jwt") != bool(jwks or uri) or (jwks and uri):
        raise ValueError("A client has keys (jwks or jwks_uri, one of them) with private_key_jwt.")
    if jwks is not None and (wrong := client_key_rules.fault(jwks)) is not None:
        raise ValueError(wrong)


def _check_addresses(values: Mapping[str, Any], grants: Sequence[str]) -> None:
    if ("authorization_code" in grants) != bool(values["redirect_uris"]):
        raise ValueError("Redirect addresses belong to authorization_code: name one or more.")
    for uri in (*values["redirect_uris"], *values["logout_uris"]):
        if (fault := redirects.fault_of_return(uri)) is not None:
            raise ValueError(f"The redirect address {uri[:200]!r} {fault}.")
    pages = [values.get("launch_uri"), values.get("jwks_uri"), *_links(values["about"])]
    for uri in filter(None, pages):
        if not uri.startswith(("https://", "http://")) or redirects.fault(uri) is not None:
            raise ValueError(f"{uri[:200]!r} must be an https address.")
    for origin in values["origins"]:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin[:200]!r} is no origin: https://app.example.org")


def _links(about: Mapping[str, Any]) -> list[str]:
    return [str(value) for name, value in about.items() if name.endswith("_uri")]


def _check_scope(text: str, grants: Sequence[str]) -> None:
    asked = scopes.parse(text)
    if not asked or asked.unknown:
        unread = f": {' '.join(asked.unknown)[:200]}" if asked.unknown else ""
        raise ValueError(f"Name the scopes it may ask for, as SMART writes them{unread}.")
    if asked.of("system") and "client_credentials" not in grants:
        raise ValueError("Scopes system/… belong to backend services (client_credentials).")
