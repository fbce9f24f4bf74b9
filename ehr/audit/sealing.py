"""The sealer: about once a second what was committed goes into the chain, its head signed.

Every process tries; who comes too late finds the head moved on and leaves it. What waits is named
batch by batch in a table that each transaction adds to, so that none is passed over however long it
was open. What has no seal yet is the window in which a change would not be noticed.
"""

import json
import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ehr.audit import seals
from ehr.audit.chain import BEGINNING, PURPOSE, Range, Seal, Signer, hashed, merged, packed
from ehr.logs import Trouble
from ehr.messages import Instant
from ehr.store.engine import Database

_EVERY = 0.8  # seconds
_RECENT = 700  # milliseconds in which somebody else has done it
_CHECKPOINT_EVERY = 60_000  # milliseconds
_AHEAD = 10_000  # milliseconds that clocks of machines may differ


class Sealer:
    """Seals in a thread of its own; `checkpoint` is a file that heads are noted in."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], Instant],
        checkpoint: Path | None = None,
        *,
        checkpoint_every: int = _CHECKPOINT_EVERY,
    ) -> None:
        self._database, self._clock = database, clock
        self._checkpoint, self._checkpoint_every = checkpoint, checkpoint_every
        self._noted = 0
        self._signer = signer(database)
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to seal."""
        self._thread = threading.Thread(target=self._serve, name="audit-seal", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Seal what waits, note the head, and end."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()
        trouble = _trouble()
        try:
            self.seal_all()
            self._note(is_last=True)
        except Exception as error:  # what is left is sealed by the next process
            trouble.met(error)

    def _serve(self) -> None:
        trouble = _trouble()
        while not self._is_over.wait(_EVERY):
            try:
                if not self._is_recent():
                    self.seal_all()
                self._note()
                trouble.over()
            except Exception as error:
                trouble.met(error)

    def _is_recent(self) -> bool:
        """Tell whether another process has just sealed: to do it twice would only cost."""
        with self._database.read() as connection:
            head = seals.head(connection)
        return head is not None and -_AHEAD < self._clock() - head.at < _RECENT

    def seal_all(self) -> int:
        """Seal all that waits; return how many seals this took."""
        made = 0
        while self.seal_once() is not None:
            made += 1
        return made

    def seal_once(self) -> Seal | None:
        """Make the next seal; None where nothing waits or another process was faster."""
        with self._database.read() as connection:
            head = seals.head(connection)
            batches = seals.pending(connection)
            if not batches:
                return None
            seal = self._made(connection, head, batches)
        put: Callable[[Connection], bool] = partial(seals.put, seal=seal, batches=batches)
        return seal if self._database.write(put) else None

    def _made(self, connection: Connection, head: Seal | None, batches: list[Range]) -> Seal:
        ranges = merged(batches)
        events = seals.events_in(connection, ranges)
        seq = 1 if head is None else head.seq + 1
        previous = BEGINNING if head is None else head.hash
        at, covers = self._clock(), packed(ranges)
        hash = hashed(seq, at, covers, previous, events)
        signature = self._signer.sign(hash)
        return Seal(seq, at, len(events), covers, previous, hash, signature, self._signer.key_id)

    def _note(self, *, is_last: bool = False) -> None:
        """Add the head to the checkpoint file, if it is time."""
        if self._checkpoint is None:
            return
        now = self._clock()
        if not is_last and now - self._noted < self._checkpoint_every:
            return
        with self._database.read() as connection:
            head = seals.head(connection)
        if head is not None:
            note(self._checkpoint, head)
            self._noted = now


def signer(database: Database) -> Signer:
    """Return what signs and verifies by the keys of a database's ring."""
    database.secret(PURPOSE)  # made where there is none
    return Signer(database.secrets(PURPOSE))


def note(path: Path, seal: Seal) -> None:
    """Add a line about a seal to a checkpoint file. Raises OSError."""
    line = {
        "seq": seal.seq,
        "at": seal.at,
        "hash": seal.hash.hex(),
        "signature": seal.signature.hex(),
        "key": seal.key_id,
    }
    data = (json.dumps(line) + "\n").encode()
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _trouble() -> Trouble:
    return Trouble(logging.getLogger("ehr.audit"), "sealing audit events")
