"""Who a signed-in user is for the record on our own pages, outside of any grant."""

from auth import scopes
from auth.principal import Principal
from auth.purposes import OF_KIND
from auth.sign_in.sessions import Session

# What people read there, where no client asks for less.
OWN_READING = scopes.parse("openid fhirUser user/*.rs")


def principal_of(session: Session) -> Principal:
    """Return who a signed-in user is for the record, outside of any grant: reading only."""
    role = session.role
    return Principal(
        id=session.user.fhir_user,
        kind=session.user.kind,
        name=session.user.name,
        organisation=role.organisation if role else None,
        scopes=OWN_READING,
        person=session.user.fhir_user,
        patients=tuple(session.user.patients),
        role=role.role if role else None,
        purpose=OF_KIND[session.user.kind],
    )
