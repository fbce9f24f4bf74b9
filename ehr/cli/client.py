"""`ehr client`: the applications and systems that may ask for tokens (RFC 7591, SMART)."""

import os
from typing import Any

import click

from auth.apps import clients
from auth.apps.clients import APP_SCOPE, SYSTEM_SCOPE, Client
from ehr.cli import output, times
from ehr.cli.examples import examples
from ehr.cli.opening import opened_database
from ehr.cli.registering import registered, unknown, values_of, write
from ehr.cli.ticket import ticket

_MOST = "The most that it may ask for"


@click.group()
def client() -> None:
    """Register apps and systems, list and change them, and put them out of use."""


client.add_command(ticket)


@client.command(
    epilog=examples(
        'ehr client add --name "My app" --public --redirect https://app.example.org/callback',
        'ehr client add --name "Lab" --backend --jwks-file lab.jwks --scope "system/*.rs"',
    )
)
@click.option("--name", required=True, help="What people are asked to trust.")
@click.option("--id", help="Its client_id; else one is made up.")
@click.option("--public", is_flag=True, help="Runs where no secret can be kept.")
@click.option("--confidential", is_flag=True, help="Keeps a secret, sent as HTTP Basic.")
@click.option("--secret-in-body", is_flag=True, help="Keeps a secret, sent in the form.")
@click.option("--backend", is_flag=True, help="Acts for itself, without a user; needs keys.")
@click.option(
    "--scope",
    metavar="SCOPES",
    help=f'{_MOST}; else "{APP_SCOPE}", with --backend "{SYSTEM_SCOPE}".',
)
@registered
def add(
    name: str,
    id: str | None,
    public: bool,
    confidential: bool,
    secret_in_body: bool,
    backend: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Register a client and print what it may do, and this once its secret if it has one."""
    method = _method(
        none=public,
        client_secret_basic=confidential,
        client_secret_post=secret_in_body,
        private_key_jwt=bool(asked["jwks_file"] or asked["jwks_uri"]),
    )
    values = values_of(asked)
    values.setdefault("scope", SYSTEM_SCOPE if backend else APP_SCOPE)
    values |= {"id": id} if id else {}
    values |= {"grant_types": ("client_credentials",)} if backend else {}
    made, secret = write(
        "ehr client add",
        id or name,
        lambda connection: clients.create(
            connection, name=name, auth_method=method, now=times.now(), **values
        ),
        organisation=values.get("organisation"),
    )
    _print(made, secret, as_json=as_json)


@client.command("list", epilog=examples("ehr client list", "ehr client list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List every client."""
    with opened_database(os.environ) as database, database.read() as connection:
        found = clients.all_of(connection)
    if as_json:
        output.put_json([_described(each) for each in found])
        return
    if not found:
        output.say("There are no clients yet. Register one with `ehr client add`.")
        return
    rows = [(each.id, each.name, each.auth_method, _state(each)) for each in found]
    output.put_table(["Id", "Name", "Proves itself by", "State"], rows)


@client.command(epilog=examples("ehr client show my-app"))
@click.argument("id")
def show(id: str) -> None:
    """Print all that is registered of a client, as JSON."""
    with opened_database(os.environ) as database, database.read() as connection:
        found = clients.find(connection, id)
    if found is None:
        raise unknown(id)
    output.put_json(_described(found))


@client.command(epilog=examples("ehr client change my-app --verified --scope 'patient/*.rs'"))
@click.argument("id")
@click.option("--name", help="What people are asked to trust.")
@click.option("--scope", metavar="SCOPES", help=f"{_MOST}.")
@registered
def change(id: str, name: str | None, as_json: bool, **asked: Any) -> None:
    """Change what is named; a list that is named takes the place of the one before."""
    values = values_of(asked) | ({"name": name} if name else {})
    if not values:
        raise click.UsageError("Say what is to change: see the options.")
    changed = write(
        "ehr client change",
        id,
        lambda connection: clients.change(connection, id, now=times.now(), **values),
        of=id,
        organisation=values.get("organisation"),
    )
    _print(changed, None, as_json=as_json)


@client.command(epilog=examples("ehr client disable my-app"))
@click.argument("id")
def disable(id: str) -> None:
    """Put a client out of use for good, with every token it has; to go on, add it anew."""
    done = write(
        "ehr client disable",
        id,
        lambda connection: clients.disable(connection, id, now=times.now()),
        of=id,
    )
    said = "Out of use. Its tokens are refused from now on."
    output.say(said if done else f"{id} is out of use already.")


@client.command(epilog=examples("ehr client secret my-app"))
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with `client_secret`.")
def secret(id: str, as_json: bool) -> None:
    """Give a client another secret and print it, this once; the one before is worth nothing."""
    made = write(
        "ehr client secret",
        id,
        lambda connection: clients.renew_secret(connection, id, now=times.now()),
        of=id,
    )
    if as_json:
        output.put_json({"client_id": id, "client_secret": made})
        return
    output.say("Keep this secret; it is not shown again.")
    click.echo(made)


def _method(**chosen: bool) -> str:
    methods = [method for method, wanted in chosen.items() if wanted]
    if len(methods) != 1:
        raise click.UsageError(
            "Say how it proves who it is: --public, --confidential, --secret-in-body, "
            "--jwks-file or --jwks-uri, one of them."
        )
    return methods[0]


def _print(client: Client, secret: str | None, *, as_json: bool) -> None:
    told = _described(client) | ({"client_secret": secret} if secret else {})
    if as_json:
        output.put_json(told)
        return
    rows = [
        ("client_id", client.id),
        ("client_secret", secret),
        ("name", client.name),
        ("proves itself by", _proof(client)),
        ("comes back to", " ".join(client.redirect_uris)),
        ("is started at", client.launch_uri),
        ("may ask for", str(client.scope)),
        ("state", _state(client)),
    ]
    for name, value in rows:
        if value:
            click.echo(f"{name:<17} {value}")
    if secret:
        output.say("Keep the secret; it is not shown again.")
    if not client.verified and client.check_grant_type("authorization_code"):
        output.say(_untrusted(client))


def _proof(client: Client) -> str:
    keys = f"{client.auth_method}, keys at {client.jwks_uri}" if client.jwks_uri else None
    return "none (public), so PKCE alone" if client.is_public else keys or client.auth_method


def _untrusted(client: Client) -> str:
    """Say what an app is not given until an operator has checked it."""
    wants = client.scope.of("user")
    lost = f"\nIts {' '.join(map(str, wants))} will not be granted." if wants else ""
    return (
        "It is not verified: people are told so, and user/… scopes are left out of what it gets."
        f"{lost}\nWhen you know who made it: ehr client change {client.id} --verified"
    )


def _described(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.id,
        "client_name": client.name,
        "token_endpoint_auth_method": client.auth_method,
        "grant_types": list(client.grant_types),
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.logout_uris),
        "launch_uri": client.launch_uri,
        "origins": list(client.origins),
        "scope": str(client.scope),
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "organisation": client.organisation,
        "publisher": client.publisher,
        "purpose": client.purpose,
        "verified": client.verified,
        "dpop_bound_access_tokens": client.dpop,
        "created": times.shown(client.created),
        "changed": times.shown(client.changed),
        "state": _state(client),
    }


def _state(client: Client) -> str:
    if client.disabled is not None:
        return f"out of use since {times.shown(client.disabled)}"
    return "in use" if client.verified else "in use, not verified"
