"""Who is calling: the one answer that authentication gives and everything after it asks."""

from dataclasses import dataclass

KINDS = ("system", "operator")


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request. `id` names its token as author, and is no secret.

    A *system* is a client such as a hospital's record; an *operator* looks after this server.
    """

    id: str
    kind: str
    name: str
    organisation: str | None = None
