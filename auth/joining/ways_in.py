"""By which ways a user comes in alone: a password, a passkey, an account elsewhere.

Asked within the transaction that took one away, so that of two at once the second one is refused.
"""

from sqlalchemy import Connection

from auth.joining import identities, upstream
from auth.sign_in import credentials, passkeys
from auth.sign_in.users import User
from auth.surroundings import Surroundings


def is_one_left(surroundings: Surroundings, connection: Connection, user: User) -> bool:
    """Tell whether a user can still sign in."""
    if credentials.stored(connection, user.id) is not None:
        return True
    if passkeys.are_possible(surroundings) and passkeys.of_user(connection, user.id):
        return True
    named = [one for one in upstream.providers(surroundings) if user.kind in one.kinds]
    issuers = {one.issuer for one in named}
    return any(one.issuer in issuers for one in identities.of_user(connection, user.id))
