"""What a bench runs on: a fresh durable database and a real `ehr serve` in front of it.

EHR_BENCH_POSTGRES=postgresql://… takes that server (as superuser, on this machine: its CPU is read
from /proc) in place of the one from the pip package.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from ehr.settings import DEVELOPMENT_SECRET
from ehr.store.opening import open_database
from tests import postgres_server
from tests.bench.measuring import say_where
from tests.bench.sending import Target, is_ready

_EXTERNAL = os.environ.pop("EHR_BENCH_POSTGRES", "")  # `ehr serve` refuses names it does not know
_DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "wal_level": "replica",
}
_CHECKOUT = Path(__file__).parents[2]
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Ground:
    """One engine to measure on, with a folder on the disk that counts."""

    engine: str
    folder: Path
    postgres: str = ""
    postgres_pid: int | None = None

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """Give the URL of an empty, migrated database."""
        name = f"ehr_bench_{uuid.uuid4().hex[:12]}"
        if self.engine == "sqlite":
            url = f"sqlite:///{self.folder / name}.db"
        else:
            _execute(self.postgres, f"CREATE DATABASE {name}")
            url = make_url(self.postgres).set(database=name).render_as_string(hide_password=False)
        try:
            open_database(url, secret=DEVELOPMENT_SECRET, migrate=True).close()
            yield url
        finally:
            if self.engine == "sqlite":
                for path in self.folder.glob(f"{name}.db*"):
                    path.unlink()
            else:
                _execute(self.postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True)
class Server:
    """A running `ehr serve`."""

    target: Target
    pid: int


def options(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every bench has."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=16, help="of each worker")
    return parser


@contextmanager
def grounds(choice: str) -> Iterator[Iterator[Ground]]:
    """Give each chosen engine in turn, started and described; all is gone when the block ends."""
    engines = ("sqlite", "postgresql") if choice == "both" else (choice,)
    folder = Path(tempfile.mkdtemp(prefix="ehr-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs under an account of its own
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield (_ground(engine, folder, stack) for engine in engines)


def _ground(engine: str, folder: Path, stack: ExitStack) -> Ground:
    if engine == "sqlite":
        ground = Ground(engine, folder)
        with ground.fresh_database() as url:
            say_where(engine, _sqlite_durability(url), folder)
        return ground
    url = _EXTERNAL
    if not url:
        url = postgres_server.start(folder / "pg", os.getpid(), _DURABLE)
        stack.callback(postgres_server.stop, folder / "pg")
    with psycopg.connect(url) as connection:
        shown = {name: _show(connection, name) for name in (*_DURABLE, "server_version")}
        data = Path(_show(connection, "data_directory"))
    pid = int((data / "postmaster.pid").read_text("utf-8").split()[0])
    version = shown.pop("server_version")
    say_where(f"PostgreSQL {version}", " ".join(f"{k}={v}" for k, v in shown.items()), data.parent)
    return Ground(engine, folder, url, pid)


def _show(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute(f"SHOW {name}").fetchone()
    assert row is not None
    return str(row[0])


def _sqlite_durability(url: str) -> str:
    database = open_database(url, secret=DEVELOPMENT_SECRET)
    try:
        with database.read() as connection:
            kept = connection.exec_driver_sql("PRAGMA synchronous").scalar()
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    finally:
        database.close()
    named = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}[int(str(kept))]
    return f"synchronous={named} journal_mode={journal}"


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def server(
    url: str,
    workers: int,
    threads: int,
    wrapper: Sequence[str] = (),
    *,
    module: str = "ehr",
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run `ehr serve` on a database; `wrapper` is a program to run it under.

    `module` has the command in place of `ehr`.
    """
    port = _free_port()
    environment = os.environ | {
        "EHR_DATABASE_URL": url,
        "EHR_THREADS": str(threads),
        "EHR_LOG": "warning",
        **(settings or {}),
    }
    command = [*wrapper, sys.executable, "-m", module, "serve", "--port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            cwd=_CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            target = Target("127.0.0.1", port, system_token(environment))
            limit = time.monotonic() + _PATIENCE
            while not is_ready(target):
                if process.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError("`ehr serve` did not start")
                time.sleep(0.05)
            yield Server(target, process.pid)
        except Exception as error:
            log.seek(0)
            error.add_note(log.read().decode("utf-8", "replace")[-4000:])
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def system_token(environment: dict[str, str]) -> str:
    """Return a new token of a client system, made as a person would make it."""
    command = [sys.executable, "-m", "ehr", "token", "create", "--system", "--json"]
    done = subprocess.run(command, env=environment, cwd=_CHECKOUT, check=True, capture_output=True)
    return str(json.loads(done.stdout)["token"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
