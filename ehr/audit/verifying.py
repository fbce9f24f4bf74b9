"""Does the audit trail still stand? Seals, their rows, numbers of each writer, checkpoints.

All of one committed state: the chain is walked from its beginning, each seal is made again from
its rows and compared, and what neither a seal nor a batch names is told.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ehr.audit import seals
from ehr.audit.chain import BEGINNING, Range, Seal, Signer, hashed, unpacked
from ehr.audit.event import Values
from ehr.audit.sealing import signer
from ehr.store.engine import Database
from ehr.store.scan import snapshot

_AT_ONCE = 50  # seals
_KEPT = 1_000  # faults that are told one by one
_NAMED = 3  # rows of a seal that are named

Advance = Callable[[int, int], None]  # seals done, rows done


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and with which seal if it is one of them."""

    text: str
    seq: int | None = None


@dataclass(slots=True)
class Report:
    """What was read and found. `unsealed` rows wait for the next seal."""

    seals: int = 0
    rows: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    faults: list[Fault] = field(default_factory=list)
    count: int = 0  # of faults, those beyond what is kept included

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.count

    @property
    def first_broken(self) -> int | None:
        """Return the number of the first seal that is wrong."""
        return min((one.seq for one in self.faults if one.seq is not None), default=None)

    def add(self, text: str, seq: int | None = None) -> None:
        """Note a fault."""
        self.count += 1
        if len(self.faults) < _KEPT:
            self.faults.append(Fault(text, seq))


@dataclass(frozen=True, slots=True)
class Noted:
    """A line of a checkpoint file."""

    number: int
    seq: int
    hash: bytes


def size(database: Database) -> int:
    """Return how many seals there are to verify."""
    with database.read() as connection:
        head = seals.head(connection)
    return head.seq if head else 0


def verify(database: Database, checkpoint: Path | None, advance: Advance) -> Report:
    """Verify all. Raises OSError where the checkpoint file can't be read."""
    by = signer(database)
    report = Report()
    noted = list(_noted(checkpoint, by, report)) if checkpoint else []
    report.checkpoints = len(noted)
    with snapshot(database) as connection:
        walk = _Walk(connection, by, report, noted)
        walk.chain(advance)
        walk.rest()
    return report


def _noted(path: Path, by: Signer, report: Report) -> Iterator[Noted]:
    """Yield the lines of a checkpoint file that are signed by a key of this database."""
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        try:
            said = json.loads(line)
            one = Noted(number, int(said["seq"]), bytes.fromhex(said["hash"]))
            signature, key_id = bytes.fromhex(said["signature"]), str(said["key"])
        except (ValueError, KeyError, TypeError):
            report.add(f"Line {number} of the checkpoint file can't be read.")
            continue
        if by.is_signed(one.hash, signature, key_id):
            yield one
        else:
            report.add(f"Line {number} of the checkpoint file is not signed by this record.")


class _Walk:
    """The way through one committed state."""

    def __init__(
        self, connection: Connection, by: Signer, report: Report, noted: Sequence[Noted]
    ) -> None:
        self._connection, self._by, self._report = connection, by, report
        self._noted: dict[int, list[Noted]] = {}
        for one in noted:
            self._noted.setdefault(one.seq, []).append(one)
        self._seq, self._hash = 0, BEGINNING
        self._last: dict[tuple[int, int], int] = {}  # number, by writer and epoch

    def chain(self, advance: Advance) -> None:
        """Verify each seal in its order, then what a checkpoint notes beyond the last."""
        while found := seals.after(self._connection, self._seq, _AT_ONCE):
            for seal in found:
                before = self._report.rows
                self._one(seal)
                advance(1, self._report.rows - before)
        beyond = [one for one in sorted(self._noted) if one > self._seq]
        if beyond:
            self._report.add(
                f"The checkpoint file notes seal {beyond[-1]}, and the last one here is "
                f"{self._seq}: seals were removed from the end, or an older copy was restored.",
                self._seq + 1,
            )

    def _one(self, seal: Seal) -> None:
        add = partial(self._report.add, seq=seal.seq)
        if seal.seq != self._seq + 1:
            add(f"Before seal {seal.seq}, {_numbers(self._seq + 1, seal.seq - 1)} missing.")
        elif seal.previous != self._hash:
            add(f"Seal {seal.seq} does not follow from the one before it.")
        if not self._by.is_signed(seal.hash, seal.signature, seal.key_id):
            add(f"Seal {seal.seq} is not signed by this record.")
        for one in self._noted.get(seal.seq, ()):
            if one.hash != seal.hash:
                add(f"Seal {seal.seq} is another than line {one.number} of the checkpoint file.")
        self._content(seal, add)
        self._seq, self._hash = seal.seq, seal.hash
        self._report.seals += 1

    def _content(self, seal: Seal, add: Callable[[str], None]) -> None:
        try:
            ranges = list(unpacked(seal.covers))
        except ValueError:
            add(f"What seal {seal.seq} covers can't be read.")
            return
        events = seals.events_in(self._connection, ranges)
        self._report.rows += len(events)
        missing = _missing(ranges, events)
        if missing:
            was = " It was so when they were sealed." if seal.size == len(events) else ""
            add(f"Of the rows of seal {seal.seq} {_places(missing)}.{was}")
        expected = hashed(seal.seq, seal.at, seal.covers, seal.previous, events)
        is_told = bool(missing) and seal.size != len(events)
        if expected != seal.hash and not is_told:
            add(f"Rows of seal {seal.seq} were changed, or the seal itself was.")
        elif expected == seal.hash and seal.size != len(events):
            add(f"Seal {seal.seq} has {len(events)} rows, and says that they are {seal.size}.")
        self._numbers(ranges, add)

    def _numbers(self, ranges: Sequence[Range], add: Callable[[str], None]) -> None:
        """Look for gaps in the numbers of each writer."""
        for one in ranges:
            # An epoch below 0 is one transaction: nothing comes of it later.
            last = self._last.get((one.writer, one.epoch), 0) if one.writer > 0 else 0
            if one.first > last + 1:
                gap = _numbers(last + 1, one.first - 1)
                add(f"Writer {one.writer}, epoch {one.epoch}: {gap} missing.")
            elif one.first <= last:
                add(f"Writer {one.writer}, epoch {one.epoch}: {one.first} was sealed before.")
            if one.writer > 0:
                self._last[one.writer, one.epoch] = max(last, one.last)

    def rest(self) -> None:
        """Verify what waits for a seal, and that there is nothing else."""
        for batches in seals.all_pending(self._connection):
            self._report.unsealed += sum(one.size for one in batches)
            self._numbers(batches, self._report.add)
        named = self._report.rows + self._report.unsealed
        there = seals.count_rows(self._connection)
        if there > named:
            self._report.add(f"{there - named} rows are in no seal and wait for none.")
        elif there < named:
            self._report.add(f"{named - there} rows that wait for a seal are missing.")


def _missing(ranges: Sequence[Range], events: Sequence[Values]) -> list[str]:
    if sum(one.size for one in ranges) == len(events):
        return []
    there = {event[:3] for event in events}
    return [
        f"{one.writer}/{one.epoch}/{n}"
        for one in ranges
        for n in range(one.first, one.last + 1)
        if (one.writer, one.epoch, n) not in there
    ]


def _places(missing: Sequence[str]) -> str:
    named = ", ".join(missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return f"{named}{more} (writer/epoch/number) {'is' if len(missing) == 1 else 'are'} missing"


def _numbers(first: int, last: int) -> str:
    return f"{first} is" if first == last else f"{first} to {last} are"
