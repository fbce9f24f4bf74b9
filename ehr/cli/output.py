"""What commands print: results on standard output, talk on standard error.

Colour comes on terminals only, and `NO_COLOR` is honoured (no-color.org). Lists come as aligned
columns or, with `--json`, as JSON.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import click


def say(text: str = "", *, strong: bool = False) -> None:
    """Tell the person what goes on; never part of a result."""
    click.echo(style(text, bold=True) if strong else text, err=True)


def style(text: str, *, stream: Any = None, **looks: Any) -> str:
    """Return the text in colour or bold where that can be seen and is wanted."""
    stream = stream or sys.stderr
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return click.style(text, **looks) if wanted and stream.isatty() else text


def put_json(value: Any) -> None:
    """Print a result for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def put_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a result for people: aligned columns, no frame; the last column may run on."""
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(headings))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(style(text.rstrip(), stream=sys.stdout, bold=number == 0))
