"""Run the HTTP server (granian): worker processes with threads, each with the WSGI application."""

import os
import socket
from collections.abc import Mapping

from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.logs import Lines
from ehr.rest.arrivals import THREADS_FOR_EACH_WORKING
from ehr.settings import Settings

# Also what the server keeps of a body that nobody reads yet.
_LONGEST_HEAD = 64 * 1024


def check_address(settings: Settings, chosen_by: str = "--port or --host") -> None:
    """Raise CommandError where nothing can listen on the address, which `chosen_by` names."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"The server can't listen on {settings.host} port {settings.port}.",
            f"{error.strerror or error}.",
            f"Stop what uses it (another `ehr serve`?), or choose another with {chosen_by}.",
            exit=Exit.ADDRESS,
        ) from None


def run(settings: Settings, environment: Mapping[str, str]) -> None:
    """Serve until a signal ends it; workers read the settings from `environment`."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    os.environ.update(environment)
    Server(
        "ehr.app:create_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads * THREADS_FOR_EACH_WORKING,
        websockets=False,
        # Over HTTP/2 one connection carries many requests, of which one could not be cut off.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(min(30, settings.body_timeout) * 1000),
            max_buffer_size=_LONGEST_HEAD,
        ),
        # Its warnings doubt our number of threads, which is measured.
        log_level=LogLevels.error,
        log_dictconfig={"formatters": {name: {"()": Lines} for name in ("generic", "access")}},
        respawn_failed_workers=True,
        workers_kill_timeout=15,
    ).serve()
