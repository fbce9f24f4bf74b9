"""Set-up by the standard library alone, and the locks that it installs."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from ehr import bootstrap

ROOT = Path(__file__).resolve().parents[3]
RUN, TEST = ROOT / bootstrap.RUN_LOCK, ROOT / bootstrap.TEST_LOCK
STARTERS = ["ehr/__init__.py", "ehr/__main__.py", "ehr/bootstrap.py"]
STARTERS += ["tests/__init__.py", "tests/__main__.py"]


def _pins(lock: Path) -> dict[str, str]:
    found = re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock.read_text("utf-8"), re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize("name", STARTERS)
def test_what_runs_first_imports_only_the_standard_library(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text("utf-8"))

    modules = set()
    for node in tree.body:  # what is imported later, inside an environment, may be anything
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").split(".")[0])

    assert modules - {"ehr"} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", STARTERS)
def test_an_old_python_can_read_it_and_say_that_it_is_too_old(name: str) -> None:
    ast.parse((ROOT / name).read_text("utf-8"), feature_version=(3, 7))


@pytest.fixture
def old_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Run on Python 3.9, with the PATH that is made: `old_python("shims", "python3.13", 127)`."""
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))

    def add(folder: str, name: str, exit: int) -> Path:
        python = tmp_path / folder / name
        python.parent.mkdir(exist_ok=True)
        python.write_text(f"#!/bin/sh\nexit {exit}\n", "utf-8")
        python.chmod(0o755)
        monkeypatch.setenv("PATH", str(python.parent), prepend=os.pathsep)
        return python

    return add


def test_an_old_python_is_told_what_to_do(old_python: Callable[..., Path]) -> None:
    old_python("shims", "python3.13", 127)

    with pytest.raises(bootstrap.SetUpError, match=r"3\.11 or later is needed and this is 3\.9"):
        bootstrap._base_python()


def test_a_newer_python_on_the_path_is_taken(old_python: Callable[..., Path]) -> None:
    python = old_python("usr", "python3.12", 0)

    assert bootstrap._base_python() == python


def test_what_only_stands_for_a_python_is_passed_over(old_python: Callable[..., Path]) -> None:
    python = old_python("usr", "python3.11", 0)
    for name in ("python3.13", "python3.11"):  # pyenv has such where another version is chosen
        old_python("shims", name, 127)
    (python.parent / "python3.12").write_text("no program", "utf-8")
    (python.parent / "python3.12").chmod(0o755)

    assert bootstrap._base_python() == python


def test_a_python_without_venv_names_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "_runs", lambda _python, _code: False)

    with pytest.raises(bootstrap.SetUpError, match="install the package `python3-venv`"):
        bootstrap._make_venv(Path(sys.executable), tmp_path / "none")


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("NewConnectionError: Temporary failure in name resolution", "reaches the internet"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "differs from the one that the lock pins"),
        ("ERROR: No matching distribution found for x==1", "Python 3.11, 3.12 or 3.13"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something new.", "could not be installed (ERROR: something new)"),
        ("", "no reason was given"),
    ],
    ids=["offline", "hash", "no wheel", "disk", "other", "silent"],
)
def test_a_failed_install_says_what_to_do(said: str, advice: str) -> None:
    assert advice in bootstrap._reason(said)


def test_an_environment_with_everything_is_used_as_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ehr", "--version"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ehr ")
    assert "Making" not in done.stderr


def test_an_installed_package_needs_no_lock(tmp_path: Path) -> None:
    assert bootstrap.enter("ehr", str(tmp_path / "no.lock")) is None  # type: ignore[func-returns-value]  # it returns


@pytest.mark.parametrize("lock", [RUN, TEST], ids=lambda path: path.name)
def test_a_lock_pins_every_package_by_hash_and_names_no_host(lock: Path) -> None:
    text = lock.read_text("utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)[1:]

    assert len(blocks) == len(_pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "--index" not in text


def test_the_test_lock_holds_the_run_lock() -> None:
    assert _pins(RUN).items() <= _pins(TEST).items()


def test_the_locks_have_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]

    def names(requirements: list[str]) -> set[str]:
        found = (re.match(r"[A-Za-z0-9._-]+", each) for each in requirements)
        return {match[0].lower().replace("_", "-").replace(".", "-") for match in found if match}

    assert names(project["dependencies"]) | {"hatchling", "editables"} <= set(_pins(RUN))
    assert names(extras["test"] + extras["lint"]) <= set(_pins(TEST))
