"""What of a request a user may grant: what is asked for and registered for the client.

SMART App Launch 2.2 §3.0. A launch from the workspace is part of it: who launched an app grants
what is of that launch.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auth.authorizing import granular, launches
from auth.authorizing.authorization_request import AuthorizationRequest
from auth.scopes import Scopes

if TYPE_CHECKING:
    from auth.sign_in.sessions import Session
    from auth.surroundings import Surroundings


def grantable(request: AuthorizationRequest) -> Scopes:
    """Return the most that a user may grant on a request, written as it was asked for.

    Scopes of `patient/` are of one patient: where they are granted, one must be in context
    (`needs_patient`).
    """
    wanted = request.scopes.within(request.client.scope)
    resources = tuple(
        one
        for one in wanted.resources
        if one.context in ("patient", "user") and granular.is_supported(one)
    )
    refused: set[str] = set()
    if request.launch is None:
        refused.add("launch")
    if not request.client.check_grant_type("refresh_token"):
        refused |= {"offline_access", "online_access"}
    if "openid" not in wanted.words:
        refused |= {"fhirUser", "profile"}
    return Scopes(resources, wanted.words).without(*refused)


def needs_patient(granted: Scopes) -> bool:
    """Tell whether a patient must be in context."""
    return granted.has("launch/patient") or bool(granted.of("patient"))


def launch_context(
    surroundings: "Surroundings", request: AuthorizationRequest, session: "Session"
) -> Mapping[str, Any] | None:
    """Return the context of the launch that a request belongs to, for who launched it.

    Empty where there was no launch; None where the launch is somebody else's, used or too old.
    """
    if request.launch is None:
        return {}
    with surroundings.store.read() as connection:
        return launches.context(
            connection,
            request.launch,
            client_id=request.client.id,
            user_id=session.user.id,
            session_id=session.id_hash,
            now=surroundings.clock(),
        )
