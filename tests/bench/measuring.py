"""Figures of a bench: CPU from /proc, percentiles, fdatasync time, the line that says where.

"A core" is work ÷ CPU seconds of the server *and* the database: both process groups are summed,
wall clock stands beside it. Nothing here passes or fails.
"""

import os
import platform
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_SYNCS = 40


@dataclass(slots=True)
class Spent:
    """Seconds that a measured block took; CPU of the server and of the database apart."""

    wall: float = 0.0
    server: float = 0.0
    database: float = 0.0

    @property
    def cpu(self) -> float:
        """Return the CPU seconds of both."""
        return self.server + self.database


@contextmanager
def measured(server: int | None, database: int | None) -> Iterator[Spent]:
    """Measure a block; the arguments are the first processes of each group, None for none."""
    spent = Spent()
    started = time.perf_counter()
    before = (group_cpu(server), group_cpu(database))
    yield spent
    spent.wall = time.perf_counter() - started
    spent.server = group_cpu(server) - before[0]
    spent.database = group_cpu(database) - before[1]


def group_cpu(root: int | None) -> float:
    """Return the CPU seconds of a process and all below it, those that ended included."""
    if root is None:
        return 0.0
    return sum(_cpu(pid) for pid in group(root))


def group(root: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    # utime, stime, and both of the children that were waited for
    return sum(int(text) for text in fields[11:15]) / _TICK if fields else 0.0


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat behind the name, which may hold blanks itself."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def memory(pid: int) -> dict[str, float]:
    """Return RSS, PSS and peak RSS of a process in MB."""
    found = {}
    for name, file in (("Rss", "smaps_rollup"), ("Pss", "smaps_rollup"), ("VmHWM", "status")):
        for line in Path(f"/proc/{pid}/{file}").read_text("utf-8").splitlines():
            if line.startswith(f"{name}:"):
                found[name] = int(line.split()[1]) / 1024
    return found


def percentile(values: Sequence[float], share: int) -> float:
    """Return the value that `share` percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 100) - 1))]


def sync_time(folder: Path) -> tuple[float, float]:
    """Return median and p95 of appending 8 KB and fdatasync, in milliseconds."""
    path = folder / "sync-time"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(b"x" * 8192)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    path.unlink()
    return statistics.median(times), percentile(times, 95)


def say(text: str = "") -> None:
    """Print a line now, though the output may be a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_where(engine: str, durable: str, folder: Path) -> None:
    """Print what was measured on: engine with its durable settings, disk, machine, versions."""
    middle, high = sync_time(folder)
    busy = os.getloadavg()[0]
    say(f"\n== {engine}: {durable}")
    say(
        f"   fdatasync {middle:.2f} ms (p95 {high:.2f}) · {len(os.sched_getaffinity(0))} cores, "
        f"load {busy:.1f} before the run · Python {platform.python_version()} · "
        f"SQLite {sqlite3.sqlite_version}"
    )
