"""A code is changed for tokens, once (RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §2.1.1).

One UPDATE decides who has the code; whatever is wrong with a request after that ends the grant, for
a code that comes twice, or from somebody else, has been in other hands.
"""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError
from sqlalchemy import Connection, Row, select, update

from auth import ending
from auth.grants import held as grants_held
from auth.grants import issuing
from auth.grants.asking import Asking
from auth.grants.held import Held
from auth.grants.issuing import Issued
from auth.models import authorization_code as table
from auth.tokens import hash_of

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_REFUSED = "The code is unknown, used, expired, or not for this client, address or verifier."


class AuthorizationCodeGrant(Asking, grants.AuthorizationCodeGrant):  # type: ignore[misc]  # no types
    """The code grant, with PKCE by S256 for every client."""

    def validate_token_request(self) -> None:
        """Find out who asks, and whether all that is needed is there."""
        self.request.client = self.client_that_may()
        for name in ("code", "redirect_uri", "code_verifier"):
            if not self.request.form.get(name):
                raise InvalidRequestError(f"{name} is missing.")
        self.read_proof()

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Change the code for tokens."""
        self._refuse_untrue()
        outcome = self.surroundings.store.write(self._exchange)
        if outcome is None:
            raise InvalidGrantError(_REFUSED)
        issued, held, facts = outcome
        more = issuing.identity(self, held, issued.scopes, facts)
        return self.answer(issuing.response(issued, **more))

    def _refuse_untrue(self) -> None:
        """Refuse what the record no longer bears out: a user who left, a patient lost since."""
        now, store = self.surroundings.clock(), self.surroundings.store
        code = table.c.code_hash == hash_of(self.request.form["code"])
        with store.read() as connection:
            grant = connection.execute(select(table.c.grant_id).where(code)).scalar()
            held = None if grant is None else grants_held.find(connection, grant, now=now)
        if held is None:
            return  # the exchange says what is wrong, and ends what is left
        self.use_proof()
        self.until = grants_held.true_until(self.surroundings, held)
        if self.until <= now:
            store.write(lambda c: ending.end(c, held.id, why="no longer allowed", now=now))
            raise InvalidGrantError(_REFUSED)

    def _exchange(self, connection: Connection) -> tuple[Issued, Held, dict[str, Any]] | None:
        """Use the code up and issue tokens; None, with the grant ended, where that may not be."""
        now = self.surroundings.clock()
        hash = hash_of(self.request.form["code"])
        taken = connection.execute(
            update(table).where(table.c.code_hash == hash, table.c.used.is_(None)).values(used=now)
        )
        row = connection.execute(select(table).where(table.c.code_hash == hash)).first()
        if row is None:
            return None
        facts = json.loads(row.request)
        held = grants_held.find(connection, row.grant_id, now=now)
        if taken.rowcount != 1 or held is None or not self._is_for(row, facts, now):
            ending.end(connection, row.grant_id, why="code misused", now=now)
            return None
        issued = issuing.issue(connection, self, held, held.scopes)
        return None if issued is None else (issued, held, facts)

    def _is_for(self, row: Row[Any], facts: dict[str, Any], now: int) -> bool:
        form = self.request.form
        return (
            row.expires > now
            and row.client_id == self.request.client.id
            and row.redirect_uri == form["redirect_uri"]
            and proves(form["code_verifier"], row.challenge)
            and facts.get("dpop_jkt") in (None, self.jkt)
        )


def proves(verifier: str, challenge: str) -> bool:
    """Tell whether a verifier is the one that a challenge was made of (RFC 7636 §4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = sha256(verifier.encode()).digest()
    return hmac.compare_digest(urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)
