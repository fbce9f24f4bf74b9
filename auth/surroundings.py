"""What `auth` is given of the world around it: a database, a clock, a safe, people, and an audit.

`auth` never imports the record. Whoever composes the application hands these over; tests hand over
others.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from auth.principal import Principal

T = TypeVar("T")


class Store(Protocol):
    """The database of the tables in `auth.models`."""

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection for reading; every statement sees what is committed."""

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and return what it returns, once that is durable."""


class Safe(Protocol):
    """Keeps what must be read again unreadable in the database."""

    def seal(self, secret: bytes) -> bytes:
        """Return the secret as it may be stored."""

    def unseal(self, sealed: bytes) -> bytes:
        """Return what was sealed. Raises ValueError where it was changed or sealed elsewhere."""

    def signing_key(self, purpose: str) -> bytes:
        """Return 32 bytes for keyed hashes of one purpose, the same in every process."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as a picker or a banner shows one."""

    id: str
    name: str
    birth_date: str = ""
    gender: str = ""
    identifier: str = ""  # NHS or CHI number


@dataclass(frozen=True, slots=True)
class Visit:
    """An Encounter as a picker shows one."""

    id: str
    title: str
    begins: str = ""  # as FHIR writes times


@dataclass(frozen=True, slots=True)
class NewPatient:
    """A patient of whom the record knows nothing yet; `system` says what kind of number it is."""

    given: str
    family: str
    birth_date: str
    system: str
    number: str


class NotWritten(Exception):
    """Why the record did not take something: what the caller may be told."""


class People(Protocol):
    """What the record says of people, as the caller named may see it."""

    def patient(self, caller: Principal, id: str) -> Patient | None:
        """Return one patient; None where there is none, or none that this caller may see."""

    def find_patients(self, caller: Principal, text: str, limit: int = 20) -> Sequence[Patient]:
        """Return patients by national number, or by name and birth date."""

    def register(self, caller: Principal, new: NewPatient) -> tuple[Patient, bool]:
        """Write a patient as this caller; return them, and whether their number was there before.

        Raises NotWritten.
        """

    def encounter_patient(self, caller: Principal, id: str) -> str | None:
        """Return the id of the patient of an Encounter that this caller may see."""

    def visits(self, caller: Principal, patient: str, limit: int = 20) -> Sequence[Visit]:
        """Return the latest visits of a patient, the last one first."""

    def exists(self, reference: str) -> bool:
        """Tell whether `Type/id` is a current resource."""

    def is_deleted(self, reference: str) -> bool:
        """Tell whether `Type/id` was there, and is not any more."""

    def roles_at(self, practitioner: str, organisation: str) -> Sequence[Mapping[str, Any]]:
        """Return the PractitionerRoles of `Practitioner/id` at `Organization/id`, ended or not."""

    def roles_in(self, organisation: str) -> Sequence[Mapping[str, Any]]:
        """Return some hundred PractitionerRoles at `Organization/id`, ended or not."""

    def workplaces(self, practitioner: str, role_id: str, ods_code: str) -> Sequence[str]:
        """Return the ids of the Organizations where `Practitioner/id` works in a role.

        That is the active PractitionerRole with this identifier; where none has it, those at the
        organisation of this ODS code.
        """

    def name(self, reference: str) -> str | None:
        """Return what a person or organisation is called."""

    def resource(self, caller: Principal, reference: str) -> Mapping[str, Any] | None:
        """Return a resource that this caller may read."""

    def brands(self, base: str) -> Sequence[Mapping[str, Any]]:
        """Return the active Endpoints at an address, and the Organizations that name them."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What is audited of signing in, tokens, apps and accounts: `what` is one of HAPPENINGS.

    `by` is who did it, or in whose name it was done. `client` and `token` are ids, `patient` is the
    id of the one in context; `named` says what it was about, or was refused for.
    """

    what: str
    by: Principal | None = None
    client: str | None = None
    token: str | None = None
    patient: str | None = None
    named: str | None = None
    is_refused: bool = False


HAPPENINGS = (
    "sign-in", "sign-out", "sign-in-failed", "token-issued", "token-refreshed", "token-revoked",
    "app-approved", "client-changed", "user-changed",
)  # fmt: skip
# Audits something in the transaction of a connection, or by itself where there is none: it has
# happened, and is safe, when this returns. Raises one of the refusals.
Tell = Callable[[Connection | None, Happening], None]


def _to_nobody(_connection: Connection | None, _happening: Happening) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All of it. `base` is the FHIR base, which is also the issuer; `root` is where pages live.

    No address is ever taken from a request.
    """

    store: Store
    safe: Safe
    people: People
    clock: Callable[[], int]  # milliseconds since 1970
    base: str  # https://record.example.org/fhir
    root: str  # https://record.example.org
    # What the store, or a body that does not arrive, raises where it can't be answered now: each
    # has a text that anybody may read, and may have `status` and `headers`.
    refusals: tuple[type[Exception], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    tell: Tell = _to_nobody

    @property
    def is_https(self) -> bool:
        """Tell whether browsers reach this server only by TLS."""
        return self.root.startswith("https://")
