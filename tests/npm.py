"""Programs from npm that tests run: installed once into a cache, from a lock that is committed.

bundle = npm.packed("fhirclient@2.6.3", integrity, "build/fhir-client.js")    one file of a package
packages = npm.installed("oidc-provider")     a folder with the files of tests/clients/oidc-provider
with npm.running(packages, "provider.mjs", …) as line:      what the program printed first

Where Node is missing the test is skipped, loudly; where CI is set that is a failure.
"""

import contextlib
import fcntl
import os
import select
import shutil
import subprocess
import tarfile
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256, sha512
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parent / "clients"
NO_NODE = "Node.js is missing: node and npm, 20 or later"
_PATIENCE = 30


def packed(package: str, integrity: str, member: str) -> str:
    """Return one file of a package, without what it depends on; skip where there is no npm.

    `integrity` is the sha512 of the package, as locks have it.
    """
    _need_node()
    name = f"{package.replace('@', '-')}.tgz"
    kept = _cache() / name
    with (_cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _pack(package, kept)
    digest = b64encode(sha512(kept.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == integrity, f"{package} is not what it was"
    with tarfile.open(kept) as archive:
        file = archive.extractfile(f"package/{member}")
        assert file is not None
        return file.read().decode("utf-8")


def _pack(package: str, kept: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["npm", "pack", package, "--pack-destination", folder], capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.fail(f"npm pack failed for {package}: {done.stderr[-2000:]}")
        [made] = Path(folder).iterdir()
        shutil.copyfile(made, kept.with_suffix(".part"))
    kept.with_suffix(".part").rename(kept)


def _need_node() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail(NO_NODE)
        pytest.skip(NO_NODE)


def installed(name: str) -> Path:
    """Return a folder with a client's files and its packages; skip where there is no Node."""
    _need_node()
    source = CLIENTS / name
    files = sorted(path for path in source.iterdir() if path.is_file())
    digest = sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]
    folder = _cache() / f"{name}-{digest}"
    with (_cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(source, folder)
    return folder


@contextlib.contextmanager
def running(folder: Path, program: str, *arguments: str) -> Iterator[str]:
    """Run a program until the block ends; give the first line that it prints."""
    process = subprocess.Popen(
        ["node", program, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield _first_line(process)
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def _cache() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "shared-care-record-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _install(source: Path, folder: Path) -> None:
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, ignore=shutil.ignore_patterns("node_modules"))
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=part, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.fail(f"npm ci failed in {source.name}: {done.stderr[-2000:]}")
    part.rename(folder)


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if select.select([process.stdout], [], [], 0.5)[0]:
            return process.stdout.readline().strip()
    raise RuntimeError("the program printed nothing")
