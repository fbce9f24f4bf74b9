"""Whose account an identity of another provider is: known by issuer and subject, never by e-mail.

An identity is linked by its owner while signed in, with an invitation, or, where the provider is as
sure as it can be, by a verified NHS number that exactly one patient of the record has. Of one
provider a user has one. Who took it away is never linked again but by a wish of their own.
"""

import re
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from auth.joining import invitations
from auth.joining.invitations import Invitation
from auth.joining.provider_calls import SignInFailed
from auth.joining.upstream import Verified
from auth.models import identity
from auth.models.inserting import insert_new
from auth.sign_in import standing, users
from auth.sign_in.users import User
from auth.surroundings import Patient, Surroundings

_NHS_NUMBER = re.compile("[0-9]{10}")
_ANOTHER = (
    "You sign in here with another account of the same provider. Use that one, or remove it under "
    "Your account first."
)
_REMOVED = (
    "This way to sign in was removed. Sign in another way, then add it again under Your account."
)
_TAKEN = "This account is linked to somebody else here already."
_CLOSED = "Your account here is closed."
_USED = "The invitation was used, or it took too long. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Identity:
    """An account elsewhere by which a user signs in."""

    issuer: str
    subject: str
    level: str


def of_user(connection: Connection, user_id: str) -> list[Identity]:
    """Return the accounts elsewhere of a user, oldest first."""
    here = identity.c
    rows = connection.execute(
        select(here.issuer, here.subject, here.level)
        .where(here.user_id == user_id, here.unlinked.is_(None))
        .order_by(here.linked)
    )
    return [Identity(*row) for row in rows]


def unlink(
    connection: Connection,
    user_id: str,
    issuer: str | None = None,
    subject: str | None = None,
    *,
    now: int,
) -> int:
    """Let accounts elsewhere of a user, all or those named, sign nobody in any more.

    Returns how many there were.
    """
    named = (identity.c.user_id == user_id) & identity.c.unlinked.is_(None)
    for column, value in ((identity.c.issuer, issuer), (identity.c.subject, subject)):
        named = named if value is None else named & (column == value)
    return connection.execute(update(identity).where(named).values(unlinked=now)).rowcount


def user_of(surroundings: Surroundings, verified: Verified) -> User:
    """Return whose account an identity is, and link it where that is due. Raises SignInFailed.

    Who may not sign in is refused before anything is written: nothing is linked, and no invitation
    is used up.
    """
    now = surroundings.clock()
    with surroundings.store.read() as connection:
        known = _known(connection, verified, now)
    if verified.links is not None:
        found = _linked_by_owner(surroundings, verified, known, verified.links)
    elif verified.invitation is not None:
        found = _invited(surroundings, verified, known, verified.invitation)
    else:
        found = known or _by_nhs_number(surroundings, verified)
    _judge(surroundings, verified, found)
    return found


def _judge(surroundings: Surroundings, verified: Verified, who: User | Invitation) -> None:
    """Refuse whose account is closed, who is of the wrong kind, died, left or was merged."""
    if isinstance(who, User) and who.disabled:
        raise SignInFailed(_CLOSED)
    if who.kind not in verified.provider.kinds:
        raise SignInFailed(f"Nobody of your kind signs in here with {verified.provider.name}.")
    places = [one.organisation for one in who.roles]
    fault = standing.fault_of_all(surroundings, who.persons, places)
    if fault is not None:
        raise SignInFailed(fault)


def _known(connection: Connection, verified: Verified, now: int) -> User | None:
    here = identity.c
    owner = connection.execute(
        select(here.user_id).where(
            here.issuer == verified.provider.issuer,
            here.subject == verified.subject,
            here.unlinked.is_(None),
        )
    ).scalar_one_or_none()
    return None if owner is None else users.find(connection, owner, now)


def _link(connection: Connection, verified: Verified, user_id: str, now: int) -> None:
    users.hold(connection, user_id)  # two that are linked at once wait for each other
    issuer, subject = verified.provider.issuer, verified.subject
    linked = [one.subject for one in of_user(connection, user_id) if one.issuer == issuer]
    if any(one != subject for one in linked):
        raise SignInFailed(_ANOTHER)
    values = {"user_id": user_id, "level": verified.level, "linked": now, "unlinked": None}
    if insert_new(connection, identity, issuer=issuer, subject=subject, **values):
        return
    here = (identity.c.issuer == issuer) & (identity.c.subject == subject)
    free = here & identity.c.unlinked.is_not(None)
    if connection.execute(update(identity).where(free).values(values)).rowcount:
        return
    owner = _known(connection, verified, now)
    if owner is not None and owner.id != user_id:
        raise SignInFailed(_TAKEN)


def _was_removed(connection: Connection, verified: Verified, user_id: str | None) -> bool:
    """Tell whether an account elsewhere, or another of the provider, was taken from a user."""
    here = identity.c
    mine = (here.subject == verified.subject) | (here.user_id == user_id)
    rows = connection.execute(
        select(here.subject).where(
            here.issuer == verified.provider.issuer, here.unlinked.is_not(None), mine
        )
    )
    return rows.first() is not None


def _linked_by_owner(
    surroundings: Surroundings, verified: Verified, known: User | None, owner: str
) -> User:
    now = surroundings.clock()
    if known is not None and known.id != owner:
        raise SignInFailed(_TAKEN)
    with surroundings.store.read() as connection:
        _judge(surroundings, verified, users.needed(connection, owner, now))

    def work(connection: Connection) -> User:
        _link(connection, verified, owner, now)
        return users.needed(connection, owner, now)

    return surroundings.store.write(work)


def _invited(
    surroundings: Surroundings, verified: Verified, known: User | None, code_hash: str
) -> User:
    now = surroundings.clock()
    if known is not None:
        raise SignInFailed(_TAKEN)
    with surroundings.store.read() as connection:
        invited = invitations.find(connection, code_hash, now)
    if invited is None:
        raise SignInFailed(_USED)
    _judge(surroundings, verified, invited)
    login = _new_login(verified)

    def work(connection: Connection) -> User | None:
        user = invitations.accept(connection, invited, now=now, login=login)
        if user is not None:
            _link(connection, verified, user.id, now)
        return user

    user = surroundings.store.write(work)
    if user is None:
        raise SignInFailed(_USED)
    return user


def _new_login(verified: Verified) -> str:
    """Return a sign-in name that nobody has; by the subject two would be one, which case tells."""
    return f"{verified.provider.id} {secrets.token_hex(8)}"


def _by_nhs_number(surroundings: Surroundings, verified: Verified) -> User:
    """Return the patient who has the NHS number that the provider has verified."""
    number = verified.claims.get("nhs_number")
    name = verified.provider.name
    if not verified.is_full or "patient" not in verified.provider.kinds:
        raise SignInFailed(f"You have no account here with {name}. Join with an invitation first.")
    if not isinstance(number, str) or not _NHS_NUMBER.fullmatch(number):
        raise SignInFailed(f"{name} did not tell your NHS number. Join with an invitation first.")
    found = [
        one
        for one in surroundings.people.find_patients(standing.OURSELVES, number, 3)
        if one.identifier == number
    ]
    if len(found) != 1:
        raise SignInFailed("We can't tell which record is yours. Join with an invitation first.")
    born = verified.claims.get("birthdate")
    if not born or born != found[0].birth_date:
        raise SignInFailed("We can't tell which record is yours. Join with an invitation first.")
    # Told to nobody before all that they say of themselves is right.
    fault = standing.fault(surroundings, f"Patient/{found[0].id}")
    if fault is not None:
        raise SignInFailed(fault)
    return surroundings.store.write(
        lambda connection: _patient(connection, verified, found[0], surroundings.clock())
    )


def _patient(connection: Connection, verified: Verified, patient: Patient, now: int) -> User:
    person = f"Patient/{patient.id}"
    accounts = users.of_person(connection, person, now)
    if accounts and accounts[0].disabled:
        raise SignInFailed(_CLOSED)
    if _was_removed(connection, verified, accounts[0].id if accounts else None):
        raise SignInFailed(_REMOVED)
    user = (
        accounts[0]
        if accounts
        else users.create(
            connection,
            kind="patient",
            login=_new_login(verified),
            name=patient.name,
            fhir_user=person,
            now=now,
            patients={patient.id: users.SELF},
        )
    )
    _link(connection, verified, user.id, now)
    return user
