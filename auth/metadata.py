"""What this server tells of itself to clients: made from what is on, so that nothing else is told.

SMART App Launch 2.2 (`smart-configuration`), OpenID Connect Discovery 1.0, RFC 8414. All addresses
are absolute; the issuer is the FHIR base.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

AUTHORIZE, TOKEN, REVOKE = "/auth/authorize", "/auth/token", "/auth/revoke"
INTROSPECT, REGISTER, APPS = "/auth/introspect", "/auth/register", "/auth/apps"
JWKS, LAUNCH, STYLE, BRANDS = "/auth/jwks", "/auth/launch", "/auth/style/v1.json", "/auth/brands"
# Members of metadata that name an address, each told where that address answers.
_ENDPOINTS = {
    "authorization_endpoint": AUTHORIZE,
    "token_endpoint": TOKEN,
    "jwks_uri": JWKS,
    "revocation_endpoint": REVOKE,
    "introspection_endpoint": INTROSPECT,
    "registration_endpoint": REGISTER,
    "userinfo_endpoint": "/auth/userinfo",
    "pushed_authorization_request_endpoint": "/auth/par",
    "end_session_endpoint": "/auth/logout",
}
_OF_SMART = {"management_endpoint": APPS, "user_access_brand_bundle": BRANDS}
# The oauth-uris extension of CapabilityStatement has these names for them.
OAUTH_URIS = {
    "authorize": AUTHORIZE,
    "token": TOKEN,
    "register": REGISTER,
    "manage": APPS,
    "introspect": INTROSPECT,
    "revoke": REVOKE,
}
_CAPABILITIES = {
    AUTHORIZE: (
        "launch-standalone",
        "authorize-post",
        "client-public",
        "client-confidential-symmetric",
        "context-banner",
        "context-standalone-patient",
        "context-standalone-encounter",
        "permission-offline",
        "permission-online",
        "permission-patient",
        "permission-user",
    ),
    LAUNCH: ("launch-ehr", "context-ehr-patient", "context-ehr-encounter"),
    TOKEN: ("client-confidential-asymmetric", "permission-v1", "permission-v2"),
    JWKS: ("sso-openid-connect",),
    STYLE: ("context-style",),
}
_WORDS = {
    JWKS: ("openid", "fhirUser", "profile"),
    AUTHORIZE: ("launch/patient", "launch/encounter", "offline_access", "online_access"),
    LAUNCH: ("launch",),
}
_OF_USERS = ("patient/*.cruds", "user/*.cruds", "patient/*.rs", "user/*.rs")
_OF_SYSTEMS = ("system/*.cruds", "system/*.rs")
_SECRETS = ["client_secret_basic", "client_secret_post"]


@dataclass(frozen=True, slots=True)
class Offered:
    """What is on. `paths` are those that answer; `algorithms` those of clients' assertions."""

    base: str
    root: str
    paths: AbstractSet[str]
    grants: tuple[str, ...]
    algorithms: tuple[str, ...]
    dpop: tuple[str, ...] = ()

    def address(self, path: str) -> str:
        """Return the absolute address of a path."""
        return f"{self.root}{path}"


def smart_configuration(offered: Offered) -> dict[str, Any]:
    """Return `[base]/.well-known/smart-configuration`."""
    told = _common(offered, {**_ENDPOINTS, **_OF_SMART})
    told["capabilities"] = _of_paths(offered, _CAPABILITIES)
    told["token_endpoint_auth_methods_supported"] = _methods(offered)
    if BRANDS in offered.paths:
        told["user_access_brand_identifier"] = brand_identifier(offered.base)
    return told


def authorization_server(offered: Offered) -> dict[str, Any]:
    """Return the metadata of RFC 8414."""
    told = _common(offered, _ENDPOINTS)
    told["token_endpoint_auth_methods_supported"] = [*_methods(offered), "none"]
    for name, path in (("revocation", REVOKE), ("introspection", INTROSPECT)):
        if path in offered.paths:
            prefix = f"{name}_endpoint_auth"
            told[f"{prefix}_methods_supported"] = _methods(offered)
            told[f"{prefix}_signing_alg_values_supported"] = list(offered.algorithms)
    if REVOKE in offered.paths:
        told["revocation_endpoint_auth_methods_supported"].append("none")
    return told


def openid_configuration(offered: Offered) -> dict[str, Any]:
    """Return `[issuer]/.well-known/openid-configuration`."""
    return {
        **authorization_server(offered),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "fhirUser",
            "name",
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
    }  # fmt: skip


def brand_identifier(base: str) -> dict[str, str]:
    """Return what names the brand of this server among others."""
    return {"system": "urn:ietf:rfc:3986", "value": base}


def _common(offered: Offered, endpoints: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {"issuer": offered.base}
    told |= {
        name: offered.address(path) for name, path in endpoints.items() if path in offered.paths
    }
    told |= {
        "grant_types_supported": list(offered.grants),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "token_endpoint_auth_signing_alg_values_supported": list(offered.algorithms),
        "scopes_supported": _scopes(offered),
    }
    if offered.dpop:
        told["dpop_signing_alg_values_supported"] = list(offered.dpop)
    return told


def _methods(offered: Offered) -> list[str]:
    return [*_SECRETS, "private_key_jwt"] if offered.algorithms else list(_SECRETS)


def _scopes(offered: Offered) -> list[str]:
    named = _of_paths(offered, _WORDS)
    if "authorization_code" in offered.grants:
        named += _OF_USERS
    if "client_credentials" in offered.grants:
        named += _OF_SYSTEMS
    return named


def _of_paths(offered: Offered, by_path: dict[str, tuple[str, ...]]) -> list[str]:
    return [one for path, some in by_path.items() if path in offered.paths for one in some]
