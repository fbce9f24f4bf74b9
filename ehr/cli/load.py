"""`ehr load`: files, folders and archives into the record, directly or through a server."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ehr.cli import output
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.settings import Settings
from ehr.settings import load as load_settings

if TYPE_CHECKING:
    from ehr.bulk.load import Loader, Summary

_SHOWN = 3
_SMALL = 2_000_000  # bytes that one process loads before others have started


@click.command(
    epilog="For instance:  ehr load synthea.tar.gz    "
    "ehr load --url http://127.0.0.1:8000/fhir --token secr_… Patient.ndjson"
)
@click.argument("paths", metavar="FILE|FOLDER|ARCHIVE…", nargs=-1, required=True)
@click.option("--url", help="Load through the server at this FHIR base, not into the database.")
@click.option("--token", envvar="EHR_TOKEN", help="Bearer token for --url [EHR_TOKEN].")
@click.option("--processes", type=click.IntRange(1, 64), help="Side by side; else one a core.")
@click.option("--state", type=click.Path(dir_okay=False), help="Where to note what is in.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False),
    default="ehr-load-rejects.ndjson",
    show_default=True,
    help="Where to write what was refused, with file, line and reason.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def load(
    paths: tuple[str, ...],
    url: str | None,
    token: str | None,
    processes: int | None,
    state: str | None,
    rejects: str,
    as_json: bool,
) -> int:
    """Load Bundles, NDJSON and single resources (JSON or XML; .gz, .tar.gz, .zip).

    Resources with an id keep it. A load that was stopped goes on when it is given again. Exits
    with 6 if anything was refused.
    """
    from ehr.bulk.load import write_rejects
    from ehr.bulk.sources import UnreadableSource

    settings = load_settings({k: v for k, v in os.environ.items() if k != "EHR_TOKEN"})
    place = Path(state) if state else _state_path(settings, url)
    began = time.monotonic()
    try:
        summary = _load(
            [Path(path) for path in paths],
            place,
            lambda total: _loader(settings, url, token, processes or _processes(total)),
        )
    except UnreadableSource as error:
        raise CommandError(
            str(error), "", "Give files that are there and whole.", exit=Exit.USAGE
        ) from error
    if summary.rejects:
        write_rejects(summary.rejects, Path(rejects))
    _tell(summary, time.monotonic() - began, rejects, as_json=as_json)
    return Exit.REJECTS if summary.rejects else Exit.OK


def _load(
    paths: list[Path], place: Path, start: "Callable[[int], AbstractContextManager[Loader]]"
) -> "Summary":
    from ehr.bulk.load import load_sources
    from ehr.bulk.sources import open_sources
    from ehr.bulk.state import State
    from ehr.cli.output import bar

    with open_sources(paths) as sources:
        if not sources:
            raise CommandError(
                "There is nothing to load.",
                "Nothing in there is named .json, .ndjson or .xml (or one of these with .gz).",
                "Name the files so, or give another folder or archive.",
                exit=Exit.USAGE,
            )
        total = sum(source.size for source in sources)
        with (
            start(total) as loader,
            State(place) as done,
            bar("Loading", total, "resources") as advance,
        ):
            summary = load_sources(loader, sources, done, advance)
            if not summary.rejects:
                done.clear()
    return summary


def _processes(total: int) -> int:
    return (os.cpu_count() or 1) if total > _SMALL else 1


def _state_path(settings: Settings, url: str | None) -> Path:
    """Return a file beside an embedded database, or one here that is named after the target."""
    from hashlib import sha256

    if url is None and settings.database_url.startswith("sqlite:///"):
        path = Path(settings.database_url.removeprefix("sqlite:///"))
        return path.with_name(path.name + ".load-state")
    target = sha256((url or settings.database_url).encode()).hexdigest()[:12]
    return Path(f"ehr-load-{target}.state")


@contextmanager
def _loader(
    settings: Settings, url: str | None, token: str | None, processes: int
) -> Iterator["Loader"]:
    if url is not None:
        from ehr.bulk.sending import Sender, ServerGone

        try:
            with Sender(url, token, processes * 2) as sender:
                yield sender
        except ServerGone as error:
            raise CommandError(
                "The server can't be loaded through.",
                str(error),
                "Check --url and --token (`ehr token create --system` makes one), then load again: "
                "what is in already is not sent twice.",
                exit=Exit.REFUSED,
            ) from None
        return
    from ehr.bulk.workers import InProcess, Workers
    from ehr.cli.opening import opened_record
    from ehr.store.upkeep import settle

    environment = {k: v for k, v in os.environ.items() if k != "EHR_TOKEN"}
    with ExitStack() as stack:
        # Makes and migrates a new embedded database.
        record = stack.enter_context(opened_record(environment))
        if processes == 1:
            yield InProcess(record)
        else:
            yield stack.enter_context(Workers(settings, processes))
        settle(record.database)


def _tell(summary: "Summary", seconds: float, rejects: str, *, as_json: bool) -> None:
    done = summary.created + summary.updated
    if as_json:
        figures = summary.json() | {"seconds": round(seconds, 3)}
        output.put_json(figures | {"rejects": rejects if summary.rejects else None})
        return
    click.echo(
        f"{done:,} resources in {seconds:.1f} s ({done / max(seconds, 0.001):,.0f}/s): "
        f"{summary.created:,} created, {summary.updated:,} updated or there already."
    )
    if summary.skipped:
        output.say("An earlier load had taken in a part; that was not loaded again.")
    if not summary.rejects:
        return
    output.say(f"{len(summary.rejects):,} refused, all in {rejects}:", strong=True)
    for one in summary.rejects[:_SHOWN]:
        place = f"{one.piece.source}:{one.piece.line}" if one.piece.line else one.piece.source
        output.say(f"  {place} {one.resource} {one.expression} — {one.reason}")
