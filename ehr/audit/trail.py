"""The audit trail of one process: what happened is safe when `record` returns, or it raises.

One trail for each process, opened after a server has forked its workers. Events of a write go by
`within` into the write's own transaction, all others by `record`. Inside a transaction that is
under way `record` can't be called: what an entry of it read goes by `within` as well.
"""

import hmac
import itertools
import threading
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from ehr.audit import rows
from ehr.audit.event import AuditRow, Place, numbered
from ehr.audit.failing import AuditFailed
from ehr.audit.journal.journal import Journal
from ehr.audit.sealing import Sealer
from ehr.audit.strict import Strict
from ehr.messages import Instant
from ehr.settings import Settings
from ehr.store.engine import Database

WRITERS = "audit_writer"  # of the numbers that writers have


class Recorder(Protocol):
    """What makes events safe: `strict.py` or `journal/`."""

    def add(self, added: Sequence[AuditRow]) -> None:
        """Return once these events are safe. Raises AuditFailed."""

    def healthy(self) -> bool:
        """Tell whether events can be made safe."""

    def close(self) -> None:
        """End; nothing is lost."""


class Trail:
    """Records events; `is_sealed` False leaves the chain to other processes."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], Instant],
        *,
        is_sealed: bool = True,
    ) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._is_sealed = is_sealed
        self._starting = threading.Lock()
        self._recorder: Recorder | None = None
        self._sealer: Sealer | None = None
        self._is_closed = False
        self._writer = 0
        self._transactions = itertools.count(1)

    def start(self) -> None:
        """Replay what processes left that were killed, then be ready; done once.

        Raises what the database raises, and OSError where the journal's folder can't be used.
        """
        with self._starting:
            if self._is_closed:
                raise AuditFailed
            if self._recorder is not None:
                return
            self._writer = self._database.allocator.reserve_alone(WRITERS)
            recorder = self._opened()
            checkpoint = self._settings.audit_checkpoint
            if self._is_sealed:
                path = Path(checkpoint) if checkpoint else None
                self._sealer = Sealer(self._database, self._clock, path)
                self._sealer.start()
            self._recorder = recorder

    def _opened(self) -> Recorder:
        if self._settings.audit == "strict":
            return Strict(self._database, self._writer)
        folder = Path(self._settings.audit_folder)
        return Journal(self._database, self._writer, folder, identity(self._database))

    def record(self, added: Sequence[AuditRow]) -> None:
        """Return once these events of one request are safe. Raises AuditFailed."""
        if not added:
            return
        self.ready()
        if self._is_closed or self._recorder is None:
            raise AuditFailed
        self._recorder.add(added)

    def ready(self) -> None:
        """Start, if that is still to be done. Raises AuditFailed."""
        if self._recorder is not None:
            return
        try:
            self.start()
        except AuditFailed:
            raise
        except Exception as error:
            raise AuditFailed from error

    def within(self, connection: Connection, added: Sequence[AuditRow]) -> None:
        """Add events in a write's own transaction: they are there if and only if the write is.

        The trail must have been started. Each call is an epoch of its own, since a transaction
        that is taken back would leave a gap in numbers that others share.
        """
        if added:
            place = Place(-self._writer, next(self._transactions), 1)
            rows.add(connection, numbered(added, place))

    def add_one(self, connection: Connection, row: AuditRow) -> Place:
        """Add an event as `within` does, and return where it lies."""
        place = Place(-self._writer, next(self._transactions), 1)
        rows.add(connection, numbered([row], place))
        return place

    def healthy(self) -> bool:
        """Tell whether events can be made safe at the moment: a server that can't is not ready."""
        return self._recorder is None or self._recorder.healthy()

    def close(self) -> None:
        """Move and seal what waits, and end the threads; nothing is recorded from now on."""
        with self._starting:
            if self._is_closed:
                return
            self._is_closed = True
        if self._recorder is not None:
            self._recorder.close()
        if self._sealer is not None:
            self._sealer.close()


def identity(database: Database) -> bytes:
    """Return 16 bytes that stand for a database, wherever it is moved or restored to."""
    return hmac.digest(database.secret("hash"), b"audit journal", sha256)[:16]
