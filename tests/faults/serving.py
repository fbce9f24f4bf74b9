"""A real `ehr serve` with two workers on a database, to be called by many and killed at any moment.

with serving(url) as server:
    caller = server.caller()
    caller.ask("PUT", "Patient/mary", body).status
    server.kill_worker(); server.kill(); server.start()
"""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from auth import tokens
from ehr.settings import DEVELOPMENT_SECRET
from ehr.store.opening import open_database
from tests.bench.sending import Target, is_ready

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 300  # seconds: a machine that many share takes a minute to import everything
_WORKERS = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body, parsed."""
        return json.loads(self.body)

    @property
    def ok(self) -> bool:
        """Tell whether it is an acknowledgement."""
        return 200 <= self.status < 300

    @property
    def version(self) -> int:
        """Return the version that the ETag names."""
        return int(self.headers["etag"].strip('W/"'))


class Caller:
    """One client with one connection, which is opened again when it broke."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request. Raises OSError or HTTPException where no whole answer comes."""
        sent = {
            "Authorization": f"Bearer {self._target.token}",
            "Content-Type": "application/fhir+json",
            **(headers or {}),
        }
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = self._connected()
        try:
            connection.request(method, f"/fhir/{path}".rstrip("/"), raw, sent)
            answer = connection.getresponse()
            whole = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, whole)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            made = http.client.HTTPConnection(self._target.host, self._target.port, timeout=60)
            self._connection = made
        return self._connection

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(slots=True)
class Server:
    """A server that can be killed and started again."""

    url: str
    target: Target
    log: Any
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it and wait until it answers; on a port of its own, as others may take the last."""
        self.target = replace(self.target, port=_free_port())
        kept = {k: v for k, v in os.environ.items() if not k.startswith("EHR_")}
        command = [sys.executable, "-m", "ehr", "serve", "--port", str(self.target.port)]
        self.process = subprocess.Popen(
            [*command, "--workers", str(_WORKERS)],
            cwd=ROOT,
            env=kept | {"EHR_DATABASE_URL": self.url, "EHR_LOG": "warning", **self.settings},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        limit = time.monotonic() + _PATIENCE
        while not is_ready(self.target):
            if self.process.poll() is not None or time.monotonic() > limit:
                ended = f"ended with {self.process.poll()}"
                raise RuntimeError(f"`ehr serve` did not start, {ended}: {self.said()}")
            time.sleep(0.05)

    def caller(self) -> Caller:
        """Return a new client of a system."""
        return Caller(self.target)

    def kill(self) -> None:
        """End all of its processes at once, by kill -9."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def kill_worker(self) -> None:
        """End one of its workers by kill -9; the server starts another."""
        assert self.process is not None
        children = ["pgrep", "-P", str(self.process.pid)]
        found = subprocess.run(children, check=True, capture_output=True, text=True).stdout.split()
        os.kill(int(random.choice(found)), signal.SIGKILL)

    def kill_main(self) -> None:
        """End its main process alone by kill -9: the workers are left."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        """Let it end in its own time; by force where it takes too long."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.kill()

    def said(self) -> str:
        """Return the end of what it wrote."""
        self.log.seek(0)
        return str(self.log.read().decode("utf-8", "replace")[-4000:])


@contextlib.contextmanager
def serving(url: str, **settings: str) -> Iterator[Server]:
    """Give a server on a migrated database, started, with settings by their variables."""
    with tempfile.TemporaryFile() as log:
        server = Server(url, Target("127.0.0.1", 0, _token(url)), log, settings)
        server.start()
        try:
            yield server
        except BaseException as error:
            error.add_note(server.said())
            raise
        finally:
            server.stop()


def is_free(port: int) -> bool:
    """Tell whether another server could listen on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _token(url: str) -> str:
    database = open_database(url, secret=DEVELOPMENT_SECRET)
    now = int(time.time() * 1000)
    try:
        return database.write(
            lambda connection: tokens.create(connection, kind="system", name="faults", now=now)
        )
    finally:
        database.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
