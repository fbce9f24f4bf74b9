"""Direct import: `python -m tests.bench.load [--set NAME] …` runs `ehr load` on whole Synthea sets.

Prints resources/s by the wall clock and a core. The floor is the same rows by plain driver
statements, in the transactions that the import made of them.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import floors, measuring, running, synthea
from tests.bench.measuring import say
from tests.bench.running import Ground

_HEAD = f"{'set':14}{'resources':>10}{'/s wall':>9}{'/s core':>9}   CPU s, load and database"
_HEAD = f"{'set':14}{'resources':>10}{'/s wall':>9}{'/s core':>9}   CPU s, load and database"
_CHECKOUT = Path(__file__).parents[2]


def main() -> None:
    """Measure and print."""
    parser = running.options(__doc__ or "")
    parser.add_argument("--set", choices=[*synthea.SETS, "both"], default="both")
    chosen = parser.parse_args()
    sets = list(synthea.SETS) if chosen.set == "both" else [chosen.set]
    with running.grounds(chosen.engine) as grounds:
        for ground in grounds:
            say(_HEAD)
            for name in sets:
                with ground.fresh_database() as url:
                    kept = _measure(ground, url, name)
                with ground.fresh_database() as url:
                    _say_floor(name, floors.replay(url, ground.postgres_pid, kept))


def _measure(ground: Ground, url: str, name: str) -> dict[int, floors.Transaction]:
    before = _children_cpu()
    database = measuring.group_cpu(ground.postgres_pid)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "ehr", "load", str(synthea.archive_of(name))],
        cwd=_CHECKOUT,
        env=os.environ | {"EHR_DATABASE_URL": url},
        capture_output=True,
        check=False,
    )
    wall = time.perf_counter() - started
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        raise SystemExit(f"`ehr load` ended with {done.returncode}:\n{said[-4000:]}")
    load = _children_cpu() - before
    database = measuring.group_cpu(ground.postgres_pid) - database
    kept = floors.captured(url)
    count = sum(len(rows[floors.tables.version]) for rows in kept.values())
    say(
        f"{name:14}{count:10}{count / wall:9.0f}{count / (load + database):9.0f}"
        f"{load:9.1f}{database:8.1f}"
    )
    return kept


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say_floor(name: str, floor: floors.Floor) -> None:
    spent, count = floor.spent, floor.versions
    say(
        f"{name:14}{'floor':>10}{count / spent.wall:9.0f}{count / spent.cpu:9.0f}"
        f"{spent.server:9.1f}{spent.database:8.1f}   {floor.rows / count:.1f} rows a resource"
    )


if __name__ == "__main__":
    main()
