"""What a client waits for access: `python -m tests.bench.access_served [--times N] [--engine …]`.

The requests of `tests/bench/access.py` over HTTP, one after the other on a connection that is kept:
of a server that records nothing by a system token, for which no access rule is asked (plain), and
by the GP (access), then by the GP of servers with EHR_AUDIT=journal and strict. Each request is
made in all four ways in turn, so that what else the machine does falls on all alike.
"""

import argparse
import gc
from contextlib import ExitStack
from dataclasses import replace

from ehr.record import now, open_record
from ehr.settings import Settings
from tests.bench import running
from tests.bench.access import ACCESS, MODES, PLAIN, TARGET, Ask, Silent, Took, asked, times_of
from tests.bench.access_data import fill
from tests.bench.measuring import percentile, say
from tests.bench.running import Ground
from tests.bench.sending import Kept, Target

_HEAD = f"{'caseload':>9}{'':35}{'p50 ms':>8}{'p99':>8}{'added':>9}"


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--times", type=int, default=1000, help="of each request in each way")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.set_defaults(workers=1)
    chosen = parser.parse_args()
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            with ground.fresh_database() as url:
                _measure(ground, url, chosen)


def _measure(ground: Ground, url: str, chosen: argparse.Namespace) -> None:
    record = open_record(Settings(database_url=url))
    caseloads = fill(replace(record, trail=Silent(record.database, record.settings, now)))
    record.database.close()
    gc.collect()
    gc.freeze()
    say(_HEAD)
    with ExitStack() as stack:
        targets = _targets(ground, url, chosen, stack)
        for one in caseloads:
            asks = {
                mode: _asker(target if mode == PLAIN else replace(target, token=one.token), stack)
                for mode, target in targets.items()
            }
            for name, paths in asked(one).items():
                _say(f"{one.size:9,}  {name}", times_of(asks, paths, chosen.times))


def _targets(
    ground: Ground, url: str, chosen: argparse.Namespace, stack: ExitStack
) -> dict[str, Target]:
    """Start a server for each way of auditing; what is plain and what is not share one."""
    found: dict[str, Target] = {}
    for mode in chosen.modes:
        if mode == ACCESS and PLAIN in found:
            found[mode] = found[PLAIN]
            continue
        silent = mode in (PLAIN, ACCESS)
        server = running.server(
            url,
            chosen.workers,
            chosen.threads,
            module="tests.bench.unaudited" if silent else "ehr",
            settings={} if silent else _settings(mode, ground),
        )
        found[mode] = stack.enter_context(server).target
    return found


def _settings(mode: str, ground: Ground) -> dict[str, str]:
    return {"EHR_AUDIT": mode, "EHR_AUDIT_FOLDER": str(ground.folder / f"journals-{mode}")}


def _asker(target: Target, stack: ExitStack) -> Ask:
    """Return what asks for a path on a connection of its own."""
    kept = stack.enter_context(Kept(target))
    made: dict[str, bytes] = {}

    def ask(path: str) -> None:
        request = made.get(path)
        if request is None:
            request = made[path] = target.request("GET", path)
        kept.ask(request)

    return ask


def _say(name: str, took: dict[str, Took]) -> None:
    floor = next(iter(took.values()))
    for mode, one in took.items():
        p50, p99 = (percentile(one.wall, at) * 1000 for at in (50, 99))
        added = percentile(one.wall, 50) / percentile(floor.wall, 50) - 1
        mark = f" ≤ {TARGET} %" if mode == ACCESS else ""
        say(f"{name:35}{mode:9}{p50:8.3f}{p99:8.2f}{added:9.1%}{mark}")


if __name__ == "__main__":
    main()
