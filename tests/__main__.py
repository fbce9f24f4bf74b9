"""`python3 -m tests …`: make the environment, then run the quick form of every test on two cores.

Arguments go to pytest: `python3 -m tests -k search`. `.ci/run` runs all that this leaves out.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ehr.bootstrap import TEST_LOCK, enter

_ROOT = Path(__file__).resolve().parent.parent
_REDUCED = """\
Tested on SQLite and on a PostgreSQL server that came with the packages.
Reduced here: each test, and each case of its table, runs on one of them in turn (.ci/run: on both);
20 examples a property test (.ci/run: 200); no test marked `slow` or `full`.
"""


def main(arguments: list[str]) -> int:
    """Run pytest with the quick settings; what the caller gives comes last and wins."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal"]
    command += ["-o", "faulthandler_timeout=300", "-o", "faulthandler_exit_on_timeout=true"]
    command += ["-m", "not slow and not full", "--hypothesis-profile", "quick"]
    command += ["--engines-in-turn", *arguments]
    sys.stdout.write(_REDUCED)
    sys.stdout.flush()
    return subprocess.call(command, cwd=_ROOT)


if __name__ == "__main__":
    enter("tests", TEST_LOCK)
    raise SystemExit(main(sys.argv[1:]))
