"""Who may sign in: accounts, the roles they hold, and the patients whose records they open.

A user points at `Practitioner/…`, `Patient/…` or `RelatedPerson/…` by reference text; the record
knows nothing of users. How one proves to be a user is in `credentials`, `passkeys` and `upstream`.
"""

import json
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from auth.models import user_account, user_patient, user_role
from auth.principal import Principal
from auth.roles.known import of_staff
from auth.roles.matrix import narrowings
from auth.scopes import NONE

KINDS = ("professional", "patient", "carer")
# What a user of each kind is in the record.
TYPES = {"professional": "Practitioner", "patient": "Patient", "carer": "RelatedPerson"}
SELF, PROXY = "self", "proxy"
_LONGEST_LOGIN = 200


@dataclass(frozen=True, slots=True)
class Role:
    """One place a professional works in. Who `manages` may invite colleagues there."""

    role: str
    title: str
    organisation: str | None = None
    manages: bool = False
    ends: int | None = None
    number: int = 0

    @property
    def registers(self) -> bool:
        """Tell whether who is in it registers patients: who manages, where the role may."""
        return self.manages and bool(narrowings(of_staff(self.role), "c", "Patient"))


@dataclass(frozen=True, slots=True)
class User:
    """An account. `roles` and `patients` are those in force at the time it was asked for.

    `others` are as whom a carer acts for further patients: a RelatedPerson by the patient's id.
    """

    id: str
    kind: str
    login: str
    name: str
    fhir_user: str
    roles: tuple[Role, ...] = ()
    patients: tuple[str, ...] = ()
    disabled: bool = False
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def persons(self) -> tuple[str, ...]:
        """Return every person of the record who this is."""
        return tuple(dict.fromkeys((self.fhir_user, *self.others.values())))

    def acting_for(self, patient: str | None) -> "User":
        """Return this user as who opens the record of a patient, by id."""
        person = self.others.get(patient or "")
        return self if person is None else replace(self, fhir_user=person)

    @property
    def is_professional(self) -> bool:
        """Tell whether this is staff, of whom a second factor is asked."""
        return self.kind == "professional"

    @property
    def principal(self) -> Principal:
        """Return who this is as author and for the trail, without any right."""
        return Principal(self.fhir_user, self.kind, self.name, scopes=NONE, person=self.fhir_user)

    def role(self, number: int | None) -> Role | None:
        """Return the role of this number, where it is in force."""
        return next((one for one in self.roles if one.number == number), None)


def create(
    connection: Connection,
    *,
    kind: str,
    login: str,
    name: str,
    fhir_user: str,
    now: int,
    roles: Iterable[Role] = (),
    patients: Mapping[str, str] | Iterable[str] = (),
) -> User:
    """Make an account without any way to sign in yet, and return it.

    `patients` are ids, with the relation where it is not the obvious one of the kind. Raises
    ValueError where the login is taken or something does not fit.
    """
    _check(kind, login, fhir_user)
    if find_login(connection, login, now) is not None:
        raise ValueError("This sign-in name is taken. Choose another one.")
    id = str(uuid.uuid4())
    connection.execute(
        insert(user_account).values(
            id=id,
            kind=kind,
            login=folded(login),
            name=name,
            fhir_user=fhir_user,
            created=now,
            changed=now,
            disabled=None,
        )
    )
    set_roles(connection, id, roles)
    relation = SELF if kind == "patient" else PROXY
    named = patients if isinstance(patients, Mapping) else dict.fromkeys(patients, relation)
    for patient, how in named.items():
        open_patient(connection, id, patient, how)
    return needed(connection, id, now)


def folded(login: str) -> str:
    """Return a sign-in name as it is compared: width, case and spaces around it don't matter."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def find(connection: Connection, id: str, now: int) -> User | None:
    """Return a user by id, disabled ones too."""
    return _one(connection, user_account.c.id == id, now)


def find_login(connection: Connection, login: str, now: int) -> User | None:
    """Return a user by sign-in name."""
    return _one(connection, user_account.c.login == folded(login), now)


def needed(connection: Connection, id: str, now: int) -> User:
    """Return a user who must be there."""
    found = find(connection, id, now)
    if found is None:
        raise LookupError(f"There is no user {id}.")
    return found


def of_person(connection: Connection, fhir_user: str, now: int) -> list[User]:
    """Return the users who are this person of the record, for one patient of several too."""
    further = select(user_patient.c.user_id).where(user_patient.c.person == fhir_user)
    is_them = or_(user_account.c.fhir_user == fhir_user, user_account.c.id.in_(further))
    return _some(connection, is_them, now)


def everyone(connection: Connection, now: int) -> list[User]:
    """Return all users by sign-in name."""
    return _some(connection, user_account.c.id.is_not(None), now)


def hold(connection: Connection, id: str) -> None:
    """Let whoever else changes the ways in of a user, or opens a session for them, wait."""
    connection.execute(select(user_account.c.id).where(user_account.c.id == id).with_for_update())


def set_roles(connection: Connection, id: str, roles: Iterable[Role]) -> None:
    """Give a user these roles and no others. What was in use must be ended by the caller."""
    connection.execute(delete(user_role).where(user_role.c.user_id == id))
    for number, role in enumerate(roles, 1):
        values = {**asdict(role), "number": number, "user_id": id}
        connection.execute(insert(user_role).values(values))


def open_patient(
    connection: Connection,
    id: str,
    patient: str,
    relation: str = SELF,
    ends: int | None = None,
    person: str | None = None,
) -> None:
    """Let a user open the record of one patient, as another `person` than the account is or not."""
    close_patient(connection, id, patient)
    connection.execute(
        insert(user_patient).values(
            user_id=id, patient=patient, relation=relation, person=person, begins=None, ends=ends
        )
    )


def close_patient(connection: Connection, id: str, patient: str) -> bool:
    """Take the record of one patient away from a user; tell whether they could open it."""
    here = (user_patient.c.user_id == id) & (user_patient.c.patient == patient)
    return connection.execute(delete(user_patient).where(here)).rowcount > 0


def set_disabled(connection: Connection, id: str, *, disabled: bool, now: int) -> bool:
    """Shut a user out or let them in again; tell whether that was a change."""
    other = user_account.c.disabled.is_(None) if disabled else user_account.c.disabled.is_not(None)
    values = {"disabled": now if disabled else None, "changed": now}
    done = connection.execute(
        update(user_account).where(user_account.c.id == id, other).values(values)
    )
    return done.rowcount > 0


def mark_changed(connection: Connection, id: str, now: int) -> None:
    """Note when a password, role or factor was changed."""
    connection.execute(update(user_account).where(user_account.c.id == id).values(changed=now))


def roles_as_json(roles: Iterable[Role]) -> str:
    """Return roles as an invitation keeps them."""
    return json.dumps([asdict(role) for role in roles])


def roles_from_json(text: str) -> tuple[Role, ...]:
    """Return the roles that an invitation keeps."""
    return tuple(Role(**each) for each in json.loads(text))


def _check(kind: str, login: str, fhir_user: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of user. Choose from {', '.join(KINDS)}.")
    plain = folded(login)
    if not plain or len(plain) > _LONGEST_LOGIN or not plain.isprintable():
        raise ValueError(f"A sign-in name has 1 to {_LONGEST_LOGIN} printable characters.")
    if not fhir_user.startswith(f"{TYPES[kind]}/"):
        raise ValueError(f"A {kind} is a {TYPES[kind]} of the record, as in {TYPES[kind]}/123.")


def _one(connection: Connection, condition: ColumnElement[bool], now: int) -> User | None:
    found = _some(connection, condition, now)
    return found[0] if found else None


def _some(connection: Connection, condition: ColumnElement[bool], now: int) -> list[User]:
    rows: Sequence[Any] = connection.execute(
        select(user_account).where(condition).order_by(user_account.c.login)
    ).all()
    return [_user(connection, row, now) for row in rows]


def _user(connection: Connection, row: Any, now: int) -> User:
    opened = _patients(connection, row.id, now)
    return User(
        row.id,
        row.kind,
        row.login,
        row.name,
        row.fhir_user,
        _roles(connection, row.id, now),
        tuple(opened),
        row.disabled is not None,
        {patient: person for patient, person in opened.items() if person is not None},
    )


def _roles(connection: Connection, id: str, now: int) -> tuple[Role, ...]:
    held = user_role.c
    rows = connection.execute(
        select(held.role, held.title, held.organisation, held.manages, held.ends, held.number)
        .where(held.user_id == id, or_(held.ends.is_(None), held.ends > now))
        .order_by(held.number)
    )
    return tuple(Role(*row) for row in rows)


def _patients(connection: Connection, id: str, now: int) -> dict[str, str | None]:
    opened = user_patient.c
    rows = connection.execute(
        select(opened.patient, opened.person)
        .where(
            opened.user_id == id,
            or_(opened.begins.is_(None), opened.begins <= now),
            or_(opened.ends.is_(None), opened.ends > now),
        )
        .order_by(opened.relation.desc(), opened.patient)
    )
    return {row.patient: row.person for row in rows}
