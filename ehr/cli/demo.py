"""`ehr demo`: a database of its own with people in it, then the server. A second run uses it again.

The file appears only when all is loaded, so a demo that was stopped half-way begins anew.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ehr.cli import demo_access, output
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.cli.opening import DEMO_FILE
from ehr.settings import Settings, load, own_base

if TYPE_CHECKING:
    from ehr.record import Record

_DAY = 86_400_000
_PORTS_TRIED = 20


@click.command(
    epilog=examples("ehr demo", "ehr demo --port 9000 --reset", "ehr demo --token anna.reid")
)
@click.option("--file", default=DEMO_FILE, show_default=True, help="The demo's own database.")
@click.option("--port", type=int, help="Port to listen on; else 8000 or the next free one.")
@click.option("--reset", is_flag=True, help="Throw the demo's database away first.")
@click.option("--yes", is_flag=True, help="Do not ask before a reset.")
@click.option("--codes", is_flag=True, help="Print the codes that staff sign in with now; end.")
@click.option("--token", metavar="NAME", help="Print a token for an hour as who signs in so; end.")
def demo(
    file: str, port: int | None, reset: bool, yes: bool, codes: bool, token: str | None
) -> None:
    """Start the record with six people to try it on; nothing else needs to be set up."""
    from ehr.cli import server

    path = Path(file).resolve()
    if codes or token:
        people = _people(path)
        if token:
            _print_token(path, token, [each["login"] for each in people])
        else:
            _print_codes(people)
        return
    if reset and path.exists():
        if not yes:
            click.confirm(f"Everything in {file} will be lost. Go on?", abort=True, err=True)
        _remove(path)
    settings = _free_address(port)
    if not path.exists():
        _make(path)
    chosen = {"EHR_DATABASE_URL": f"sqlite:///{path}", "EHR_PORT": str(settings.port)}
    url = own_base(settings)
    access = _access(path)
    _greet(url, _token({**os.environ, **chosen}, url))
    _tell_who_signs_in(url, access, path)
    server.run(settings, chosen)


def _free_address(port: int | None) -> Settings:
    """Return settings whose port is free: the one asked for, or the first from 8000 on."""
    from ehr.cli import server

    first = port or load(os.environ).port
    for number in [first] if port else range(first, first + _PORTS_TRIED):
        settings = load({**os.environ, "EHR_PORT": str(number)})
        try:
            server.check_address(settings, "--port or EHR_HOST")
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
    for kept in demo_access.files(path):  # they open what was there before
        kept.unlink(missing_ok=True)
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


def _access(path: Path) -> dict[str, Any]:
    """Return by what the demo's people sign in; made anew where that is not kept."""
    from ehr.cli.opening import opened_record
    from ehr.demo import consultant

    kept = demo_access.read(path)
    if kept is not None:
        return kept
    environment = {**os.environ, "EHR_DATABASE_URL": f"sqlite:///{path}"}
    with opened_record(environment, make=True, tell=False) as record:
        _load(record, "Dr Priya Nair", consultant())
        return demo_access.make(record, path)


def _tell_who_signs_in(url: str, access: dict[str, Any], path: Path) -> None:
    click.echo(f"Sign in at {url.removesuffix('/fhir')}/auth/sign-in as")
    for person in access["people"]:
        who = f"{person['name']}, {person['what']}"
        click.echo(f"  {who:<28} {person['login']:<12} {person['password']}")
    click.echo("Staff need a code as well; in another terminal: `python3 -m ehr demo --codes`")
    _, key = demo_access.files(path)
    click.echo(f"App:     client_id {access['app']}, comes back to {access['redirects'][0]}")
    click.echo(f"System:  client_id {access['system']}, its private key is in {key.name}")


def _people(path: Path) -> list[dict[str, Any]]:
    access = demo_access.read(path)
    if access is None:
        raise CommandError(
            f"Nobody signs in to {path.name} yet.",
            f"{demo_access.files(path)[0].name}, which says how, is not in its folder.",
            "Start `python3 -m ehr demo` once, or go to the folder that it was started in.",
            exit=Exit.USAGE,
        )
    people: list[dict[str, Any]] = access["people"]
    return people


def _print_codes(people: list[dict[str, Any]]) -> None:
    import pyotp

    staff = [each for each in people if each["secret"]]
    rows = [(each["login"], pyotp.TOTP(each["secret"]).now()) for each in staff]
    output.put_table(["Sign-in name", "Code"], rows)


def _print_token(path: Path, login: str, known: list[str]) -> None:
    from ehr.cli.demo_token import token_for
    from ehr.cli.opening import opened_record

    environment = {**os.environ, "EHR_DATABASE_URL": f"sqlite:///{path}"}
    token = None
    if login in known:
        with opened_record(environment, tell=False) as record:
            token = token_for(record, login)
    if token is None:
        raise CommandError(
            f"Nobody signs in to {path.name} as {login}.",
            "A token is for one of the demo's people.",
            f"Choose from {', '.join(known)}.",
            exit=Exit.USAGE,
        )
    click.echo(token)


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
