"""The switchboard: which grants, endpoints and pages are on, and where.

Paths begin with `/auth`; only what a standard puts elsewhere does not.
"""

from flask import Blueprint

from auth import MOUNT
from auth.apps.client_assertion import ALGORITHMS
from auth.endpoints.asking import open_asking
from auth.endpoints.back_channel import open_back_channel
from auth.endpoints.brands import open_brands
from auth.endpoints.cors import open_to_scripts
from auth.endpoints.discovery import open_discovery
from auth.endpoints.end_session import open_end_session
from auth.endpoints.faults import open_faults
from auth.endpoints.jwks import open_jwks
from auth.endpoints.signing_in import open_signing_in
from auth.endpoints.token_server import GRANTS
from auth.endpoints.userinfo import open_userinfo
from auth.jose import dpop
from auth.pages import open_static
from auth.surroundings import Surroundings


def blueprint(surroundings: Surroundings) -> Blueprint:
    """Return the routes of `auth`."""
    routes = Blueprint("auth", __name__, url_prefix=MOUNT)
    open_faults(routes, surroundings)
    open_static(routes, surroundings)
    open_jwks(routes, surroundings)
    open_userinfo(routes, surroundings)
    open_end_session(routes, surroundings)
    open_brands(routes, surroundings)
    open_to_scripts(routes, surroundings)
    open_discovery(
        routes,
        surroundings,
        grants=[grant.GRANT_TYPE for grant in GRANTS],
        algorithms=ALGORITHMS,
        dpop=dpop.ALGORITHMS,
    )
    open_back_channel(routes, surroundings)
    open_signing_in(routes, surroundings)
    open_asking(routes, surroundings)
    return routes
