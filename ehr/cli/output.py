"""What commands print: results on standard output, talk on standard error.

Colour comes on terminals only, and `NO_COLOR` is honoured (no-color.org). Lists come as aligned
columns or, with `--json`, as JSON.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click


def say(text: str = "", *, strong: bool = False) -> None:
    """Tell the person what goes on; never part of a result."""
    click.echo(style(text, bold=True) if strong else text, err=True)


def counted(number: int, thing: str) -> str:
    """Return a number with the word for what it counts: 1 resource, 1,200 resources."""
    return f"{number:,} {thing if number == 1 else f'{thing}s'}"


def style(text: str, *, stream: Any = None, **looks: Any) -> str:
    """Return the text in colour or bold where that can be seen and is wanted."""
    stream = stream or sys.stderr
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return click.style(text, **looks) if wanted and stream.isatty() else text


def put_json(value: Any) -> None:
    """Print a result for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def put_list(
    found: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, none: str = ""
) -> None:
    """Print what a command lists: the whole for programs, some columns of it for people.

    `none` is what people are told where there is nothing to list.
    """
    if as_json:
        put_json(found)
        return
    if none and not found:
        say(none)
        return
    headings = [column.replace("_", " ").capitalize() for column in columns]
    put_table(headings, [[each[column] or "" for column in columns] for each in found])


def put_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a result for people: aligned columns, no frame; the last column may run on."""
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(headings))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(style(text.rstrip(), stream=sys.stdout, bold=number == 0))


@contextmanager
def bar(title: str, total: int | None, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (steps of the total, things done); the bar is for terminals."""
    if not sys.stderr.isatty():
        yield lambda _steps, _things: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %") if total else TextColumn(""),
        TextColumn("{task.fields[things]:>10,} " + unit),
        TextColumn("{task.fields[rate]:>8,.0f}/s"),
        TimeRemainingColumn() if total else TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total, things=0, rate=0.0)
        things = 0

        def advance(steps: int, more: int) -> None:
            nonlocal things
            things += more
            elapsed = progress.tasks[0].elapsed or 0.001
            progress.update(task, advance=steps, things=things, rate=things / elapsed)

        yield advance
