"""Who is calling: the one answer that authentication gives and everything after it asks."""

from dataclasses import dataclass, field

from auth.scopes import Scopes

# A *system* is a client such as a hospital's record, and acts for itself; an *operator* looks after
# this server. The others are people who signed in, and act through a client.
KINDS = ("system", "operator", "professional", "patient", "carer")


@dataclass(frozen=True, slots=True)
class Called:
    """How resources may mean a caller at one moment, in ms since 1970: filled in at the door.

    `names` are as `ehr/access/terms.py` has them, `rids` their rows in the directory, `place` that
    of the organisation, 0 for none. `emergencies` are the keys of the patients whose records this
    person has open in an emergency.
    """

    names: tuple[str, ...]
    rids: tuple[int, ...]
    place: int
    now: int
    emergencies: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request. `id` names who it is as author, and is no secret.

    `scopes` is None for tokens that `ehr token` makes: they have all rights of their kind.
    `patients` are the ids of the patients whose records a patient or carer opens; `patient` is the
    one in context, to whom `patient/` scopes are bound.
    """

    id: str
    kind: str
    name: str
    organisation: str | None = None
    scopes: Scopes | None = None
    person: str | None = None  # fhirUser, as Practitioner/123
    patient: str | None = None
    patients: tuple[str, ...] = ()
    client: str | None = None
    role: str | None = None
    purpose: str | None = None
    token: str = ""  # id of the token in use
    signed_in: int | None = None  # when this person last showed who they are, in ms since 1970
    called: Called | None = field(default=None, compare=False, repr=False)

    def __hash__(self) -> int:
        """Return a hash that costs nothing, for it is asked for several times a request."""
        return hash((self.id, self.token, self.patient))

    def as_called(self, called: Called) -> "Principal":
        """Return the same caller as resources mean them now; a tenth of what `replace` takes."""
        made = object.__new__(Principal)
        for name in _FIELDS:
            object.__setattr__(made, name, getattr(self, name))
        object.__setattr__(made, "called", called)
        return made


_FIELDS = Principal.__slots__
