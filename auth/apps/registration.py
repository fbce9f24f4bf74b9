"""What clients that register themselves may say of themselves (RFC 7591, RFC 7592).

Who has a ticket of an operator may register applications for users. Backend services are registered
by operators alone, for nobody consents to what they do. Addresses of logos and pages are kept to be
shown, and never fetched.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from auth import scopes
from auth.apps import client_key_rules, redirects
from auth.apps.clients import APP_SCOPE, Client

_ABOUT = ("client_uri", "logo_uri", "tos_uri", "policy_uri", "contacts", "software_id")
_LISTS = {
    "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "logout_uris",
    "grant_types": "grant_types",
}
_MOST = 20
_LONGEST = 4000


class InvalidMetadata(ValueError):
    """What is wrong with what a client says of itself, for developers."""


class InvalidRedirect(InvalidMetadata):
    """A redirect address that can't be registered."""


def registered(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `clients.create` takes of a client's metadata. Raises InvalidMetadata."""
    method = _text(metadata, "token_endpoint_auth_method") or "client_secret_basic"
    values: dict[str, Any] = {
        "name": _text(metadata, "client_name") or "",
        "auth_method": method,
        "jwks": metadata.get("jwks"),
        "jwks_uri": _text(metadata, "jwks_uri"),
        "launch_uri": _text(metadata, "initiate_login_uri"),
        "dpop": metadata.get("dpop_bound_access_tokens") is True,
        "about": {name: metadata[name] for name in _ABOUT if _is_plain(metadata.get(name))},
        "verified": False,
    }
    for theirs, ours in _LISTS.items():
        if theirs in metadata:
            values[ours] = _texts(metadata, theirs)
    values.setdefault("grant_types", ("authorization_code",))
    values["scope"] = _scope(metadata, values["grant_types"])
    if "client_credentials" in values["grant_types"]:
        raise InvalidMetadata("Backend services are registered by the operator of this server.")
    if metadata.get("response_types", ["code"]) != ["code"]:
        raise InvalidMetadata("response_types must be code alone.")
    if values["jwks"] is not None and (wrong := client_key_rules.fault(values["jwks"])):
        raise InvalidMetadata(f"jwks is refused. {wrong}")
    for uri in values.get("redirect_uris", ()):
        if (fault := redirects.fault_of_return(uri)) is not None:
            raise InvalidRedirect(f"A redirect address {fault}.")
    values["origins"] = _origins(values.get("redirect_uris", ())) if method == "none" else ()
    return values


def told(client: Client) -> dict[str, Any]:
    """Return what is registered of a client, by the names of RFC 7591."""
    metadata: dict[str, Any] = {
        "client_id": client.id,
        "client_id_issued_at": client.created // 1000,
        "client_name": client.name,
        "token_endpoint_auth_method": client.auth_method,
        "grant_types": list(client.grant_types),
        "response_types": ["code"],
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.logout_uris),
        "scope": str(client.scope),
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "initiate_login_uri": client.launch_uri,
        "dpop_bound_access_tokens": client.dpop,
        **client.about,
    }
    return {name: value for name, value in metadata.items() if value is not None}


def _scope(metadata: Mapping[str, Any], grant_types: tuple[str, ...]) -> str:
    """Return what is asked for; where nothing is named, what apps get that ask for one patient."""
    named = _text(metadata, "scope")
    if named is not None:
        return named
    usual = scopes.parse(APP_SCOPE)
    return str(usual if "refresh_token" in grant_types else usual.without("offline_access"))


def _text(metadata: Mapping[str, Any], name: str) -> str | None:
    value = metadata.get(name)
    if value is not None and not (isinstance(value, str) and len(value) <= 5 * _LONGEST):
        raise InvalidMetadata(f"{name} must be a text.")
    return value


def _texts(metadata: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = metadata[name]
    if not _is_plain(value) or isinstance(value, str):
        raise InvalidMetadata(f"{name} must be a list of at most {_MOST} texts.")
    return tuple(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST and all(isinstance(one, str) for one in value)
    return isinstance(value, str) and len(value) <= _LONGEST


def _origins(uris: tuple[str, ...]) -> tuple[str, ...]:
    """Return whose scripts may ask for tokens: those of the sites where the application is."""
    parts = [urlsplit(uri) for uri in uris]
    sites = (f"{one.scheme}://{one.netloc}".lower() for one in parts if "http" in one.scheme[:4])
    return tuple(dict.fromkeys(sites))
