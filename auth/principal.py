"""Who is calling: the one answer that authentication gives and everything after it asks."""

from dataclasses import dataclass

from auth.scopes import Scopes

# A *system* is a client such as a hospital's record, and acts for itself; an *operator* looks after
# this server. The others are people who signed in, and act through a client.
KINDS = ("system", "operator", "professional", "patient", "carer")


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

    def __hash__(self) -> int:
        """Return a hash that costs nothing, for it is asked for several times a request."""
        return hash((self.id, self.token, self.patient))
