"""`ehr demo`: a database of its own with people in it, then the server. A second run uses it again.

The file appears only when all is loaded, so a demo that was stopped half-way begins anew.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ehr.cli import output
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.cli.opening import DEMO_FILE
from ehr.settings import Settings, load

if TYPE_CHECKING:
    from ehr.record import Record

_DAY = 86_400_000
_PORTS_TRIED = 20


@click.command(epilog=examples("ehr demo", "ehr demo --port 9000 --reset"))
@click.option("--file", default=DEMO_FILE, show_default=True, help="The demo's own database.")
@click.option("--port", type=int, help="Port to listen on; else 8000 or the next free one.")
@click.option("--reset", is_flag=True, help="Throw the demo's database away first.")
@click.option("--yes", is_flag=True, help="Do not ask before a reset.")
def demo(file: str, port: int | None, reset: bool, yes: bool) -> None:
    """Start the record with six people to try it on; nothing else needs to be set up."""
    from ehr.cli import server

    path = Path(file).resolve()
    if reset and path.exists():
        if not yes:
            click.confirm(f"Everything in {file} will be lost. Go on?", abort=True, err=True)
        _remove(path)
    settings = _free_address(port)
    if not path.exists():
        _make(path)
    chosen = {"EHR_DATABASE_URL": f"sqlite:///{path}", "EHR_PORT": str(settings.port)}
    url = server.url(settings)
    _greet(url, _token({**os.environ, **chosen}, url))
    server.run(settings, chosen)


def _free_address(port: int | None) -> Settings:
    """Return settings whose port is free: the one asked for, or the first from 8000 on."""
    from ehr.cli import server

    first = port or load(os.environ).port
    for number in [first] if port else range(first, first + _PORTS_TRIED):
        settings = load({**os.environ, "EHR_PORT": str(number)})
        try:
            server.check_address(settings)
        except CommandError as error:
            refused = error
        else:
            return settings
    raise refused


def _make(path: Path) -> None:
    """Load the sample into a file beside the final one and put it in place when complete."""
    from ehr.cli.opening import opened_record
    from ehr.demo import bundles

    part = path.with_name(f"{path.name}.part")
    _remove(part)
    output.say(f"Making {path.name}", strong=True)
    environment = {**os.environ, "EHR_DATABASE_URL": f"sqlite:///{part}"}
    with opened_record(environment, make=True, tell=False) as record:
        for name, bundle in bundles():
            _load(record, name, bundle)
    part.rename(path)
    _remove(part)


def _load(record: "Record", name: str, bundle: bytes) -> None:
    from ehr.cli.in_process import ask

    began = time.perf_counter()
    status, _, body = ask(record, "", method="POST", body=bundle, kind="system")
    answer = b"".join(body)
    if status != 200:
        raise CommandError(
            f"The sample of {name} was refused with status {status}.",
            answer.decode("utf-8", "replace")[:500],
            "Report this to the maintainers.",
            exit=Exit.REFUSED,
        )
    entries = answer.count(b'"response"')
    loaded = output.counted(entries, "resource")
    output.say(f"  {name:<20} {loaded:>14}  {time.perf_counter() - began:5.1f} s")


def _token(environment: dict[str, str], url: str) -> str:
    from auth import tokens
    from ehr.cli.opening import opened_database

    now = int(time.time() * 1000)
    with opened_database(environment) as database:
        database.own_bases(url)
        return database.write(
            lambda connection: tokens.create(
                connection, kind="system", name="demo", now=now, expires=now + _DAY
            )
        )


def _greet(url: str, token: str) -> None:
    click.echo(f"The record is at {url}")
    click.echo(f"Token for a day:  {token}")
    click.echo("Try in another terminal:")
    click.echo(f"  export FHIR={url} TOKEN={token}")
    click.echo('  curl -H "Authorization: Bearer $TOKEN" "$FHIR/Patient/mary-murray?_pretty=true"')
    output.say("Ctrl-C stops it; the next `ehr demo` goes on with the same people.")


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
