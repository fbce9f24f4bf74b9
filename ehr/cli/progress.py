"""A bar with rate and time left, on standard error, and only where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, int], None]


@contextmanager
def bar(title: str, total: int | None, unit: str) -> Iterator[Advance]:
    """Give a function to call with (steps of the total, things done)."""
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
