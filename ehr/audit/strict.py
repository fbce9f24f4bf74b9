"""EHR_AUDIT=strict: events are committed before the answer leaves, all that wait in one COMMIT.

Who finds nobody leading leads (`ehr/store/sessions/gathering.py`), so numbers are given out one
transaction after another and have no gaps. Where nobody knows whether a COMMIT was done, the epoch
ends and the next one begins at 1.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from ehr.audit import rows
from ehr.audit.event import AuditRow, Place, Values, numbered
from ehr.audit.failing import AuditFailed
from ehr.store.engine import Database, is_postgres
from ehr.store.sessions.gathering import Gathering

_PATIENCE = 30.0  # seconds that one waits for a leader


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The events of one request; they meet nobody else's."""

    rows: Sequence[AuditRow]

    @property
    def names(self) -> Collection[Hashable]:
        """Return nothing: no two requests write the same event."""
        return ()


class Strict:
    """The events of one process, committed as they come."""

    def __init__(self, database: Database, writer: int) -> None:
        self._database = database
        self._next = Place(writer, 1, 1)
        self._gathering = Gathering(_PATIENCE)
        self._is_sound = True
        with database.read() as connection:
            self._must_ask = is_postgres(connection) and not _is_durable(connection)

    def add(self, added: Sequence[AuditRow]) -> None:
        """Return once these events are durable. Raises AuditFailed."""
        self._gathering.run(_Part(added), self._commit, self._nobody_led)

    def healthy(self) -> bool:
        """Tell whether the last events could be committed."""
        return self._is_sound

    def close(self) -> None:
        """Nothing is left over: what was added is committed."""

    def _commit(self, parts: Sequence[_Part]) -> Sequence[AuditFailed | None]:
        """Commit the events of several requests; whoever leads is alone here."""
        place = self._next
        together = numbered((row for part in parts for row in part.rows), place)
        try:
            self._database.write(lambda connection: self._insert(connection, together))
        except Exception as error:
            self._is_sound = False
            self._next = Place(place.writer, place.epoch + 1, 1)
            return [_failed(error) for _ in parts]
        self._is_sound = True
        self._next = Place(place.writer, place.epoch, place.n + len(together))
        return [None] * len(parts)

    def _insert(self, connection: Connection, added: Sequence[Values]) -> None:
        if self._must_ask:
            connection.execute(text("SET LOCAL synchronous_commit = on"))
        rows.add(connection, added)

    def _nobody_led(self) -> None:
        raise AuditFailed


def _failed(error: Exception) -> AuditFailed:
    failed = AuditFailed()
    failed.__cause__ = error
    return failed


def _is_durable(connection: Connection) -> bool:
    """Tell whether a COMMIT of PostgreSQL waits for the disk, or for more than that."""
    found = connection.execute(text("SHOW synchronous_commit")).scalar_one()
    return str(found) != "off"
