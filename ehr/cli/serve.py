"""`ehr serve`: start the record for real, on the database of the settings."""

import os

import click

from ehr.cli import output
from ehr.cli.examples import examples
from ehr.settings import check_public, load, own_base


@click.command(
    epilog=examples(
        "ehr serve --port 9000", "EHR_DATABASE_URL=postgresql://ehr@db/ehr ehr serve --workers 4"
    )
)
@click.option("--host", help="Address to listen on [EHR_HOST].")
@click.option("--port", type=int, help="Port to listen on [EHR_PORT].")
@click.option("--workers", type=int, help="Server processes [EHR_WORKERS].")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Start the record and print its URL, and the first token of a new database."""
    from ehr.cli import server
    from ehr.cli.opening import opened_database
    from ehr.cli.token import first_token

    given = {"EHR_HOST": host, "EHR_PORT": port, "EHR_WORKERS": workers}
    chosen = {name: str(value) for name, value in given.items() if value is not None}
    environment = {**os.environ, **chosen}
    settings = load(environment)
    check_public(settings)
    server.check_address(settings)
    with opened_database(environment, make=True) as database:
        token = first_token(database)
        database.own_bases(own_base(settings))
    click.echo(f"The record is at {own_base(settings)}")
    if token is not None:
        click.echo(f"First token (shown once): {token}")
    else:
        output.say("Tokens are made with `ehr token create --system`.")
    output.say("Ctrl-C stops it.")
    server.run(settings, chosen)
