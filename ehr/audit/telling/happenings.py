"""What `auth` tells of signing in, tokens, apps and accounts, as events of the trail."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from auth.surroundings import Happening
from ehr.audit.event import AuditRow
from ehr.audit.kinds import Kind
from ehr.audit.trail import Trail
from ehr.messages import Instant
from ehr.store.engine import Database
from ehr.store.locator import locate

T = TypeVar("T")

KINDS = {
    "sign-in": Kind.SIGN_IN,
    "sign-out": Kind.SIGN_OUT,
    "sign-in-failed": Kind.SIGN_IN_FAILED,
    "token-issued": Kind.TOKEN_ISSUED,
    "token-refreshed": Kind.TOKEN_REFRESHED,
    "token-revoked": Kind.TOKEN_REVOKED,
    "app-approved": Kind.APP_APPROVED,
    "client-changed": Kind.CLIENT_CHANGED,
    "user-changed": Kind.USER_CHANGED,
}


@dataclass(frozen=True, slots=True)
class Audited:
    """The database as `auth` has it, and what `auth` tells the trail of it."""

    database: Database
    trail: Trail
    clock: Callable[[], Instant]

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection for reading."""
        return self.database.read()

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, which may tell of what it does."""
        self.trail.ready()
        return self.database.write(work)

    def tell(self, connection: Connection | None, happening: Happening) -> None:
        """Audit something, in the transaction of a connection if there is one."""
        if connection is not None:
            self.trail.within(connection, [self._row(connection, happening)])
            return
        with self.database.read() as reading:
            row = self._row(reading, happening)
        self.trail.record([row])

    def _row(self, connection: Connection, happening: Happening) -> AuditRow:
        by = happening.by
        client = happening.client or (by.client if by else None)
        return AuditRow(
            at=self.clock(),
            kind=KINDS[happening.what],
            outcome=4 if happening.is_refused else 0,
            patient_key=_key(connection, happening.patient),
            agent=by.id if by else None,
            role=(by.role or by.kind) if by else None,
            organisation=by.organisation if by else None,
            client_id=client,
            token_id=happening.token or (by.token if by else None) or None,
            purpose=by.purpose if by else None,
            named=happening.named,
        )


def _key(connection: Connection, patient: str | None) -> int:
    if patient is None:
        return 0
    name = ("Patient", patient)
    found = locate(connection, [name]).get(name)
    return found.patient_key if found is not None else 0
