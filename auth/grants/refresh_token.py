"""A refresh token is changed for new tokens, once (RFC 6749 §6, RFC 9700 §4.14).

Each refresh gives another refresh token; one that comes again has been copied, and ends the whole
grant. What the user may do is looked at anew. With `openid` a new id_token comes as well, of the
same sign-in (OpenID Connect Core §12.2).
"""

from typing import Any

from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
)
from sqlalchemy import Connection, Row, select, update

from auth import ending, scopes
from auth.grants import held as grants_held
from auth.grants import issuing
from auth.grants.asking import Asking
from auth.grants.held import Held
from auth.grants.issuing import Issued
from auth.models import access_grant
from auth.models import refresh_token as table
from auth.scopes import Scopes
from auth.tokens import hash_of

_REFUSED = "The refresh token is unknown, used, expired or revoked, or not of this client or key."


class RefreshTokenGrant(Asking, grants.RefreshTokenGrant):  # type: ignore[misc]  # no types
    """The refresh grant, with rotation."""

    def validate_token_request(self) -> None:
        """Find out who asks, and whether the grant still stands as it was given."""
        self.request.client = self.client_that_may()
        if not self.request.form.get("refresh_token"):
            raise InvalidRequestError("refresh_token is missing.")
        self.read_proof()

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Change the refresh token for new tokens."""
        wanted = self._still_held()
        outcome = self.surroundings.store.write(lambda c: self._exchange(c, wanted))
        if outcome is None:
            raise InvalidGrantError(_REFUSED)
        issued, held = outcome
        # Without the nonce, which was of the first one (OpenID Connect Core §12.2).
        more = issuing.identity(self, held, issued.scopes, held.context.get("sign_in", {}))
        return self.answer(issuing.response(issued, **more))

    def _still_held(self) -> Scopes:
        """Refuse what needs no change: another's token, wider scopes, a patient lost since."""
        now = self.surroundings.clock()
        with self.surroundings.store.read() as connection:
            row = self._row(connection)
            held = row and grants_held.find(connection, row.grant_id, now=now)
        if row is None or not self._is_for(row, now):
            raise InvalidGrantError(_REFUSED)
        if held is None or row.used is not None:
            self._end(row.grant_id, "refresh token reused" if row.used else "no longer allowed")
            raise InvalidGrantError(_REFUSED)
        self.use_proof()
        self.until = grants_held.true_until(self.surroundings, held)
        if self.until <= now:
            self._end(held.id, "no longer allowed")
            raise InvalidGrantError(_REFUSED)
        return self._wanted(held)

    def _wanted(self, held: Held) -> Scopes:
        """Return what is asked of the scopes held; what the client lost since is left out."""
        asked = held.scopes
        if text := self.request.form.get("scope"):
            try:
                asked = scopes.parse(text)
            except ValueError:
                raise InvalidScopeError from None
            if asked.unknown or not held.scopes.covers(asked):
                raise InvalidScopeError("scope asks for more than was granted.")
        left = asked.within(self.request.client.scope)
        if not left:
            raise InvalidScopeError("Nothing is left of what was granted.")
        return left

    def _exchange(self, connection: Connection, wanted: Scopes) -> tuple[Issued, Held] | None:
        now, row = self.surroundings.clock(), self._row(connection)
        if row is None:
            return None
        held = grants_held.find(connection, row.grant_id, now=now)
        taken = connection.execute(
            update(table)
            .where(table.c.token_hash == row.token_hash, table.c.used.is_(None))
            .values(used=now)
        )
        if taken.rowcount != 1 or held is None:
            ending.end(connection, row.grant_id, why="refresh token reused", now=now)
            return None
        issued = issuing.issue(connection, self, held, wanted)
        return None if issued is None else (issued, held)

    def _row(self, connection: Connection) -> Row[Any] | None:
        """Return the refresh token with the client of its grant."""
        return connection.execute(
            select(table, access_grant.c.client_id)
            .join(access_grant, access_grant.c.id == table.c.grant_id)
            .where(table.c.token_hash == hash_of(self.request.form["refresh_token"]))
        ).first()

    def _is_for(self, row: Row[Any], now: int) -> bool:
        return (
            row.client_id == self.request.client.id
            and row.expires > now
            and row.jkt in (None, self.jkt)
        )

    def _end(self, grant_id: str, why: str) -> None:
        now = self.surroundings.clock()
        self.surroundings.store.write(lambda c: ending.end(c, grant_id, why=why, now=now))
