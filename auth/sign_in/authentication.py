"""The steps of signing in, and which comes next: first factor, second factor, role, done.

Policy: professionals show two factors, or a passkey where the operator demands one
(`staff_sign_in`), and set up what they lack; patients and carers show a second factor where they
have one. A passkey, or a sign-in at another provider that counts as two, is both. Who has several
roles chooses one, which is in force for the session.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from auth.sign_in import sessions, staff_sign_in, users
from auth.sign_in.one_time_codes import Factors, factors_of
from auth.sign_in.sessions import Session, Step
from auth.sign_in.staff_sign_in import HARDWARE_KEY, MFA
from auth.sign_in.users import User
from auth.surroundings import Surroundings

# acr where we authenticate ourselves; the last is that of OpenID EAP ACR Values §2.
ONE_FACTOR, TWO_FACTORS, PHISHING_RESISTANT = "sfa", "mfa", "phr"
SECOND_FACTOR, SET_UP, ROLE = "second-factor", "set-up", "role"


def take_step(
    surroundings: Surroundings,
    user: User,
    amr: Iterable[str],
    *,
    before: Session | None = None,
    role_number: int | None = None,
    acr: str | None = None,
    goes_on: bool = False,
    **state: Any,
) -> tuple[str, Session]:
    """Go on from a step that succeeded: return the cookie of a new session, and the session.

    `before` is the session of the step before; what it keeps goes on, but for what is None now.
    With `goes_on` it is what lets the person in, and must not have ended: raises `sessions.Over`.
    """
    is_same = before is not None and before.user.id == user.id
    kept: Mapping[str, Any] = before.state if before is not None and is_same else {}
    shown = tuple(dict.fromkeys(amr))
    with surroundings.store.read() as connection:
        factors = factors_of(connection, user.id)
    if role_number is None and len(user.roles) == 1:
        role_number = user.roles[0].number
    step = Step(
        user_id=user.id,
        amr=shown,
        acr=acr or _acr(shown),
        complete=_missing(surroundings, user, shown, factors, role_number) is None,
        role_number=role_number,
        state={k: v for k, v in {**kept, **state}.items() if v is not None},
        goes_on=goes_on,
    )
    return sessions.begin(surroundings, step, instead_of=before)


def hold(connection: Connection, session: Session, now: int) -> None:
    """Let others who change the user's account wait until this transaction is over.

    Raises `sessions.Over` where the session ended since the request came: what is under way while
    somebody ends all their sessions makes nothing that outlives them (T19).
    """
    users.hold(connection, session.user.id)
    if not sessions.is_open(connection, session.id_hash, now):
        raise sessions.Over


def next_step(surroundings: Surroundings, session: Session) -> str | None:
    """Return what a session still lacks; None where it is complete."""
    if session.complete:
        return None
    with surroundings.store.read() as connection:
        factors = factors_of(connection, session.user.id)
    number = session.role.number if session.role else None
    return _missing(surroundings, session.user, session.amr, factors, number)


def _acr(amr: tuple[str, ...]) -> str:
    if MFA not in amr:
        return ONE_FACTOR
    return PHISHING_RESISTANT if HARDWARE_KEY in amr else TWO_FACTORS


def _missing(
    surroundings: Surroundings,
    user: User,
    amr: tuple[str, ...],
    factors: Factors,
    role_number: int | None,
) -> str | None:
    if staff_sign_in.shows_another(surroundings, user, amr, factors):
        return SECOND_FACTOR
    if not staff_sign_in.is_met(surroundings, user, amr):
        return SET_UP
    if user.is_professional and user.role(role_number) is None:
        return ROLE
    return None
