"""`ehr keys`: the keys by which the record signs who signed in (id_tokens)."""

import os

import click

from auth.jose import keys as signing
from auth.jose.keys import SigningKey
from ehr.audit.kinds import Kind
from ehr.cli import output, telling, times
from ehr.cli.examples import examples
from ehr.cli.opening import opened_database
from ehr.store.safe import Safe


@click.group()
def keys() -> None:
    """Change and list the keys that sign."""


@keys.command(epilog=examples("ehr keys rotate", "ehr keys rotate --json"))
@click.option("--json", "as_json", is_flag=True, help="Print the new keys as JSON.")
def rotate(as_json: bool) -> None:
    """Sign with new keys from now on; the old ones are served until what they signed has ended."""
    with opened_database(os.environ, make=True) as database:
        telling.tell(database, telling.Command("ehr keys rotate", Kind.POLICY_CHANGED))
        new = signing.rotate(database, Safe(database), now=times.now())
    if as_json:
        output.put_json([_described(each) for each in new])
        return
    output.say("From now on these sign. Nobody needs to sign in again.")
    for each in new:
        click.echo(f"{each.kid}  {each.algorithm}")


@keys.command("list", epilog=examples("ehr keys list", "ehr keys list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the keys that sign or have signed; never their private parts."""
    with opened_database(os.environ) as database, database.read() as connection:
        found = [_described(each) for each in signing.listed(connection)]
    output.put_list(
        found,
        ("id", "algorithm", "created", "state"),
        as_json=as_json,
        none="There are no keys yet: the first is made when somebody signs in to an app.",
    )


def _described(key: SigningKey) -> dict[str, str | None]:
    return {
        "id": key.kid,
        "algorithm": key.algorithm,
        "created": times.shown(key.created),
        "retired": times.shown(key.retired),
        "ends": times.shown(key.ends),
        "state": _state(key),
    }


def _state(key: SigningKey) -> str:
    if key.ends is None:
        return "signs"
    return "ended" if key.ends <= times.now() else f"served until {times.shown(key.ends)}"
