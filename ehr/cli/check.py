"""`ehr check`: is this installation fit for use? One line a question, a remedy for ✗ and !."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ehr.cli import output
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.opening import check_there, embedded_file
from ehr.settings import DEVELOPMENT_SECRET, Settings, SettingsError, check_public, load

if TYPE_CHECKING:
    from ehr.bulk.checking.findings import Finding

_CLOCK = 5  # seconds that this machine's clock and the database's may differ
_FREE = 1024**3


@dataclass(frozen=True, slots=True)
class Answer:
    """One question answered: `remedy` is what to do where `passed` is false."""

    question: str
    passed: bool
    found: str
    remedy: str = ""
    examples: list[str] = field(default_factory=list)
    is_note: bool = False  # worth knowing and doing, no fault


@click.command(epilog=examples("ehr check", "ehr check --deep --json"))
@click.option("--deep", is_flag=True, help="Hold every row against what it was made from.")
@click.option("--repair", is_flag=True, help="With --deep: rebuild index rows that are wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(deep: bool, repair: bool, as_json: bool) -> int:
    """Check settings, database, schema, keys, clock and disk; exit with 1 if anything is wrong."""
    if repair and not deep:
        raise click.UsageError("--repair goes with --deep, which finds what to repair.")
    answers = list(_answers())
    if deep and all(one.passed for one in answers):
        answers += _deep(repair=repair)
    if as_json:
        output.put_json([_plain(one) for one in answers])
    else:
        for one in answers:
            _show(one)
    return Exit.OK if all(one.passed for one in answers) else Exit.FAILED


def _answers() -> Iterator[Answer]:
    try:
        settings = load(os.environ)
        check_public(settings)
    except SettingsError as error:
        yield Answer("Settings", False, error.what, error.remedy)
        return
    yield Answer("Settings", True, "all can be used")
    yield _secret(settings)
    yield from _database(settings)
    yield _disk(settings)


def _secret(settings: Settings) -> Answer:
    if settings.secret == DEVELOPMENT_SECRET:
        return Answer("Secret", True, "the development default; set EHR_SECRET before going public")
    return Answer("Secret", True, "set")


def _database(settings: Settings) -> Iterator[Answer]:
    from ehr.cli.failures import describe
    from ehr.store import migrate
    from ehr.store.engine import Database

    try:
        database = Database(settings.database_url, secret=settings.secret, pool_size=2)
    except ValueError as error:
        yield Answer("Database", False, str(error), "Correct EHR_DATABASE_URL.")
        return
    try:
        check_there(settings)
        with database.read() as connection:
            migrate.refuse_foreign(connection)
            found = migrate.current_revision(connection)
        yield Answer("Database", True, f"{database.dialect} answers")
        needed = migrate.newest_revision()
        yield Answer("Schema", found == needed, f"{found or 'none'}", "Run `ehr db upgrade`.")
        if found == needed:
            database.secret("hash")
            yield Answer("Keys", True, "opened with EHR_SECRET")
            yield _clock(database)
    except Exception as error:
        failure = describe(error)
        yield Answer("Database", False, f"{failure.what} {failure.why}", failure.remedy)
    finally:
        database.close()


def _clock(database: Any) -> Answer:
    from ehr.bulk.status import clock

    apart = abs(clock(database) - time.time())
    found = f"{apart:.1f} s apart from the database's"
    return Answer("Clock", apart <= _CLOCK, found, "Set both clocks by NTP.")


def _disk(settings: Settings) -> Answer:
    folder = Path.cwd()
    file = embedded_file(settings)
    if file is not None:
        folder = file.resolve().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free / 1024**3:,.1f} GiB free"
    return Answer("Disk", free >= _FREE, found, "Free at least 1 GiB where the database lies.")


def _deep(*, repair: bool) -> list[Answer]:
    from ehr.bulk.checking import deep_check
    from ehr.bulk.checking import repair as mending
    from ehr.cli.opening import opened_record
    from ehr.cli.output import bar

    with opened_record(os.environ) as record:
        mend = partial(mending.repair, record) if repair else None
        with bar("Checking", deep_check.steps(record), "versions") as advance:
            report = deep_check.check(record, advance, mend)
        if repair:
            swept = mending.sweep(record)
            again = output.counted(report.repaired, "resource")
            removed = output.counted(swept, "index row")
            output.say(f"Index rows built again: those of {again}.")
            output.say(f"Removed because they belonged to nothing: {removed}.")
            with bar("Checking again", deep_check.steps(record), "versions") as advance:
                report = deep_check.check(record, advance)
    versions = output.counted(report.versions, "version")
    output.say(f"Read: {versions} of {output.counted(report.resources, 'resource')}.")
    return [_of_finding(one) for one in report.findings]


def _of_finding(finding: "Finding") -> Answer:
    question = finding.name[0].upper() + finding.name[1:]
    found = "yes" if not finding.count else f"not so for {finding.count:,}"
    passed = finding.is_note or not finding.count
    is_note = finding.is_note and bool(finding.count)
    return Answer(question, passed, found, finding.remedy, finding.examples, is_note)


def _show(one: Answer) -> None:
    mark = output.style("✓", fg="green") if one.passed else output.style("✗", fg="red")
    if one.is_note:
        mark = output.style("!", fg="yellow")
    click.echo(f"{mark} {one.question}: {one.found}")
    for example in one.examples:
        click.echo(f"    {example}")
    if one.remedy and (one.is_note or not one.passed):
        click.echo(f"    Do: {one.remedy}")


def _plain(one: Answer) -> dict[str, Any]:
    return {
        "question": one.question,
        "passed": one.passed,
        "found": one.found,
        "remedy": one.remedy if one.is_note or not one.passed else None,
        "examples": one.examples,
    }
