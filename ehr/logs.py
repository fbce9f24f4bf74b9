"""Log lines: time in UTC, level, process, logger and what happened. Never record content."""

import logging
import time


class Lines(logging.Formatter):
    """The form of every line, also of the HTTP server's own."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s")


def begin(level: str) -> None:
    """Let this process log from a level on, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(handlers=[handler])
    logging.getLogger("ehr").setLevel(level.upper())


class Trouble:
    """Work that is tried again and again: its failure is told once, until it works again."""

    def __init__(self, log: logging.Logger, work: str) -> None:
        self._log, self._work = log, work
        self._is_told = False

    def met(self, error: BaseException) -> None:
        """Tell of a failure, if it is the first one, with its reason."""
        if not self._is_told:
            self._log.warning("%s fails and is tried again: %s", self._work, _reason(error))
            self._is_told = True

    def over(self) -> None:
        """Tell that it works again, if it did not."""
        if self._is_told:
            self._log.info("%s works again", self._work)
            self._is_told = False


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
