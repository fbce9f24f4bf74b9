"""The answer to an authorization request: a code for what a user allows, or an error.

SMART App Launch 2.2 §3.0, RFC 6749 §4.1.2, RFC 9207. All that was judged on the way to here is
judged once more.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auth.authorizing import authorization_request as requests
from auth.authorizing import granting, kept_requests
from auth.authorizing.authorization_request import AuthorizationRequest, Fault, RefusedOnPage
from auth.authorizing.own_reading import principal_of
from auth.authorizing.permissible import grantable, launch_context, needs_patient
from auth.scopes import Scopes
from auth.sign_in import standing

if TYPE_CHECKING:
    from auth.sign_in.sessions import Session
    from auth.surroundings import Surroundings


def approve(
    surroundings: "Surroundings",
    request: AuthorizationRequest,
    session: "Session",
    granted: Scopes,
    launch: Mapping[str, Any],
    *,
    remembers: bool = False,
) -> str:
    """Grant what of `granted` may be; return the address with the code, for the browser to go to.

    `launch` is what stands beside the token: patient, encounter, fhirContext … The address tells
    the client of an error where nothing is left to grant, the launch is not this session's, or the
    patient is not one whom this user may open.
    """
    final = granted.within(grantable(request))
    session = session.acting_for(launch.get("patient"))
    fault = _fault(surroundings, request, session, final, launch)
    if fault is not None:
        return deny(surroundings, request, fault.error, fault.description)
    code = granting.grant(surroundings, request, session, final, launch, remembers=remembers)
    if code is None:
        raise RefusedOnPage("This was answered already. Start from the application again.")
    told = {"code": code, "state": request.state, "iss": surroundings.base}
    return requests.with_parameters(request.redirect_uri, told)


def deny(
    surroundings: "Surroundings", request: AuthorizationRequest, error: str, description: str
) -> str:
    """Answer a request with an error; return the address for the browser to go to."""
    now = surroundings.clock()
    surroundings.store.write(
        lambda connection: kept_requests.take(connection, request.handle, now=now)
    )
    fault = Fault(error, description)
    return requests.refusal(surroundings, request.redirect_uri, request.state, fault)


def _fault(
    surroundings: "Surroundings",
    request: AuthorizationRequest,
    session: "Session",
    final: Scopes,
    launch: Mapping[str, Any],
) -> Fault | None:
    if not (final.resources or final.has("openid")):
        return Fault("invalid_scope", "Nothing of what was asked for may be granted.")
    place = session.role.organisation if session.role is not None else None
    if standing.end(surroundings, session.user.fhir_user, place) <= surroundings.clock():
        return Fault("access_denied", "This user has died, left, or was merged into another.")
    launched = launch_context(surroundings, request, session)
    if launched is None:
        return Fault("invalid_request", "launch is unknown, used, or too old. Launch again.")
    patient = launch.get("patient")
    if launched.get("patient", patient) != patient:
        return Fault("invalid_request", "The launch is of another patient.")
    if patient is None:
        needed = needs_patient(final)
        return Fault("access_denied", "No patient was chosen.") if needed else None
    caller = principal_of(session)
    own = caller.kind == "professional" or patient in caller.patients
    if not own or surroundings.people.patient(caller, patient) is None:
        return Fault("access_denied", "This user may not open the patient.")
    return None
