"""What access costs: `python -m tests.bench.access [--times N] [--engine …]`.

Reads by id and searches in one patient's record, in one process through WSGI, by GPs with
caseloads of 40, 2,000 and 12,000 patients: by a system token, for which no access rule is asked and
nothing recorded (plain), by the GP with nothing recorded (access), with EHR_AUDIT=journal, and with
strict. The same request is made in all four ways in turn, so that what else the machine does falls
on all alike. Beside the ratio of medians stands that of what the process itself computed. What a
client waits for is measured by `tests/bench/access_served.py`.
"""

import gc
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from werkzeug.test import EnvironBuilder

from ehr.app import create_app
from ehr.audit.event import AuditRow
from ehr.audit.trail import Trail
from ehr.record import Record, now, open_record
from ehr.settings import Settings
from tests.bench import running
from tests.bench.access_data import Caseload, fill, system_token
from tests.bench.measuring import percentile, say
from tests.bench.running import Ground

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PLAIN, ACCESS = "plain", "access"
MODES = (PLAIN, ACCESS, "journal", "strict")
TARGET = 15  # percent that access adds to p50
_WARM = 20
_HEAD = f"{'caseload':>9}{'':35}{'p50 ms':>8}{'p99':>8}{'added':>9}{'CPU µs':>9}{'added':>9}"

Ask = Callable[[str], None]


class Silent(Trail):
    """Records nothing."""

    def start(self) -> None:
        """Begin nothing."""

    def ready(self) -> None:
        """Be ready for nothing."""

    def record(self, added: Sequence[AuditRow]) -> None:
        """Record nothing."""

    def within(self, connection: Connection, added: Sequence[AuditRow]) -> None:
        """Add nothing."""


@dataclass(slots=True)
class Took:
    """What the answers of one way took in seconds, by the clock and of the CPU."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--times", type=int, default=1000, help="of each request in each way")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    chosen = parser.parse_args()
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            with ground.fresh_database() as url:
                _measure(ground, url, chosen.times, chosen.modes)


def _measure(ground: Ground, url: str, times: int, modes: Sequence[str]) -> None:
    record = open_record(Settings(database_url=url))
    began = time.perf_counter()
    silent = replace(record, trail=Silent(record.database, record.settings, now))
    caseloads = fill(silent)
    say(f"   written in {time.perf_counter() - began:.0f} s")
    with ExitStack() as stack:
        stack.callback(record.database.close)
        apps = {mode: _app(ground, silent, mode, stack) for mode in modes}
        token = system_token(record)
        gc.collect()
        gc.freeze()
        say(_HEAD)
        for one in caseloads:
            asks = {
                mode: _asker(app, token if mode == PLAIN else one.token)
                for mode, app in apps.items()
            }
            for name, paths in asked(one).items():
                _say(f"{one.size:9,}  {name}", times_of(asks, paths, times))


def asked(one: Caseload) -> dict[str, tuple[str, ...]]:
    """Return what is asked of a caseload: paths by what to call them."""
    return {
        "read": one.reads,
        "Observation, sorted": one.observations,
        "Condition": one.conditions,
    }


def _app(ground: Ground, record: Record, mode: str, stack: ExitStack) -> "WSGIApplication":
    if mode in (PLAIN, ACCESS):
        return create_app(record)
    settings = Settings(audit=mode, audit_folder=str(ground.folder / f"journals-{ground.engine}"))
    trail = Trail(record.database, settings, now)
    trail.start()
    stack.callback(trail.close)
    return create_app(replace(record, trail=trail))


def _asker(app: "WSGIApplication", token: str) -> Ask:
    """Return what asks for a path as somebody."""
    head = {"Authorization": f"Bearer {token}", "Accept": "application/fhir+json"}
    known: dict[str, dict[str, Any]] = {}

    def start(status: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
        if not status.startswith("200"):
            raise RuntimeError(f"an answer of {status}")
        return lambda _: None

    def ask(path: str) -> None:
        environ = known.get(path)
        if environ is None:
            environ = known[path] = EnvironBuilder(f"/fhir{path}", headers=head).get_environ()
        body = app(environ.copy(), start)
        for _ in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()

    return ask


def times_of(asks: dict[str, Ask], paths: Sequence[str], times: int) -> dict[str, Took]:
    """Ask in all ways in turn, in an order by chance: none always follows the same other."""
    for path in (*paths[:_WARM], *paths):
        for ask in asks.values():
            ask(path)
    took = {mode: Took() for mode in asks}
    order, chance = list(asks), Random(1)
    for n in range(times):
        path = paths[n % len(paths)]
        chance.shuffle(order)
        for mode in order:
            ask = asks[mode]
            cpu, began = time.thread_time(), time.perf_counter()
            ask(path)
            ended, done = time.perf_counter(), time.thread_time()
            took[mode].wall.append(ended - began)
            took[mode].cpu.append(done - cpu)
    return took


def _say(name: str, took: dict[str, Took]) -> None:
    floor = next(iter(took.values()))
    for mode, one in took.items():
        p50, p99 = (percentile(one.wall, at) * 1000 for at in (50, 99))
        cpu = percentile(one.cpu, 50) * 1e6
        added = percentile(one.wall, 50) / percentile(floor.wall, 50) - 1
        more = percentile(one.cpu, 50) / percentile(floor.cpu, 50) - 1
        mark = f" ≤ {TARGET} %" if mode == ACCESS else ""
        say(f"{name:35}{mode:9}{p50:8.3f}{p99:8.2f}{added:9.1%}{cpu:9.0f}{more:9.1%}{mark}")


if __name__ == "__main__":
    main()
