"""What audit costs: `python -m tests.bench.audit [--seconds N] [--engine …] [--threads-of …]`.

In one process: events alone, and reads by id through the pipeline, each followed by its event, with
no audit, by journal and strictly. Share is of the throughput without audit.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from auth.principal import Principal
from ehr.audit.event import AuditRow
from ehr.audit.kinds import Kind
from ehr.audit.trail import Trail
from ehr.messages import Document, Interaction, replace
from ehr.pipeline import handle
from ehr.record import Record, now, open_record
from ehr.settings import Settings
from fhir_profiles import json_format
from tests import given
from tests.bench import running
from tests.bench.measuring import percentile, say
from tests.bench.running import Ground

_HEAD = f"{'':22}{'threads':>8}{'/s':>9}{'share':>8}{'p50 µs':>9}{'p99 µs':>9}{'CPU µs':>9}"
_PRINCIPAL = Principal("bench", "system", "bench")
_MODES = ("journal", "strict")
_READ = Interaction(name="read", type="Patient", id="mary")
_EVENT = AuditRow(
    kind=Kind.READ,
    at=0,
    patient_key=70_001,
    type=100,
    rid=1_234_567,
    version=3,
    agent="Practitioner/0192f0aa-bbbb-7ccc-8ddd-eeeeeeeeeeee",
    role="professional",
    organisation="Organization/0192f0aa-cccc-7ccc-8ddd-eeeeeeeeeeee",
    client_id="0192f0aa-dddd-7ccc-8ddd-eeeeeeeeeeee",
    token_id="8f14e45fceea167a",
    purpose="TREAT",
    request_id="0192f0aa-eeee-7ccc-8ddd-eeeeeeeeeeee",
)


@dataclass(frozen=True, slots=True)
class _Ran:
    """How often something was done, by how many threads, and what each took in seconds."""

    seconds: float
    cpu: float
    took: list[float]

    @property
    def rate(self) -> float:
        """Return how often a second."""
        return len(self.took) / self.seconds


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each line")
    parser.add_argument("--threads-of", type=int, nargs="+", default=[1, 32], dest="counts")
    chosen = parser.parse_args()
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            say(_HEAD + "   of this process")
            _measure(ground, chosen)


def _measure(ground: Ground, chosen: argparse.Namespace) -> None:
    with ground.fresh_database() as url:
        record = open_record(Settings(database_url=url, threads=max(chosen.counts)))
        body = json_format.serialise(given.patient(id="mary"))
        document = Document(body, json_format.parse(body))
        handle(record, _PRINCIPAL, replace(_READ, name="update", method="PUT", document=document))
        for threads in chosen.counts:
            floor = _run(partial(_read, record), threads, chosen.seconds)
            _say("read, no audit", threads, floor, None)
            for mode in _MODES:
                trail = _trail(record, mode, ground.folder / "journals")
                ran = _run(partial(_audited, record, trail), threads, chosen.seconds)
                _say(f"read, {mode}", threads, ran, floor)
                ran = _run(partial(_record, trail), threads, chosen.seconds)
                _say(f"event alone, {mode}", threads, ran, None)
                started = time.perf_counter()
                trail.close()
                say(f"{'':22}moved and sealed {time.perf_counter() - started:.1f} s later")
        record.database.close()


def _trail(record: Record, mode: str, folder: Path) -> Trail:
    settings = Settings(audit=mode, audit_folder=str(folder))
    trail = Trail(record.database, settings, now)
    trail.start()
    return trail


def _read(record: Record) -> None:
    handle(record, _PRINCIPAL, _READ)


def _record(trail: Trail) -> None:
    trail.record((replace(_EVENT, at=now()),))


def _audited(record: Record, trail: Trail) -> None:
    _read(record)
    _record(trail)


def _run(work: Callable[[], None], threads: int, seconds: float) -> _Ran:
    """Do something again and again in some threads."""
    took: list[list[float]] = [[] for _ in range(threads)]
    end = time.perf_counter() + seconds

    def again(mine: list[float]) -> None:
        before = time.perf_counter()
        while before < end:
            work()
            after = time.perf_counter()
            mine.append(after - before)
            before = after

    started, spent = time.perf_counter(), sum(os.times()[:2])
    running_now = [threading.Thread(target=again, args=(mine,)) for mine in took]
    for one in running_now:
        one.start()
    for one in running_now:
        one.join()
    cpu = sum(os.times()[:2]) - spent
    return _Ran(time.perf_counter() - started, cpu, [each for mine in took for each in mine])


def _say(what: str, threads: int, ran: _Ran, floor: _Ran | None) -> None:
    share = f"{ran.rate / floor.rate:>8.0%}" if floor else f"{'':8}"
    middle, high = (percentile(ran.took, share) * 1e6 for share in (50, 99))
    cpu = ran.cpu / len(ran.took) * 1e6
    say(f"{what:22}{threads:>8}{ran.rate:>9,.0f}{share}{middle:>9,.0f}{high:>9,.0f}{cpu:>9,.0f}")


if __name__ == "__main__":
    main()
