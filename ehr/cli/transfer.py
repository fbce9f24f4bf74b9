"""`ehr db backup`, `restore` and `copy`: the whole record into a file, back, or elsewhere."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ehr.audit.kinds import Kind
from ehr.cli import output, telling
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.cli.opening import check_there
from ehr.settings import Settings, load

if TYPE_CHECKING:
    from ehr.bulk.transfer import Moved
    from ehr.store.engine import Database


@click.command(
    short_help="Write a backup while the record goes on.",
    epilog=examples("ehr db backup monday.ehr", "ehr db backup monday.db"),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def backup(file: Path, as_json: bool) -> None:
    """Write a backup of one moment, while the record goes on, and read it again to prove it.

    FILE.db makes an SQLite file (from SQLite only); any other name makes an archive that can be
    restored into either engine. Keep EHR_SECRET with it: without it the keys inside are lost.
    """
    from ehr.bulk import transfer
    from ehr.store.online_backup import copy_file

    if file.exists():
        raise CommandError(f"{file} is there already.", "", "Give another name.", exit=Exit.USAGE)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    with _opened(load(os.environ)) as database, _timed() as seconds:
        telling.tell(database, telling.Command("ehr db backup", Kind.EXPORT_STARTED, file.name))
        if file.suffix == ".db":
            if database.dialect != "sqlite":
                raise CommandError(
                    "Only an SQLite database can be backed up as a .db file.",
                    f"This one is kept by {database.dialect}.",
                    "Give a name such as monday.ehr, or copy it with `ehr db copy`.",
                    exit=Exit.USAGE,
                )
            copy_file(database, part)
            moved: list[Moved] = []
        else:
            with _telling("Writing") as tell:
                transfer.backup(database, part, tell)
            with _telling("Reading back") as tell:
                moved = transfer.verify(part, tell)
    part.rename(file)
    _report(f"{file} is whole", moved, seconds(), as_json=as_json, file=str(file))


@click.command(
    short_help="Restore a backup into an empty database.",
    epilog=examples("EHR_DATABASE_URL=sqlite:///new.db ehr db restore monday.ehr"),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def restore(file: Path, as_json: bool) -> None:
    """Restore a backup into an empty database, which is migrated first.

    Pages and cursors that were handed out before are refused from then on.
    """
    from ehr.bulk import transfer
    from ehr.store.opening import open_database

    settings = load(os.environ)
    restored = telling.Command("ehr db restore", Kind.IMPORTED, file.name)
    with _timed() as seconds, _explained():
        if file.suffix == ".db":
            source = f"sqlite:///{file.resolve()}"
            before = open_database(source, secret=settings.secret, pool_size=2)
            try:
                with (
                    _target(settings.database_url, settings.secret) as target,
                    _telling("Restoring") as tell,
                ):
                    moved = transfer.copy(before, target, tell)
                    telling.tell(target, restored)
            finally:
                before.close()
        else:
            transfer.check_secret(file, settings.secret)
            with (
                _target(settings.database_url, settings.secret) as target,
                _telling("Restoring") as tell,
            ):
                moved = transfer.restore(file, target, tell)
                telling.tell(target, restored)
    _report("Restored", moved, seconds(), as_json=as_json)


@click.command(
    short_help="Copy the record into another empty database.",
    epilog=examples("ehr db copy postgresql://ehr@localhost/ehr"),
)
@click.argument("target_url", metavar="TARGET-URL")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def copy(target_url: str, as_json: bool) -> None:
    """Copy this database, of one moment, into another empty one of either engine.

    Every table is counted and hashed on both sides. Stop the servers first, so that nothing is
    written to the old database any more.
    """
    from ehr.bulk import transfer

    settings = load(os.environ)
    target_url = load({**os.environ, "EHR_DATABASE_URL": target_url}).database_url
    with (
        _timed() as seconds,
        _opened(settings) as source,
        _explained(),
        _target(target_url, settings.secret) as target,
        _telling("Copying") as tell,
    ):
        telling.tell(source, telling.Command("ehr db copy", Kind.EXPORT_STARTED, "all"))
        moved = transfer.copy(source, target, tell)
    _report("Copied", moved, seconds(), as_json=as_json)
    output.say("Set EHR_DATABASE_URL to the new database, and keep EHR_SECRET as it is.")


@contextmanager
def _opened(settings: Settings) -> Iterator["Database"]:
    from ehr.store.opening import open_database

    check_there(settings)
    database = open_database(settings.database_url, secret=settings.secret, pool_size=2)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _target(url: str, secret: str) -> Iterator["Database"]:
    """Give a migrated database to be filled; what it came to is opened once, to try its keys."""
    from ehr.store import migrate
    from ehr.store.engine import Database
    from ehr.store.opening import open_database

    database = Database(url, secret=secret, pool_size=2)
    try:
        database.write(migrate.upgrade)
        yield database
    finally:
        database.close()
    open_database(url, secret=secret, pool_size=2).close()


@contextmanager
def _explained() -> Iterator[None]:
    """Put the refusals of a transfer in words."""
    from ehr.bulk.archive import NotABackup
    from ehr.bulk.transfer import Differs, NotEmpty
    from ehr.store.keys import WrongSecret

    try:
        yield
    except NotEmpty:
        raise CommandError(
            "The target database is not empty.",
            "Restoring over a record would mix two of them.",
            "Give a new database: another EHR_DATABASE_URL or target.",
            exit=Exit.DATABASE,
        ) from None
    except WrongSecret:
        raise CommandError(
            "The backup's keys can't be opened.",
            "It was made with another EHR_SECRET; nothing was restored.",
            "Set EHR_SECRET to the secret that the backup was made with.",
            exit=Exit.SETTINGS,
        ) from None
    except NotABackup as error:
        raise CommandError(str(error), "", "Give another backup.", exit=Exit.USAGE) from None
    except Differs as error:
        raise CommandError(
            "What arrived is not what was sent.",
            str(error),
            "Do not use the new database: drop it and try again, or take another backup.",
        ) from None


@contextmanager
def _telling(title: str) -> Iterator[Callable[[str, int], None]]:
    from ehr.cli.output import bar

    with bar(title, None, "rows") as advance:
        yield lambda _table, rows: advance(0, rows)


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    began = time.monotonic()
    yield lambda: time.monotonic() - began


def _report(what: str, moved: "list[Moved]", seconds: float, *, as_json: bool, **more: Any) -> None:
    rows = sum(one.rows for one in moved)
    if as_json:
        tables = {one.table: {"rows": one.rows, "digest": one.digest} for one in moved}
        output.put_json({**more, "rows": rows, "seconds": round(seconds, 3), "tables": tables})
        return
    counted = (
        f": {output.counted(rows, 'row')} of {len(moved)} tables, counts and digests agree"
        if moved
        else ""
    )
    click.echo(f"{what}{counted} ({seconds:.1f} s).")
