"""Writes the README's settings table from the code: `python3 -m tests.docs.settings_table`."""

from pathlib import Path

from ehr.settings import SETTINGS

README = Path(__file__).resolve().parents[2] / "README.md"
_BEGIN = "checked by a test -->\n"
_END = "<!-- /settings -->"


def table() -> str:
    """Return the table as it must stand in the README."""
    lines = ["| Variable | Value | Default | Meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{each.variable}` | {each.kind} | {f'`{each.default}`' if each.default else ''} "
        f"| {each.help} |"
        for each in SETTINGS
    ]
    return "\n".join(lines) + "\n"


def stands() -> str:
    """Return the table as it stands in the README."""
    return README.read_text("utf-8").partition(_BEGIN)[2].partition(_END)[0]


def write() -> None:
    """Bring the README's table up to date."""
    text = README.read_text("utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    README.write_text(before + begin + table() + end + after, "utf-8")


if __name__ == "__main__":
    write()
