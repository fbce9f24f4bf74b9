"""`ehr load`: files, folders and archives into the record, directly or through a server."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ehr.cli import output
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.settings import Settings
from ehr.settings import load as load_settings

if TYPE_CHECKING:
    from ehr.bulk.loading.run import Loader, Progress, Summary

_SHOWN = 3
_SMALL = 2_000_000  # bytes that one process loads before others have started


@click.command(
    epilog=examples(
        "ehr load synthea.tar.gz",
        "ehr load --url http://127.0.0.1:8000/fhir --token secr_… Patient.ndjson",
    )
)
@click.argument("paths", metavar="FILE|FOLDER|ARCHIVE…", nargs=-1, required=True)
@click.option("--url", help="Load through the server at this FHIR base, not into the database.")
@click.option("--token", envvar="EHR_TOKEN", help="Bearer token for --url [EHR_TOKEN].")
@click.option("--processes", type=click.IntRange(1, 64), help="Side by side; else one a core.")
@click.option(
    "--state", type=click.Path(dir_okay=False), help="With --url: where to note what is in."
)
@click.option("--again", is_flag=True, help="Load also what an earlier, stopped load took in.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False),
    default="ehr-load-rejects.ndjson",  # as `REJECTS` of `ehr/bulk/loading/sources.py` begins
    show_default=True,
    help="Where to write what was refused, with file, line and reason; numbered where it is there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def load(
    paths: tuple[str, ...],
    url: str | None,
    token: str | None,
    processes: int | None,
    state: str | None,
    again: bool,
    rejects: str,
    as_json: bool,
) -> int:
    """Load Bundles, NDJSON and single resources (JSON or XML; .gz, .zst, .tar.gz, .zip).

    Resources with an id keep it. Transactions and batches are carried out; a collection, searchset
    or history is taken apart. Bundles that `ehr export` wrote stay whole: in NDJSON, those in a
    file named Bundle.ndjson (or numbered, Bundle.1.ndjson) and those with id and meta.versionId.
    A load that was stopped goes on when it is given again. Exits with 6 if anything was refused.
    """
    from ehr.bulk.loading.run import write_rejects
    from ehr.bulk.loading.sources import UnreadableSource

    settings = load_settings(os.environ)
    _check_options(url, token, state)
    began = time.monotonic()

    def start(total: int) -> "AbstractContextManager[tuple[Loader, Progress]]":
        if url is not None:
            return _through_server(
                url, token, processes, Path(state) if state else _state_path(url)
            )
        return _into_database(settings, processes or _processes(total))

    try:
        summary = _load([Path(path) for path in paths], start, again=again)
    except UnreadableSource as error:
        raise CommandError(
            str(error), "", "Give files that are there and whole.", exit=Exit.USAGE
        ) from error
    if summary.rejects:
        rejects = str(write_rejects(summary.rejects, Path(rejects)))
    _tell(summary, time.monotonic() - began, rejects, as_json=as_json)
    return Exit.REJECTS if summary.rejects else Exit.OK


def _check_options(url: str | None, token: str | None, state: str | None) -> None:
    if state and url is None:
        raise CommandError(
            "--state goes with --url.",
            "A load into the database notes there what it has taken in.",
            "Leave --state out.",
            exit=Exit.USAGE,
        )
    if url and not token:
        raise CommandError(
            "--url needs a token.",
            "A server answers nobody without one.",
            "Give --token or set EHR_TOKEN; `ehr token create --system` makes one.",
            exit=Exit.USAGE,
        )


def _load(
    paths: list[Path],
    start: "Callable[[int], AbstractContextManager[tuple[Loader, Progress]]]",
    *,
    again: bool,
) -> "Summary":
    from ehr.bulk.loading.run import load_sources
    from ehr.bulk.loading.sources import open_sources
    from ehr.cli.output import bar

    with open_sources(paths) as sources:
        if not sources:
            raise CommandError(
                "There is nothing to load.",
                "Nothing in there is named .json, .ndjson or .xml, or that with .gz or .zst.",
                "Name the files so, or give another folder or archive.",
                exit=Exit.USAGE,
            )
        total = sum(source.size for source in sources)
        with start(total) as (loader, done), bar("Loading", total, "resources") as advance:
            if again:
                done.forget()
            summary = load_sources(loader, sources, done, advance)
            if not summary.rejects:
                done.clear()
    return summary


def _processes(total: int) -> int:
    return (os.cpu_count() or 1) if total > _SMALL else 1


def _state_path(url: str) -> Path:
    """Return a file here that is named after the server."""
    from hashlib import sha256

    return Path(f"ehr-load-{sha256(url.encode()).hexdigest()[:12]}.state")


@contextmanager
def _through_server(
    url: str, token: str | None, processes: int | None, place: Path
) -> Iterator[tuple["Loader", "Progress"]]:
    from ehr.bulk.loading.progress import NotedInFile
    from ehr.bulk.loading.sending import Sender, ServerGone

    try:
        with (
            Sender(url, token, (processes or os.cpu_count() or 1) * 2) as sender,
            NotedInFile(place) as done,
        ):
            yield sender, done
    except ServerGone as error:
        raise CommandError(
            "The server can't be loaded through.",
            str(error),
            "Check --url, such as http://127.0.0.1:8000/fhir, and --token (`ehr token create "
            "--system` makes one), then load again: what is in already is not sent twice.",
            exit=Exit.REFUSED,
        ) from None


@contextmanager
def _into_database(settings: Settings, processes: int) -> Iterator[tuple["Loader", "Progress"]]:
    from ehr.bulk.loading.progress import NotedInDatabase
    from ehr.bulk.loading.workers import InProcess, Workers
    from ehr.cli.opening import opened_record
    from ehr.store.upkeep import settle

    with opened_record(os.environ, make=True) as record:
        noted = NotedInDatabase(record.database)
        with ExitStack() as stack:
            several = stack.enter_context(Workers(settings, processes)) if processes > 1 else None
            yield several or InProcess(record), noted
        settle(record.database)
        # Last of all: a load that is killed before goes on where it stopped, and has all in.
        noted.finish()


def _tell(summary: "Summary", seconds: float, rejects: str, *, as_json: bool) -> None:
    done = summary.created + summary.updated
    if as_json:
        figures = summary.json() | {"seconds": round(seconds, 3)}
        output.put_json(figures | {"rejects": rejects if summary.rejects else None})
        return
    rate = done / max(seconds, 0.001)
    click.echo(
        f"{output.counted(done, 'resource')} in {seconds:.1f} s ({rate:,.0f}/s): "
        f"{summary.created:,} created, {summary.updated:,} updated or there already."
    )
    if summary.skipped:
        output.say(
            f"{summary.skipped:,} resources or Bundles are in since an earlier load of the same "
            "files and were passed over; --again loads them anew."
        )
    if not summary.rejects:
        return
    output.say(f"{len(summary.rejects):,} refused, all in {rejects}:", strong=True)
    for one in summary.rejects[:_SHOWN]:
        place = f"{one.piece.source}:{one.piece.line}" if one.piece.line else one.piece.source
        named = " ".join(part for part in (place, one.resource, one.expression) if part)
        output.say(f"  {named} — {one.reason}")
    if len(summary.rejects) > _SHOWN:
        output.say(f"  … and {len(summary.rejects) - _SHOWN:,} more")
