"""The README's two commands on a copy of the checkout, with an empty HOME and a bare PATH."""

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 240  # seconds for an install on two busy cores

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what is committed or about to be, as a fresh clone would have it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    target = tmp_path / "clone"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment with an empty HOME; how to reach a package mirror stays."""
    kept = {name: value for name, value in os.environ.items() if _is_kept(name)}
    home = tmp_path / "home"
    home.mkdir()
    return {**kept, "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin"}


def _is_kept(name: str) -> bool:
    return name.startswith(("PIP_", "SSL_")) or name.lower().endswith("_proxy")


@pytest.fixture
def demo(checkout: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    began = subprocess.Popen(
        ["python3", "-m", "ehr", "demo"],
        cwd=checkout, env=environment, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    with began:
        yield began
        if began.poll() is None:
            os.killpg(began.pid, signal.SIGKILL)


def test_the_first_command_starts_a_record_with_people(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout is not None
    said = ""
    for line in demo.stdout:
        said += line
        if "TOKEN=" in line:
            break
    found = re.search(r"FHIR=(\S+) TOKEN=(\S+)", said)
    assert found, said

    patient = _get(f"{found[1]}/Patient/mary-murray", found[2])
    demo.send_signal(signal.SIGINT)

    assert b"Murray" in patient
    assert demo.wait(30) == 0, said
    assert "Traceback" not in said + demo.stdout.read()


def _get(url: str, token: str) -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    limit = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                content: bytes = answer.read()
                return content
        except OSError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.2)


def test_the_second_command_runs_tests_and_ends_with_their_summary(
    checkout: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        ["python3", "-m", "tests", "tests/unit/test_engines.py", "tests/docs/test_documents.py"],
        cwd=checkout, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "Reduced here" in done.stdout
    assert re.search(r"\d+ passed.* in [\d.]+s", done.stdout.strip().splitlines()[-1])
