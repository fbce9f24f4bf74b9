"""What the commands of `ehr client` share: options read into values, and changes to one client."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from auth.apps import clients
from auth.purposes import DEFAULT, OF_SERVICES
from ehr.audit.kinds import Kind
from ehr.cli import telling
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.cli.opening import opened_database
from ehr.cli.organisations import check_there

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")


def registered(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that `add` and `change` share."""
    for option in reversed(
        (
            click.option("--redirect", multiple=True, metavar="URI", help="Where sign-in ends."),
            click.option(
                "--after-logout", multiple=True, metavar="URI", help="Where signing out may end."
            ),
            click.option("--launch", metavar="URI", help="Where the workspace starts it."),
            click.option(
                "--origin", multiple=True, help="Whose scripts may call; else of --redirect."
            ),
            click.option("--jwks-file", metavar="FILE", help="Its public keys, as a JWK Set."),
            click.option("--jwks-uri", metavar="URI", help="Where its public keys are."),
            click.option(
                "--organisation", metavar="ID", help="The Organization it is of; people are told."
            ),
            click.option(
                "--purpose",
                type=click.Choice(list(OF_SERVICES)),
                help=f"For what a system uses the record; else {DEFAULT}.",
            ),
            click.option("--publisher", help="Who made it, where that is no Organization."),
            click.option(
                "--verified/--unverified",
                default=None,
                help="Whether you know who made it; else it is granted no user/… scopes.",
            ),
            click.option("--dpop/--no-dpop", default=None, help="Only tokens bound to its key."),
            click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        )
    ):
        command = option(command)
    return command


def values_of(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what was named on the command line, by the names of `clients.create`."""
    named = {
        "redirect_uris": asked["redirect"],
        "logout_uris": asked["after_logout"],
        "launch_uri": asked["launch"],
        "origins": asked["origin"] or _origins(asked["redirect"]),
        "scope": asked["scope"],
        "jwks": _key_set(asked["jwks_file"]),
        "jwks_uri": asked["jwks_uri"],
        "organisation": id_of(asked["organisation"]),
        "purpose": asked["purpose"],
        "publisher": asked["publisher"],
        "verified": asked["verified"],
        "dpop": asked["dpop"],
    }
    values = {name: value for name, value in named.items() if value not in (None, (), "")}
    if "jwks" in values or "jwks_uri" in values:
        values = {"jwks": None, "jwks_uri": None, **values}
    return values


def write(
    command: str,
    about: str,
    work: Callable[["Connection"], T],
    *,
    of: str | None = None,
    organisation: str | None = None,
) -> T:
    """Run work on the database, which audits the command too.

    The client `of` and the organisation must be there, if named.
    """
    with opened_database(os.environ, make=True) as database:
        check_there(database, organisation)
        if of is not None:
            with database.read() as connection:
                if clients.find(connection, of) is None:
                    raise unknown(of)
        try:
            return telling.write(
                database, telling.Command(command, Kind.CLIENT_CHANGED, about), work
            )
        except ValueError as error:
            raise CommandError(
                "Nothing was changed.", str(error), "See `ehr client --help`.", exit=Exit.USAGE
            ) from None


def id_of(organisation: str | None) -> str | None:
    """Return the id of an Organization, which may be named as `Organization/id` as well."""
    return organisation and organisation.removeprefix("Organization/")


def unknown(id: str) -> CommandError:
    """Return what is said of a client that is not there."""
    return CommandError(
        f"There is no client {id}.", "", "See `ehr client list` for the ids.", exit=Exit.REFUSED
    )


def _origins(redirects: tuple[str, ...]) -> tuple[str, ...]:
    """Return where pages that are come back to call from."""
    parts = [urlsplit(uri) for uri in redirects]
    web = [f"{each.scheme}://{each.netloc}" for each in parts if each.scheme in ("http", "https")]
    return tuple(dict.fromkeys(web))


def _key_set(file: str | None) -> dict[str, Any] | None:
    if file is None:
        return None
    try:
        read = json.loads(Path(file).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(
            f"{file} could not be read as a JWK Set.",
            type(error).__name__,
            'Name a JSON file: {"keys": [ … ]} with public keys.',
            exit=Exit.USAGE,
        ) from None
    return read if isinstance(read, dict) and "keys" in read else {"keys": [read]}
