"""`ehr user`: the people who may sign in, and what they may open."""

import os
from typing import Any

import click

from auth.joining import identities, inviting
from auth.joining.inviting import CannotInvite
from auth.principal import Principal
from auth.sign_in import one_time_codes, passkeys, users
from auth.sign_in.users import Role, User
from ehr.audit.telling.commands import running_user
from ehr.cli import output, times
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.cli.inviting import fault_of, put_invitation
from ehr.cli.opening import opened_database
from ehr.cli.user_acting import acts_for
from ehr.cli.user_changes import disable, enable, named, role, unlink

_CALLER = Principal(running_user(), "operator", "ehr user")


@click.group()
def user() -> None:
    """Invite people, list and show them, shut them out and let them in again."""


for each in (disable, enable, unlink, role, acts_for):
    user.add_command(each)


@user.command(
    epilog=examples(
        'ehr user invite --professional anna-reid --role gp --title "GP at Leith Walk" \\\n'
        "    --organisation leith-walk-surgery",
        "ehr user invite --patient mary-murray",
    )
)
@click.option("--professional", metavar="ID", help="A Practitioner of the record.")
@click.option("--patient", metavar="ID", help="A Patient of the record, or an NHS or CHI number.")
@click.option("--carer", metavar="ID", help="A RelatedPerson of the record.")
@click.option("--role", default="", help=f"Of a professional: {inviting.WORDS}.")
@click.option("--title", default="", help="Of a professional: GP at Leith Walk.")
@click.option("--organisation", metavar="ID", help="Of a professional: where the role is held.")
@click.option("--manages", is_flag=True, help="Of a professional: may invite others there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with the member `code`.")
def invite(
    professional: str | None,
    patient: str | None,
    carer: str | None,
    role: str,
    title: str,
    organisation: str | None,
    manages: bool,
    as_json: bool,
) -> None:
    """Make a one-time invitation and print its code, this once."""
    named = {"professional": professional, "patient": patient, "carer": carer}
    chosen = [(kind, id) for kind, id in named.items() if id]
    if len(chosen) != 1:
        raise click.UsageError("Say whom: --professional, --patient or --carer, one of them.")
    kind, person = chosen[0]
    if professional and not (role and title):
        raise click.UsageError(
            'With --professional say --role and --title: --role gp --title "GP at Leith Walk".'
        )
    if not professional and (role or title or organisation or manages):
        raise click.UsageError(
            "--role, --title, --organisation and --manages go with --professional."
        )
    place = organisation and organisation.removeprefix("Organization/")
    try:
        roles = (inviting.role(role, title, place, manages=manages),) if professional else ()
        put_invitation(_CALLER, kind, person, roles, as_json=as_json)
    except CannotInvite as fault:
        raise fault_of(kind, person, fault) from None


@user.command("list", epilog=examples("ehr user list", "ehr user list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List everybody who may sign in."""
    with opened_database(os.environ) as database, database.read() as connection:
        found = [_described(each) for each in users.everyone(connection, times.now())]
    output.put_list(
        found,
        ("login", "kind", "name", "person", "state"),
        as_json=as_json,
        none="Nobody may sign in yet. Invite somebody with `ehr user invite`.",
    )


@user.command(epilog=examples("ehr user show anna.reid", "ehr user show anna.reid --json"))
@click.argument("login")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(login: str, as_json: bool) -> None:
    """Show one user: roles, patients, and the ways in which they sign in."""
    with opened_database(os.environ) as database, database.read() as connection:
        found = named(users.find_login(connection, login, times.now()), login)
        factors = one_time_codes.factors_of(connection, found.id)
        linked = identities.of_user(connection, found.id)
        keys = passkeys.of_user(connection, found.id)
    shown = _described(found) | {
        "id": found.id,
        "patients": list(found.patients),
        "acts_as": [f"{person} for Patient/{id}" for id, person in found.others.items()],
        "roles": [_role(each) for each in found.roles],
        "authenticator_app": factors.totp,
        "passkeys": [each.name for each in keys],
        "recovery_codes": factors.recovery_codes,
        "accounts_elsewhere": [each.issuer for each in linked],
    }
    if as_json:
        output.put_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name.replace('_', ' ').capitalize()}: {_plain(value)}")


@user.command(epilog=examples("ehr user reset anna.reid"))
@click.argument("login")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with the member `code`.")
def reset(login: str, as_json: bool) -> None:
    """Make an invitation by which a user gets back in who lost password or device.

    What they sign in with now holds until they use the code, and ends then.
    """
    with opened_database(os.environ) as database, database.read() as connection:
        found = named(users.find_login(connection, login, times.now()), login)
    try:
        put_invitation(
            _CALLER, found.kind, found.fhir_user, found.roles, user_id=found.id, as_json=as_json
        )
    except CannotInvite as fault:
        raise CommandError("No invitation was made.", str(fault), "", exit=Exit.REFUSED) from None


def _described(found: User) -> dict[str, Any]:
    return {
        "login": found.login,
        "kind": found.kind,
        "name": found.name,
        "person": found.fhir_user,
        "state": "shut out" if found.disabled else "may sign in",
    }


def _role(held: Role) -> dict[str, Any]:
    return {
        "number": held.number,
        "role": held.role,
        "title": held.title,
        "organisation": held.organisation,
        "manages": held.manages,
    }


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        texts = [
            f"{each['number']} {each['title']} ({each['role']})" if isinstance(each, dict) else each
            for each in value
        ]
        return ", ".join(texts) or "none"
    return str(value)
