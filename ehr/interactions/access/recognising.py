"""Who asks, as resources may mean them: looked up once for each request, at the door."""

from functools import partial

from auth.principal import Principal
from auth.tokens import AskInForce
from ehr.access.callers.asking import called, in_force
from ehr.interactions.access.terms import terms_of
from ehr.record import Record


def recognised(record: Record, principal: Principal) -> Principal:
    """Return a caller with the names that relationships go by, at this moment.

    Callers without scopes are left as they are.
    """
    if principal.called is not None or principal.scopes is None:
        return principal
    with record.database.read() as connection:
        known = called(connection, principal, terms_of(record), record.clock())
    return principal.as_called(known)


def asking(record: Record) -> AskInForce:
    """Return what asks whether a token is in force, and at once who its caller is.

    For requests that are whole and so are answered now: what is sent with others takes its time.
    """
    return partial(in_force, partial(terms_of, record), record.clock)
