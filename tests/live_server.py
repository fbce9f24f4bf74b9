"""The application on a loopback port, as a browser or another program reaches it.

with live_server.served(folder) as live:       a fresh record on SQLite; live.record, live.root
with live_server.pages(answers) as address:    another site, which answers as it is told
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from tests import engines

if TYPE_CHECKING:
    from flask import Flask

    from ehr.record import Record

Answer = Callable[[str], str]


class _Quiet(WSGIRequestHandler):
    """Logs nothing: a test that fails says what it asked for."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@dataclass(frozen=True)
class Live:
    """A server that runs: where it is, and what is behind it."""

    root: str
    record: "Record"
    app: "Flask"


@contextlib.contextmanager
def served(folder: Path, host: str = "127.0.0.1", **settings: str) -> Iterator[Live]:
    """Serve a fresh record on a port that is free; addresses in it are those of this server.

    With `localhost` as its name browsers make passkeys for it.
    """
    from ehr.app import create_app
    from ehr.record import open_record
    from ehr.settings import load

    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        engines.fresh_url("sqlite", folder) as url,
    ):
        port = taken.getsockname()[1]
        root = f"http://{host}:{port}"
        environment = {"EHR_DATABASE_URL": url, "EHR_BASE_URL": f"{root}/fhir", **settings}
        record = open_record(load(environment))
        app = create_app(record)
        server = make_server(
            "127.0.0.1", port, app, True, request_handler=_Quiet, fd=taken.fileno()
        )
        with _running(server):
            yield Live(root, record, app)
        record.database.close()


@contextlib.contextmanager
def pages(answer: Answer) -> Iterator[str]:
    """Serve another site: `answer` is given a path and returns HTML."""

    def site(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [answer(environ["PATH_INFO"]).encode()]

    server = make_server("127.0.0.1", 0, site, True, request_handler=_Quiet)
    with _running(server):
        yield f"http://127.0.0.1:{server.port}"


@contextlib.contextmanager
def _running(server: BaseWSGIServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
