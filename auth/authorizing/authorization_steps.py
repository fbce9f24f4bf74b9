"""What is still to be done before a kept authorization request can be answered.

    sign in → (again, where it was too long ago) → choose a patient → a visit → allow → answer

Nothing is remembered between the steps but the request itself, and what was chosen for it on our
pages in this session: each step is judged anew from what is true now. With `prompt=none` a step
that needs the person is an error for the client (OpenID Connect Core §3.1.2.6). Answers nothing
itself, and knows no page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auth.authorizing import approvals, authorizations
from auth.authorizing.authorization_request import AuthorizationRequest, Chosen
from auth.authorizing.own_reading import principal_of
from auth.authorizing.permissible import grantable, launch_context, needs_patient
from auth.scopes import NONE, Scopes
from auth.sign_in.sessions import Session

if TYPE_CHECKING:
    from auth.surroundings import Patient, Surroundings, Visit

# An app that may come back for months is only let in by who has just shown who they are.
FRESH = 15 * 60_000
STYLE = "/auth/style/v1.json"


NO_VISIT = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: sign-in, choose, visit, ask, approve or deny.

    `may` is the most that can be granted; `launch` is what will stand beside the token; `error`
    and `text` are for the client.
    """

    name: str
    may: Scopes = NONE
    launch: Mapping[str, Any] = field(default_factory=dict)
    patient: "Patient | None" = None
    error: str = ""
    text: str = ""


def next_step(
    surroundings: "Surroundings", request: AuthorizationRequest, session: Session | None
) -> Step:
    """Return the next step of a request."""
    step = _next(surroundings, request, session)
    if "none" in request.prompt and (told := _WITHOUT_PERSON.get(step.name)) is not None:
        return Step("deny", error=told[0], text=told[1])
    return step


_WITHOUT_PERSON = {
    "sign-in": ("login_required", "The person must sign in."),
    "choose": ("interaction_required", "The person must choose a patient."),
    "visit": ("interaction_required", "The person must choose a visit."),
    "ask": ("consent_required", "The person must be asked."),
}


def approve(
    surroundings: "Surroundings", request: AuthorizationRequest, session: Session, step: Step
) -> str:
    """Grant what was allowed before; return the address with the code."""
    return authorizations.approve(surroundings, request, session, step.may, step.launch)


def allow(
    surroundings: "Surroundings",
    request: AuthorizationRequest,
    session: Session,
    step: Step,
    granted: Scopes,
) -> str:
    """Grant what the person has just allowed, and remember it; return the address with the code."""
    return authorizations.approve(
        surroundings, request, session, granted, step.launch, remembers=True
    )


def patients_of(surroundings: "Surroundings", session: Session) -> "list[Patient]":
    """Return the patients whom a patient or carer may choose; professionals search for theirs."""
    found = (patient_of(surroundings, session, id) for id in session.user.patients)
    return [patient for patient in found if patient is not None]


def visits_of(surroundings: "Surroundings", session: Session, patient: str) -> "Sequence[Visit]":
    """Return the latest visits of a patient that this user may open."""
    return surroundings.people.visits(principal_of(session.acting_for(patient)), patient)


def patient_of(surroundings: "Surroundings", session: Session, id: str) -> "Patient | None":
    """Return a patient whom this user may open; None for any other id (T11)."""
    caller = principal_of(session.acting_for(id))
    if caller.kind != "professional" and id not in caller.patients:
        return None
    return surroundings.people.patient(caller, id)


def may_choose(
    surroundings: "Surroundings", session: Session, patient: "Patient", visit: str
) -> bool:
    """Tell whether this user may open a visit, and it is one of the patient."""
    return bool(visit) and _visit(surroundings, session, patient, visit) == visit


def _next(
    surroundings: "Surroundings", request: AuthorizationRequest, session: Session | None
) -> Step:
    now = surroundings.clock()
    if session is None or not session.complete or _is_stale(request, session):
        return Step("sign-in")
    launched = launch_context(surroundings, request, session)
    if launched is None:
        text = "launch is unknown, used, too old, or of somebody else. Launch again."
        return Step("deny", error="invalid_request", text=text)
    may = _trusted(request, grantable(request))
    if not may:
        text = "Nothing of what was asked for may be granted."
        return Step("deny", error="invalid_scope", text=text)
    if may.has("offline_access") and now - session.authenticated > FRESH:
        return Step("sign-in")
    needed = "patient" in launched or _needs_patient(may)
    chosen = _chosen(request, session)
    named = launched.get("patient") or chosen.patient
    patient = _patient(surroundings, session, named) if needed else None
    if needed and patient is None:
        return _choice(session, may, is_launched="patient" in launched)
    launch = _beside_the_token(surroundings, launched, patient)
    if patient is not None and may.has("launch/encounter") and "encounter" not in launched:
        visit = _visit(surroundings, session, patient, chosen.visit)
        if visit is None:
            return Step("visit", may, launch, patient)
        launch = {**launch, "encounter": visit} if visit != NO_VISIT else launch
    with surroundings.store.read() as connection:
        known = approvals.covers(connection, request, session.user.id, may, now)
    # Staff chose the patient themselves, no address did (T11); what carers allowed is of one.
    is_sure = patient is None or session.user.is_professional or _is_only(session, launched)
    return Step("approve" if known and is_sure else "ask", may, launch, patient)


def _trusted(request: AuthorizationRequest, may: Scopes) -> Scopes:
    """Leave out what is of everybody (`user/`) for an app that no operator has checked (T7).

    Naming its types one by one would be as much as `user/*`.
    """
    if request.client.verified:
        return may
    left = tuple(one for one in may.resources if one.context != "user")
    return Scopes(left, may.words)


def _is_stale(request: AuthorizationRequest, session: Session) -> bool:
    """Tell whether the person must sign in once more, and did not since the request came."""
    if session.authenticated >= request.kept:
        return False
    age = request.kept - session.authenticated
    too_old = request.max_age is not None and age > request.max_age * 1000
    return too_old or bool({"login", "select_account"} & request.prompt)


def _chosen(request: AuthorizationRequest, session: Session) -> Chosen:
    """Return what was chosen in this session; who signs in anew chooses anew."""
    chosen = request.chosen
    is_theirs = chosen is not None and chosen.session_id == session.id_hash
    return chosen if chosen is not None and is_theirs else Chosen(session.id_hash)


def _patient(surroundings: "Surroundings", session: Session, id: str | None) -> "Patient | None":
    """Return the patient in context: the one named, or the only one that there can be."""
    own = session.user.patients
    if id is None and session.user.kind != "professional" and len(own) == 1:
        id = own[0]
    return None if id is None else patient_of(surroundings, session, id)


def _is_only(session: Session, launched: Mapping[str, Any]) -> bool:
    return "patient" in launched or len(session.user.patients) == 1


def _needs_patient(may: Scopes) -> bool:
    return needs_patient(may) or may.has("launch/encounter")


def _visit(
    surroundings: "Surroundings", session: Session, patient: "Patient", id: str | None
) -> str | None:
    """Return the visit that was chosen, or that there is none; None where one must be chosen."""
    caller = principal_of(session.acting_for(patient.id))
    if id == NO_VISIT or not surroundings.people.visits(caller, patient.id, 1):
        return NO_VISIT
    is_theirs = id and surroundings.people.encounter_patient(caller, id) == patient.id
    return id if is_theirs else None


def _choice(session: Session, may: Scopes, *, is_launched: bool) -> Step:
    if is_launched or (session.user.kind != "professional" and not session.user.patients):
        return Step("deny", error="access_denied", text="This user may not open the patient.")
    return Step("choose", may)


def _beside_the_token(
    surroundings: "Surroundings", launched: Mapping[str, Any], patient: "Patient | None"
) -> Mapping[str, Any]:
    if patient is None:
        return launched
    shown = {"need_patient_banner": True, "smart_style_url": f"{surroundings.root}{STYLE}"}
    return {**shown, **launched, "patient": patient.id}
