"""Signing in with a passkey alone: the passkey says whose it is (W3C WebAuthn, discoverable).

Nobody has a session yet, so the challenge travels in the page, sealed, for this browser and for
ten minutes; it counts once. The passkey checks its owner, so that one ceremony is two factors.
"""

import base64
import json

from auth.jose.jwts import use_once
from auth.sign_in import passkeys
from auth.surroundings import Surroundings
from auth.tokens import hash_of

_LIFE = 10 * 60_000
_LONGEST = 4000
_ISSUER = "passkey sign-in"


def begin(surroundings: Surroundings, visit: str) -> tuple[str, str]:
    """Return what a browser is asked for, and what it brings back; both empty without passkeys."""
    if not passkeys.are_possible(surroundings):
        return "", ""
    asked = passkeys.begin_sign_in(surroundings, None)
    until = surroundings.clock() + _LIFE
    said = json.dumps({"asked": dict(asked.kept), "visit": hash_of(visit), "until": until})
    return asked.options, base64.urlsafe_b64encode(surroundings.safe.seal(said.encode())).decode()


def finish(surroundings: Surroundings, visit: str, ticket: str, answer: str) -> str | None:
    """Return the id of the user whose passkey answered what this browser was asked."""
    try:
        said = json.loads(surroundings.safe.unseal(base64.urlsafe_b64decode(ticket[:_LONGEST])))
        is_ours = said["visit"] == hash_of(visit) and said["until"] > surroundings.clock()
        asked, until = said["asked"], int(said["until"])
    except (ValueError, KeyError, TypeError):
        return None
    user_id = passkeys.finish_discovery(surroundings, asked, answer) if is_ours else None
    if user_id is None:
        return None
    is_first = surroundings.store.write(
        lambda connection: use_once(connection, _ISSUER, asked["challenge"], expires=until)
    )
    return user_id if is_first else None
