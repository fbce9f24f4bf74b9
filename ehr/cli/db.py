"""`ehr db`: the database as a whole. Here its schema; `transfer.py` has backups and copies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ehr.cli import output, transfer
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.opening import check_there
from ehr.settings import Settings, load

if TYPE_CHECKING:
    from ehr.store.engine import Database


@click.group(commands=[transfer.backup, transfer.restore, transfer.copy])
def db() -> None:
    """Upgrade, show, back up, restore and copy the database."""


@db.command(short_help="Bring the schema to this release.", epilog=examples("ehr db upgrade"))
def upgrade() -> None:
    """Bring the schema to the one this release needs; nothing happens where it is there."""
    from ehr.store import migrate

    with _unchecked(load(os.environ)) as database:
        with database.read() as connection:
            before = migrate.current_revision(connection)
        database.write(migrate.upgrade)
        with database.read() as connection:
            after = migrate.current_revision(connection)
    if before == after:
        output.say(f"The schema is at {after} already.")
    else:
        output.say(f"The schema went from {before or 'none'} to {after}.")


@db.command(
    short_help="Show engine, schema and how much is in it.",
    epilog=examples("ehr db status", "ehr db status --json"),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> int:
    """Show engine, schema and how much is in it; exits with 1 where an upgrade is needed."""
    from ehr.bulk.status import describe

    settings = load(os.environ)
    check_there(settings)
    with _unchecked(settings) as database:
        found = describe(database, settings.database_url)
    if as_json:
        output.put_json(found)
    else:
        rows = [
            (name.replace("_", " ").capitalize(), _shown(value)) for name, value in found.items()
        ]
        output.put_table(("What", "Is"), rows)
    if found["schema"] != found["schema_needed"]:
        output.say("Run `ehr db upgrade`.")
        return Exit.FAILED
    return Exit.OK


@contextmanager
def _unchecked(settings: Settings) -> Iterator["Database"]:
    """Give a database whatever its schema is."""
    from ehr.store.engine import Database

    database = Database(settings.database_url, secret=settings.secret, pool_size=2)
    try:
        yield database
    finally:
        database.close()


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value if value is not None else "")
