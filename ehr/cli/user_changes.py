"""What `ehr user` changes: who is shut out, let in again, unlinked, and which roles they hold."""

import os
from typing import Any

import click

from auth.joining import identities, inviting
from auth.joining.inviting import CannotInvite
from auth.sign_in import sessions, users
from auth.sign_in.users import Role, User
from ehr.audit.kinds import Kind
from ehr.cli import output, telling, times
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.cli.opening import opened_database
from ehr.cli.organisations import check_there
from ehr.cli.registering import id_of


@click.command(epilog=examples("ehr user disable anna.reid"))
@click.argument("login")
def disable(login: str) -> None:
    """Shut a user out at once: sessions, apps and tokens end."""
    with opened_database(os.environ) as database:
        now = times.now()

        def work(connection: Any) -> bool:
            found = named(users.find_login(connection, login, now), login)
            sessions.end_all_of_user(connection, found.id, why="disabled", now=now)
            return users.set_disabled(connection, found.id, disabled=True, now=now)

        done = telling.write(database, _told("disable", login), work)
    output.say("Shut out." if done else "They were shut out already.")


@click.command(epilog=examples("ehr user enable anna.reid"))
@click.argument("login")
def enable(login: str) -> None:
    """Let a user in again who was shut out."""
    with opened_database(os.environ) as database:
        now = times.now()

        def work(connection: Any) -> bool:
            found = named(users.find_login(connection, login, now), login)
            return users.set_disabled(connection, found.id, disabled=False, now=now)

        done = telling.write(database, _told("enable", login), work)
    output.say("Let in again." if done else "They were not shut out.")


@click.command(epilog=examples("ehr user unlink mary", "ehr user unlink mary --issuer https://…"))
@click.argument("login")
@click.option("--issuer", help="This provider only.")
def unlink(login: str, issuer: str | None) -> None:
    """Forget the accounts elsewhere by which a user signs in; what was open ends."""
    with opened_database(os.environ) as database:
        now = times.now()

        def work(connection: Any) -> int:
            found = named(users.find_login(connection, login, now), login)
            ended = identities.unlink(connection, found.id, issuer, now=now)
            if ended:
                sessions.end_all_of_user(connection, found.id, why="unlinked", now=now)
            return ended

        done = telling.write(database, _told("unlink", login), work)
    output.say(f"Forgot {done} of their accounts elsewhere.")


@click.command(
    epilog=examples(
        'ehr user role anna.reid --role gp --title "GP at Leith Walk" \\\n'
        "    --organisation leith-walk-surgery",
        "ehr user role anna.reid --remove 2",
    )
)
@click.argument("login")
@click.option("--role", "name", default="", help=f"A role to add: {inviting.WORDS}.")
@click.option("--title", default="", help="What it is called: GP at Leith Walk.")
@click.option("--organisation", metavar="ID", help="Where it is held.")
@click.option("--manages", is_flag=True, help="May invite others there.")
@click.option("--remove", type=int, help="The number of a role to take away.")
def role(
    login: str,
    name: str,
    title: str,
    organisation: str | None,
    manages: bool,
    remove: int | None,
) -> None:
    """Give a professional a role or take one away; what was open ends."""
    if bool(name) == (remove is not None):
        raise click.UsageError("Say what: --role with --title, or --remove with a number.")
    place = id_of(organisation)
    try:
        added = (inviting.role(name, title, place, manages=manages),) if name else ()
    except CannotInvite as fault:
        raise click.UsageError(str(fault)) from None
    with opened_database(os.environ) as database:
        check_there(database, place)
        telling.write(
            database,
            _told("role", login),
            lambda connection: _change_roles(connection, login, added, remove),
        )
    output.say("Changed. They sign in anew to go on.")


def _told(action: str, login: str) -> telling.Command:
    return telling.Command(f"ehr user {action}", Kind.USER_CHANGED, login)


def _change_roles(connection: Any, login: str, added: tuple[Role, ...], remove: int | None) -> None:
    now = times.now()
    found = named(users.find_login(connection, login, now), login)
    if not found.is_professional:
        raise CommandError(
            "No role was changed.", "Only professionals have roles.", "", exit=Exit.REFUSED
        )
    left = tuple(each for each in found.roles if each.number != remove)
    if remove is not None and len(left) == len(found.roles):
        raise CommandError(
            "No role was changed.",
            f"{found.login} has no role {remove}.",
            f"See `ehr user show {found.login}` for the numbers.",
            exit=Exit.REFUSED,
        )
    users.set_roles(connection, found.id, left + added)
    users.mark_changed(connection, found.id, now)
    sessions.end_all_of_user(connection, found.id, why="role changed", now=now)


def named(found: User | None, login: str) -> User:
    """Return the user who was found; raise CommandError where nobody has this sign-in name."""
    if found is None:
        raise CommandError(
            f"There is no user {login}.",
            "Nobody has this sign-in name.",
            "See `ehr user list` for the names.",
            exit=Exit.REFUSED,
        )
    return found
