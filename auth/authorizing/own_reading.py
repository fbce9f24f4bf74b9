"""Who a signed-in user is for the record on our own pages, outside of any grant."""

from dataclasses import replace

from auth import scopes
from auth.principal import Principal
from auth.purposes import OF_KIND
from auth.sign_in import sessions
from auth.sign_in.sessions import Session

# What people read there, where no client asks for less.
OWN_READING = scopes.parse("openid fhirUser user/*.rs")


def principal_of(session: Session) -> Principal:
    """Return who a signed-in user is for the record, outside of any grant: reading only."""
    return replace(
        sessions.principal_of(session),
        scopes=OWN_READING,
        patients=tuple(session.user.patients),
        purpose=OF_KIND[session.user.kind],
    )
