"""`ehr serve` that records nothing, to measure audit against: `python -m tests.bench.unaudited`.

There is no setting for it: the recorder is taken out of the program that runs.
"""

import sys
from typing import TYPE_CHECKING, Any

import granian.server

from ehr import cli
from ehr.audit.trail import Trail

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """Return the application of a worker, whose trail takes all and keeps nothing."""
    from ehr.app import create_app

    def nothing(_self: Trail, *_: Any) -> None:
        pass

    for name in ("start", "ready", "record", "within"):
        setattr(Trail, name, nothing)
    return create_app()


def main() -> None:
    """Run a command of `ehr`; the workers of a server are those of this module."""
    begin = granian.server.Server

    def server(_target: str, **named: Any) -> Any:
        return begin("tests.bench.unaudited:create_app", **named)

    granian.server.Server = server
    sys.exit(cli.run(sys.argv[1:]))


if __name__ == "__main__":
    main()
