"""Times on the command line: 30m, 8h and 90d read, milliseconds shown as a date."""

import re
import time
from datetime import UTC, datetime

from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError

_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


def now() -> int:
    """Return the time in milliseconds since 1970."""
    return int(time.time() * 1000)


def duration(text: str) -> int:
    """Read a length of time; return milliseconds."""
    found = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    if found is None:
        raise CommandError(
            f"`{text}` is no length of time.", "", "Write 30m, 8h or 90d.", exit=Exit.USAGE
        )
    return int(found[1]) * _UNITS[found[2]]


def shown(milliseconds: int | None) -> str | None:
    """Return a time as people and programs read it; None stays None."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
