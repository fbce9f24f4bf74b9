"""Fresh, migrated databases for tests, on both engines, in milliseconds.

The first test that needs an engine makes its template (all workers of the run share it, by a file
lock). On SQLite each test gets a copied file; on PostgreSQL a database that was copied once and is
emptied between tests (`postgres_pool.py`).

    EHR_TEST_POSTGRES=postgresql://…   this server instead of the one from the pip package
    EHR_TEST_ENGINES=sqlite            these engines only
"""

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres_pool, postgres_server

ALL = ("sqlite", "postgresql")
_FOLDER, _POSTGRES, _ENGINES = "TEST_RUN_FOLDER", "EHR_TEST_POSTGRES", "EHR_TEST_ENGINES"


def chosen() -> tuple[str, ...]:
    """Return the engines to test on."""
    named = os.environ.get(_ENGINES, ",".join(ALL)).split(",")
    unknown = sorted(set(named) - set(ALL))
    if unknown:
        raise ValueError(f"EHR_TEST_ENGINES names {unknown}; it takes {', '.join(ALL)}")
    return tuple(engine for engine in ALL if engine in named)


def begin_run() -> None:
    """Make the folder that all workers of this run share. Called once, before the workers start."""
    # A short path: a socket's may have about 100 characters.
    parent = "/tmp" if os.path.isdir("/tmp") else None
    folder = Path(tempfile.mkdtemp(prefix="ehr-test-", dir=parent))
    folder.chmod(0o755)
    (folder / "owner").write_text(str(os.getpid()), "utf-8")
    os.environ[_FOLDER] = str(folder)


def end_run() -> None:
    """Stop what the run started and remove its folder."""
    folder = _run_folder()
    if (folder / "external").exists():
        postgres_pool.drop_all(_external(), (folder / "external").read_text("utf-8"))
    postgres_server.stop(folder / "pg")
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[_FOLDER]


@contextmanager
def fresh_url(engine: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty, migrated database that goes when the block ends."""
    if engine == "sqlite":
        template = _once("template.db", _make_sqlite_template)
        copy = folder / f"{uuid.uuid4().hex[:8]}.db"
        shutil.copyfile(template, copy)
        yield f"sqlite:///{copy}"
        return
    template = _once("template", _make_postgres_template).read_text("utf-8")
    with postgres_pool.borrowed(server_url(), template) as url:
        yield url


@contextmanager
def empty_url(engine: str, folder: Path) -> Iterator[str]:
    """Give the URL of a database without any table that goes when the block ends."""
    name = f"ehr_empty_{uuid.uuid4().hex[:8]}"
    if engine == "sqlite":
        yield f"sqlite:///{folder / name}.db"
        return
    postgres_pool.execute(server_url(), f"CREATE DATABASE {name}")
    try:
        yield postgres_pool.in_database(server_url(), name)
    finally:
        postgres_pool.execute(server_url(), f"DROP DATABASE {name} WITH (FORCE)")


def server_url() -> str:
    """Return the URL of a PostgreSQL server where databases may be made, started when needed."""
    return _external() or _once("pg.url", _start_server).read_text("utf-8")


def _external() -> str:
    return os.environ.get(_POSTGRES, "")


def _run_folder() -> Path:
    return Path(os.environ[_FOLDER])


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the run's file `name`, made by the first worker that asks for it."""
    made = _run_folder() / name
    with (_run_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            part = made.with_name(f"new-{name}")
            make(part)
            part.rename(made)
    return made


def _start_server(path: Path) -> None:
    owner = int((_run_folder() / "owner").read_text("utf-8"))
    path.write_text(postgres_server.start(_run_folder() / "pg", owner), "utf-8")


def _make_sqlite_template(path: Path) -> None:
    _migrate(f"sqlite:///{path}")
    for extra in ("-wal", "-shm"):
        if Path(f"{path}{extra}").exists():
            raise RuntimeError("the template was not closed: its write-ahead log is still there")


def _make_postgres_template(path: Path) -> None:
    name = "ehr_test_" + _run_folder().name.rpartition("-")[2].lower()
    postgres_pool.execute(server_url(), f"CREATE DATABASE {name}")
    if _external():
        (_run_folder() / "external").write_text(name, "utf-8")
    _migrate(postgres_pool.in_database(server_url(), name))
    path.write_text(name, "utf-8")


def _migrate(url: str) -> None:
    from ehr.settings import DEVELOPMENT_SECRET
    from ehr.store.opening import open_database

    open_database(url, secret=DEVELOPMENT_SECRET, migrate=True).close()
