"""README and CHANGELOG agree with the code, and nothing committed names a machine."""

import re
import subprocess
from pathlib import Path

import pytest

from ehr.cli import COMMANDS
from ehr.settings import SETTINGS
from tests.docs import settings_table

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")

# Written in two parts so that this file does not name them either.
FORBIDDEN = [
    "/" + "work/", "/" + "root/", "." + "library", "/" + "opt/wheels",
    "pypi" + ".org", "python" + "hosted", "registry." + "npmjs", "deb." + "debian",
    "crates" + ".io", "repo1." + "maven", "proxy." + "golang",
]  # fmt: skip


def _committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_readme_begins_with_one_sentence_and_two_commands() -> None:
    lines = [line for line in README.splitlines() if line]
    commands = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)

    assert lines[0].startswith("# ")
    assert lines[1].endswith(".")
    assert lines[2] == "## Start"
    assert commands[:2] == ["python3 -m ehr demo", "python3 -m tests"]


def test_the_settings_table_is_complete() -> None:
    assert settings_table.stands() == settings_table.table(), (
        "run `python3 -m tests.docs.settings_table`"
    )
    assert len(SETTINGS) <= 32


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(?<![\w/=-])ehr ([a-z]+)", README))))
def test_every_command_that_the_readme_names_exists(name: str) -> None:
    assert name in COMMANDS


def test_every_link_of_the_readme_to_a_file_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)

    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "ehr/README.md", "auth/README.md"])
def test_every_path_that_a_page_names_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    paths = re.findall(r"`((?:\.\./)*[a-z][\w./-]*(?:\.py|\.md|\.conf|/))`", text)

    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / page).parent.joinpath(path).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "ehr/README.md"])
def test_every_link_to_a_section_finds_its_heading(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = re.findall(r"\]\(([^)#]*)#([^)]+)\)", text)

    assert links
    for file, anchor in links:
        target = (ROOT / page).parent / file if file else ROOT / page
        headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
        assert anchor in [_anchor(heading) for heading in headings]


def _anchor(heading: str) -> str:
    """Return what a heading is linked by."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def test_the_changelog_keeps_its_form() -> None:
    allowed = {"Security", "Added", "Changed", "Deprecated", "Removed", "Fixed"}
    releases = re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]

    assert releases
    for release in releases:
        title, headings = release.splitlines()[0], re.findall(r"^### (.*)$", release, re.MULTILINE)
        assert re.fullmatch(
            r"\[(Unreleased|\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d|Unreleased\])\]?", title
        )
        assert set(headings) <= allowed
        assert "Security" not in headings[1:]


def test_nothing_committed_names_a_machine_or_a_registry() -> None:
    found = []
    for path in _committed():
        content = path.read_bytes()
        if b"\0" in content[:8000]:
            continue
        text = content.decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in FORBIDDEN if word in text]

    assert found == []


def test_every_page_that_the_code_cites_is_in_the_checkout() -> None:
    cited = {
        (path.relative_to(ROOT), name)
        for path in _committed()
        if path.suffix in (".py", ".md") and path != Path(__file__)
        for name in re.findall(r"(?<![\w./])[\w/-]+\.md\b|\bDESIGN\b", path.read_text("utf-8"))
    }

    assert [one for one in cited if not (ROOT / one[1]).is_file()] == []


def test_the_sample_is_small_and_has_its_licence() -> None:
    sample = ROOT / "ehr" / "demo" / "sample.tar.gz"

    assert sample.stat().st_size <= 2 * 1024**2
    assert "Apache License, Version 2.0" in (sample.parent / "NOTICE").read_text("utf-8")
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
