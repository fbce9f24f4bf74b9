"""Which units are in already, so that a load that was stopped goes on where it stopped.

A file of one line a unit, appended when the unit's transaction is durable. It goes when everything
is in; a later load of the same files then begins anew.
"""

from pathlib import Path
from types import TracebackType


class State:
    """The units that are in, by their keys."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = set(path.read_text("ascii").split()) if path.exists() else set()
        self._file = path.open("a", encoding="ascii")

    def __enter__(self) -> "State":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._done

    def add(self, key: str) -> None:
        """Remember that a unit is in."""
        self._done.add(key)
        self._file.write(f"{key}\n")
        self._file.flush()

    def clear(self) -> None:
        """Forget everything: the load is complete."""
        self._file.close()
        self._path.unlink(missing_ok=True)
