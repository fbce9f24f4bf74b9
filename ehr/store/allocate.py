"""Numbers for patient keys, rows and transactions, taken from the database in blocks.

A block costs one short transaction, so that a write does not pay a statement for each number.
Numbers are unique on every engine and process; a crash loses the rest of a block: harmless.
"""

import threading
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from ehr.store.engine import Database

_BLOCK = 4096
_TAKE = text(
    "INSERT INTO counter (name, next) VALUES (:name, :size + 1) "
    "ON CONFLICT (name) DO UPDATE SET next = counter.next + :size RETURNING next"
)


class Allocator:
    """Hands out numbers ≥ 1; `reserve` must be called outside any write transaction."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self._blocks: dict[str, list[tuple[int, int]]] = {}
        self._lock = threading.Lock()

    def reserve(self, name: str, count: int) -> range:
        """Return `count` consecutive fresh numbers of a sequence."""
        with self._lock:
            blocks = self._blocks.setdefault(name, [])
            if not blocks or blocks[-1][1] - blocks[-1][0] < count:
                size = max(_BLOCK, count)
                blocks[:] = [self._take(name, size)]
            low, high = blocks[-1]
            blocks[-1] = (low + count, high)
        return range(low, low + count)

    def reserve_alone(self, name: str) -> int:
        """Return one fresh number of a sequence, without a block behind it."""
        return self._take(name, 1)[0]

    def _take(self, name: str, size: int) -> tuple[int, int]:
        def work(connection: Connection) -> int:
            taken: int = connection.execute(_TAKE, {"name": name, "size": size}).scalar_one()
            return taken

        high = self._database.write(work)
        return high - size, high
