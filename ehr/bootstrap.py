"""Make the checkout's own environment and go on inside it: `python3 -m ehr`, `python3 -m tests`.

Uses the standard library alone, since it runs before anything is installed. It makes `.venv`
beside pyproject.toml, installs a hash-pinned lock (wheels only) and the project itself, and
notes what it installed, so that the next start costs nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

RUN_LOCK = "requirements.lock"
TEST_LOCK = "requirements-dev.lock"

_ROOT = Path(__file__).resolve().parent.parent
_VENV = _ROOT / ".venv"
_OLDEST = (3, 11)
_IS_NEW_ENOUGH = f"import sys; sys.exit(sys.version_info < {_OLDEST})"
# Settings of pip that would put packages elsewhere or build them from source.
_IGNORED = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_NO_BINARY", "PYTHONHOME")
_OFFLINE = (
    "NewConnectionError", "ConnectTimeout", "ProxyError", "Max retries exceeded",
    "Name or service", "name resolution", "connection broken", "timed out",
)  # fmt: skip
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+) \\$", re.MULTILINE)


class SetUpError(Exception):
    """Set-up cannot go on; the text says what to do."""


def enter(module: str, lock: str) -> None:
    """Return inside an environment that has all of `lock`; else make it and run `module` there."""
    pins = _ROOT / lock
    if not pins.is_file():  # an installed package, not a checkout: the installer saw to it
        return
    try:
        python = _python_with(pins)
    except SetUpError as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; run the same command again to go on.\n")
        raise SystemExit(130) from None
    if python is not None:
        _go_on(python, module)


def _python_with(pins: Path) -> Path | None:
    """Return the interpreter to go on with, None for this one."""
    ours = _is_ours(Path(sys.prefix))
    if not ours and sys.version_info >= _OLDEST and _has_all(pins):
        return None
    python = _venv_python()
    if not _stamped(pins):
        with _alone():
            if not _stamped(pins):  # another start may have made it meanwhile
                _make_venv(_base_python(), python)
                _install(python, pins)
                _stamp(pins)
    return None if ours else python


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock on the checkout's folder, so that two first starts do not mix."""
    try:
        import fcntl
    except ImportError:  # Windows has none
        yield
        return
    folder = os.open(_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _is_ours(prefix: Path) -> bool:
    return _VENV.exists() and prefix.resolve() == _VENV.resolve()


def _has_all(pins: Path) -> bool:
    """Tell whether this interpreter has each pinned version (pins for other systems left out)."""
    import importlib.metadata  # an old Python, which lacks it, never comes here

    for name, version in _PIN.findall(pins.read_text("utf-8")):
        if name in {"hatchling", "editables", "trove-classifiers", "tomlkit"}:
            continue  # they build the project, which is imported from the checkout here
        try:
            if importlib.metadata.version(name) != version:
                return False
        except importlib.metadata.PackageNotFoundError:
            return False
    return True


def _venv_python() -> Path:
    return _VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _stamp_file(pins: Path) -> Path:
    return _VENV / f".installed-{pins.name}"


def _digest(pins: Path) -> str:
    text = pins.read_bytes() + (_ROOT / "pyproject.toml").read_bytes() + str(_ROOT).encode()
    return hashlib.sha256(text).hexdigest()


def _stamped(pins: Path) -> bool:
    stamp = _stamp_file(pins)
    return (
        _venv_python().exists()  # false also where the link's Python was removed
        and stamp.is_file()
        and stamp.read_text("utf-8") == _digest(pins)
    )


def _stamp(pins: Path) -> None:
    """Note what is installed. The test lock holds the other one, so it stands for both."""
    for lock in {pins.name, RUN_LOCK}:
        _stamp_file(_ROOT / lock).write_text(_digest(_ROOT / lock), "utf-8")


def _base_python() -> Path:
    """Return a Python that is new enough: this one, or a newer one on the PATH."""
    if sys.version_info >= _OLDEST:
        return Path(getattr(sys, "_base_executable", sys.executable))
    for python in _pythons():
        if _runs(python, _IS_NEW_ENOUGH):  # a shim of pyenv may stand for none
            return python
    have = ".".join(str(part) for part in sys.version_info[:2])
    raise SetUpError(
        f"Python 3.11 or later is needed and this is {have}: install a newer Python "
        "and run the same command with it, for instance `python3.12 -m ehr demo`."
    )


def _pythons() -> Iterator[Path]:
    """Yield every Python 3 of the PATH that may be new enough, newest first."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for minor in range(20, _OLDEST[1] - 1, -1):
        for folder in folders:
            found = shutil.which(f"python3.{minor}", path=folder)
            if found:
                yield Path(found)


def _make_venv(base: Path, python: Path) -> None:
    if python.exists() and _runs(python, f"import pip; {_IS_NEW_ENOUGH}"):
        return
    if not _runs(base, "import venv, ensurepip"):
        raise SetUpError(
            "this Python cannot make a virtual environment: install the package `python3-venv` "
            "(Debian and Ubuntu: `apt-get install python3-venv`) and run the same command again."
        )
    _say("Making the environment .venv")
    done = _run([str(base), "-m", "venv", "--clear", str(_VENV)])
    if done.returncode:
        raise SetUpError(
            f"the folder .venv could not be made in {_ROOT} ({_last_line(done.stdout)}): "
            "use a folder that you may write to, and run the same command again."
        )


def _install(python: Path, pins: Path) -> None:
    count = pins.read_text("utf-8").count("==")
    _say(f"Installing {count} packages from {pins.name} (a minute or two, once)")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    pip += ["--quiet", "--retries", "2"]
    _pip([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(pins)])
    _say("Installing the record itself")
    _pip([*pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(_ROOT)])


def _pip(command: list[str]) -> None:
    done = _run(command)
    log = _VENV / "install.log"
    log.write_text(done.stdout, "utf-8")
    if done.returncode:
        raise SetUpError(f"{_reason(done.stdout)} What pip said is in {log}.")


def _reason(output: str) -> str:
    """Return what went wrong and what to do, from pip's own words."""
    if "DO NOT MATCH THE HASHES" in output:
        return (
            "a package differs from the one that the lock pins: nothing of it was installed; "
            "try another network or package mirror."
        )
    if "No space left" in output:
        return "the disk is full: .venv needs about 400 MB, and 1 GB with what the tests need."
    if any(word in output for word in _OFFLINE):
        return (
            "the packages could not be fetched: check that this machine reaches the internet "
            "or your package mirror, and run the same command again."
        )
    if "No matching distribution" in output:
        return (
            "a package has no ready-made build for this Python and system: "
            "use Python 3.11, 3.12 or 3.13 on 64-bit Linux or macOS."
        )
    return f"the packages could not be installed ({_last_line(output)})."


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in _IGNORED}
    return subprocess.run(  # noqa: S603 - our own command, no shell
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def _runs(python: Path, code: str) -> bool:
    try:
        return _run([str(python), "-c", code]).returncode == 0
    except OSError:
        return False


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "no reason was given"


def _say(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")
    sys.stderr.flush()


def _go_on(python: Path, module: str) -> None:
    command = [str(python), "-m", module, *sys.argv[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # there exec would return to the shell at once
        raise SystemExit(subprocess.call(command))  # noqa: S603 - our own command, no shell
    os.execv(command[0], command)  # noqa: S606 - our own command, no shell
