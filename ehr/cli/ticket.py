"""`ehr client ticket`: initial access tokens, with which others register clients (RFC 7591)."""

import os

import click

from auth.apps import tickets
from ehr.cli import output, times
from ehr.cli.examples import examples
from ehr.cli.failures import refused
from ehr.cli.opening import opened_database
from ehr.cli.registering import id_of, write


@click.group()
def ticket() -> None:
    """Let somebody register clients over the network, so many and for so long."""


@ticket.command(epilog=examples('ehr client ticket create --name "App maker" --uses 2'))
@click.option("--name", required=True, help="Who gets it; people read it of their apps.")
@click.option("--organisation", metavar="ID", help="The Organization of who gets it.")
@click.option("--uses", type=click.IntRange(1, 1000), default=1, show_default=True)
@click.option("--expires", metavar="TIME", default="7d", show_default=True, help="30m, 8h, 90d.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with the member `ticket`.")
def create(name: str, organisation: str | None, uses: int, expires: str, as_json: bool) -> None:
    """Make a ticket and print it, this once."""
    now = times.now()
    ends = now + times.duration(expires)
    place = id_of(organisation)
    made = write(
        "ehr client ticket",
        name,
        lambda connection: tickets.create(
            connection,
            name=name,
            organisation=place,
            uses=uses,
            now=now,
            expires=ends,
        ),
        organisation=place,
    )
    if as_json:
        output.put_json({"ticket": made, "uses": uses, "expires": times.shown(ends)})
        return
    output.say(
        "Keep this ticket; it is not shown again. It goes to /auth/register as "
        "`Authorization: Bearer …`."
    )
    click.echo(made)


@ticket.command("list", epilog=examples("ehr client ticket list"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List every ticket; the tickets themselves are not kept."""
    with opened_database(os.environ) as database, database.read() as connection:
        found = [_described(each) for each in tickets.listed(connection)]
    output.put_list(found, ("id", "name", "uses_left", "expires", "state"), as_json=as_json)


@ticket.command(epilog=examples("ehr client ticket revoke 3f0c9a12e5b77d40"))
@click.argument("id")
def revoke(id: str) -> None:
    """Revoke a ticket by its id."""
    done = write(
        "ehr client ticket revoke",
        id,
        lambda connection: tickets.revoke(connection, id, now=times.now()),
    )
    if not done:
        raise refused(
            "No ticket was revoked.",
            f"None in force has the id {id}.",
            "See `ehr client ticket list` for the ids.",
        )
    output.say("Revoked.")


def _described(made: tickets.Ticket) -> dict[str, str]:
    return {
        "id": made.id,
        "name": made.name,
        "uses_left": str(made.uses_left),
        "expires": times.shown(made.expires) or "",
        "state": _state(made),
    }


def _state(made: tickets.Ticket) -> str:
    if made.revoked is not None:
        return "revoked"
    if made.expires <= times.now():
        return "expired"
    return "in force" if made.uses_left else "used up"
