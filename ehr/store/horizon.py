"""The state of the database that a walk over pages began with, and what came later.

A page statement carries `marks()`: the newest stamp, the database's clock and, on PostgreSQL, the
snapshot it read. A later page keeps to rows that were last changed by then (`unchanged_since`):
`last_updated` tells, but for transactions that were under way at that moment, and those are few and
named one by one. So a walk never shows what was created after its first page, nor a row twice.
"""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    FromClause,
    Text,
    and_,
    literal_column,
    null,
    select,
    text,
    type_coerce,
    union_all,
)

from ehr.store.engine import is_postgres
from ehr.store.tables import database_fact, txn
from ehr.store.templates import rows_of

_STAMP = "coalesce((SELECT max(commit_seq) FROM txn), 0)"
_NEWEST = "coalesce((SELECT at FROM txn ORDER BY commit_seq DESC LIMIT 1), 0)"
_SQLITE = f"{_STAMP} || ':' || {_NEWEST}"
_POSTGRES = (
    f"concat({_STAMP}, ':', (extract(epoch FROM clock_timestamp()) * 1000)::bigint, ':', "
    "pg_current_snapshot()::text)"
)
_EPOCH = "(SELECT value FROM database_fact WHERE name = 'epoch')"


@dataclass(frozen=True, slots=True)
class Horizon:
    """Where a walk began: it shows what is of `at` or before, less the `late` transactions."""

    mark: str
    epoch: str
    at: int
    late: tuple[int, ...] = ()


def marks(connection: Connection) -> tuple[ColumnElement[str], ColumnElement[str]]:
    """Return the columns `mark` and `epoch` to read with the first page."""
    mark = literal_column(_POSTGRES if is_postgres(connection) else _SQLITE, Text())
    return mark.label("mark"), literal_column(_EPOCH, Text()).label("epoch")


def recall(connection: Connection, mark: str) -> Horizon:
    """Return the horizon of a mark taken earlier, with the database's epoch as it is now."""
    stamp, at, *snapshot = mark.split(":", 2)
    stamped = [txn.c.commit_seq > int(stamp), txn.c.at <= int(at)]
    parts = [
        select(database_fact.c.value, type_coerce(null(), BigInteger).label("txn_id")).where(
            database_fact.c.name == "epoch"
        ),
        select(type_coerce(null(), Text), txn.c.txn_id).where(*stamped, *_unseen(snapshot)),
    ]
    if snapshot:  # where stamps come later than commits
        open_still = [txn.c.commit_seq.is_(None), txn.c.at <= int(at)]
        parts.append(
            select(type_coerce(null(), Text), txn.c.txn_id).where(*open_still, *_unseen(snapshot))
        )
    found = rows_of(connection, union_all(*parts))
    epoch = next((value for value, _ in found if value is not None), "")
    return Horizon(mark, epoch, int(at), tuple(id for value, id in found if value is None))


def _unseen(snapshot: list[str]) -> list[ColumnElement[bool]]:
    """Return the conditions that a transaction was not visible in a PostgreSQL snapshot."""
    if not snapshot:
        return []
    oldest = int(snapshot[0].partition(":")[0])
    unseen = text("NOT pg_visible_in_snapshot(xid::text::xid8, :snapshot ::pg_snapshot)")
    bound: ColumnElement[bool] = type_coerce(unseen.bindparams(snapshot=snapshot[0]), Boolean)
    return [txn.c.xid >= oldest, bound]


def unchanged_since(row: FromClause, horizon: Horizon) -> ColumnElement[bool]:
    """Return the condition that a row of `resource` is as it was when the walk began."""
    in_time = row.c.last_updated <= horizon.at
    return and_(in_time, row.c.txn_id.not_in(horizon.late)) if horizon.late else in_time
