"""The leak suite by itself: `python -m tests.policy.leaks [--engine …] [--patients N --seed N …]`.

Without `--patients` in all worlds of the `full` tier. `--mutations` takes the clauses of the policy
away one by one instead, and prints which the suite notices; `--only NAME …` single ones.
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from tests import engines
from tests.policy.leaks import mutations
from tests.policy.leaks.measuring import ALL, WAYS, Size, tallied_all


def main() -> int:
    """Run, print, and return 1 where something differs or goes unnoticed."""
    reading = argparse.ArgumentParser(prog="python -m tests.policy.leaks", description=__doc__)
    reading.add_argument("--engine", choices=engines.ALL, default="sqlite")
    reading.add_argument("--mutations", action="store_true")
    reading.add_argument("--only", nargs="+", choices=mutations.ALL, metavar="NAME", default=())
    for name, usual in (("patients", 0), ("seed", 1), ("askers", 40), ("turns", 320)):
        reading.add_argument(f"--{name}", type=int, default=usual)
    asked = reading.parse_args()
    logging.disable(logging.CRITICAL)
    engines.begin_run()
    try:
        with tempfile.TemporaryDirectory() as folder:
            if asked.mutations or asked.only:
                return int(bool(mutations.unnoticed(asked.engine, Path(folder), asked.only)))
            one = Size(asked.patients, asked.seed, asked.askers, asked.turns)
            sizes = (one,) if asked.patients else ALL
            tally = tallied_all(asked.engine, Path(folder), sizes)
    finally:
        engines.end_run()
    failed = tally.fails(least=0, each=1, ways=WAYS)
    print(failed or tally)  # noqa: T201 - what it is run for
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
