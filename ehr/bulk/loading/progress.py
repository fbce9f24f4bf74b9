"""Which units are in already, so that a load that was stopped goes on where it stopped.

A load into the database notes it there, in the transaction of the unit itself. One through a server
keeps a file of one line a unit, appended when the server has answered. Both go when everything is
in; a later load of the same files then begins anew.
"""

from pathlib import Path
from types import TracebackType

from ehr.store import load_marks
from ehr.store.engine import Database

_ALL = frozenset({load_marks.WHOLE})
_NOTHING: frozenset[str] = frozenset()


class NotedInDatabase:
    """The units that are in this database, noted there when they are written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.read() as connection:
            self._known = load_marks.marks(connection)
        self._noted: set[str] = set()
        self._is_complete = False

    def parts(self, unit: str) -> frozenset[str]:
        """Return the parts of a unit that are in."""
        known = self._known.get(unit, _NOTHING)
        if known:
            self._noted.add(unit)
        return known

    def add(self, unit: str) -> None:
        """Remember which notes to take back: the unit's own transaction has made them."""
        self._noted.add(unit)

    def clear(self) -> None:
        """Say that the load is complete: `finish` forgets everything."""
        self._is_complete = True

    def finish(self) -> None:
        """Forget everything where the load is complete, when nothing else is left to do."""
        if self._is_complete:
            units = sorted(self._noted)
            self._database.write(lambda connection: load_marks.forget(connection, units))

    def forget(self) -> None:
        """Begin anew, whatever an earlier load took in."""
        units = sorted(self._known)
        self._database.write(lambda connection: load_marks.forget(connection, units))
        self._known.clear()


class NotedInFile:
    """The units that a server has taken in, by their keys."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = set(path.read_text("ascii").split()) if path.exists() else set()
        self._file = path.open("a", encoding="ascii")

    def __enter__(self) -> "NotedInFile":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if not self._done:  # nothing to go on from
            self._path.unlink(missing_ok=True)

    def parts(self, unit: str) -> frozenset[str]:
        """Return all of a unit that is in, and nothing of another."""
        return _ALL if unit in self._done else _NOTHING

    def add(self, unit: str) -> None:
        """Remember that a unit is in."""
        self._done.add(unit)
        self._file.write(f"{unit}\n")
        self._file.flush()

    def clear(self) -> None:
        """Forget everything: the load is complete."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Begin anew, whatever an earlier load took in."""
        self._done.clear()
        self._file.truncate(0)
