"""`ehr token`: the opaque bearer tokens by which systems and operators reach the record."""

import os
from typing import TYPE_CHECKING

import click

from auth import tokens
from auth.tokens import IssuedToken
from ehr.audit.kinds import Kind
from ehr.cli import output, times
from ehr.cli.examples import examples
from ehr.cli.failures import refused
from ehr.cli.opening import opened_database
from ehr.settings import load
from ehr.settings.values import shown_url

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ehr.store.engine import Database


@click.group()
def token() -> None:
    """Make, list and revoke access tokens."""


@token.command(
    epilog=examples(
        'ehr token create --system --name "GP system"',
        "ehr token create --operator --expires 8h --json",
    )
)
@click.option("--system", is_flag=True, help="For a client system: reads and writes the record.")
@click.option(
    "--operator", is_flag=True, help="For who runs it: reads, SearchParameters, $reindex."
)
@click.option("--name", default="", help="Who uses it, as `ehr token list` shows.")
@click.option("--organisation", metavar="ID", help="The Organization the system belongs to.")
@click.option("--expires", metavar="TIME", help="How long it is good for: 30m, 8h, 90d.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with the member `token`.")
def create(
    system: bool,
    operator: bool,
    name: str,
    organisation: str | None,
    expires: str | None,
    as_json: bool,
) -> None:
    """Make a token and print it, this once."""
    from ehr.cli import telling
    from ehr.cli.organisations import is_there
    from ehr.cli.registering import id_of

    if system == operator:
        raise click.UsageError("Say whom the token is for: --system or --operator, one of them.")
    kind = "system" if system else "operator"
    now = times.now()
    ends = now + times.duration(expires) if expires else None
    organisation = id_of(organisation)
    with opened_database(os.environ, make=True) as database:
        made = telling.write(
            database,
            telling.Command("ehr token create", Kind.TOKEN_ISSUED, name or kind),
            lambda connection: tokens.create(
                connection,
                kind=kind,
                name=name or kind,
                now=now,
                organisation=organisation,
                expires=ends,
            ),
        )
        if organisation and not is_there(database, organisation):
            output.say(
                f"The record has no Organization/{organisation}. If that is yet to be loaded, all "
                "is well; else revoke this token and make one with the right id."
            )
    if as_json:
        output.put_json(
            {"token": made, "kind": kind, "name": name or kind, "expires": times.shown(ends)}
        )
        return
    output.say(
        f"Keep this token; it is not shown again. It opens the record in {_place()}; "
        "send it as `Authorization: Bearer …`."
    )
    click.echo(made)


@token.command(
    "list",
    short_help="List every token that was made.",
    epilog=examples("ehr token list", "ehr token list --json"),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List every token that was made; the tokens themselves are not kept."""
    with opened_database(os.environ) as database, database.read() as connection:
        found = [_described(each) for each in tokens.issued(connection)]
    output.put_list(
        found,
        ("id", "kind", "name", "organisation", "created", "state"),
        as_json=as_json,
        none=f"{_place()} has no tokens yet. Make one with `ehr token create --system`.",
    )


@token.command(
    short_help="Revoke a token by itself or its id.",
    epilog=examples("ehr token revoke 3f0c9a12e5b77d40", "ehr token revoke secr_…"),
)
@click.argument("token_or_id")
def revoke(token_or_id: str) -> None:
    """Revoke a token, given whole or by its id in `ehr token list`."""
    from ehr.cli import telling

    id = tokens.id_of(token_or_id) if token_or_id.startswith(tokens.PREFIX) else token_or_id
    with opened_database(os.environ) as database:
        done = telling.write(
            database,
            # The token itself is a secret, and never stands in the trail.
            telling.Command("ehr token revoke", Kind.TOKEN_REVOKED, id),
            lambda connection: tokens.revoke(connection, token_or_id, now=times.now()),
        )
    if not done:
        raise refused(
            "No token was revoked.",
            f"None in force in {_place()} has this id.",
            "See `ehr token list` for the ids.",
        )
    output.say("Revoked. Every server process refuses it from now on.")


def first_token(database: "Database") -> str | None:
    """Make the first system token of a database; None where one is in force already."""

    def make(connection: "Connection") -> str | None:
        if any(_state(each) not in ("revoked", "expired") for each in tokens.issued(connection)):
            return None
        return tokens.create(connection, kind="system", name="first", now=times.now())

    from ehr.cli import telling

    made = database.write(make)
    if made is not None:
        telling.tell(database, telling.Command("ehr serve", Kind.TOKEN_ISSUED, "first"))
    return made


def _place() -> str:
    """Return the database of the settings as a person may read it."""
    return shown_url(load(os.environ).database_url)


def _described(issued: IssuedToken) -> dict[str, str | None]:
    return {
        "id": issued.id,
        "kind": issued.kind,
        "name": issued.name,
        "organisation": issued.organisation,
        "created": times.shown(issued.created),
        "expires": times.shown(issued.expires),
        "revoked": times.shown(issued.revoked),
        "state": _state(issued),
    }


def _state(issued: IssuedToken) -> str:
    if issued.revoked is not None:
        return "revoked"
    if issued.expires is not None and issued.expires <= times.now():
        return "expired"
    return f"until {times.shown(issued.expires)}" if issued.expires else "in force"
