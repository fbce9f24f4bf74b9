"""Invitations made on the machine of the record, and how they are printed."""

import os

import click

from auth.joining import inviting
from auth.joining.invitations import LIFE
from auth.principal import Principal
from auth.sign_in import users
from auth.sign_in.users import Role
from ehr.audit.kinds import Kind
from ehr.cli import output, times
from ehr.cli.failures import CommandError, refused
from ehr.cli.opening import opened_record
from ehr.cli.organisations import check_there


def put_invitation(
    caller: Principal,
    kind: str,
    person: str,
    roles: tuple[Role, ...],
    *,
    user_id: str | None = None,
    as_json: bool,
) -> None:
    """Make an invitation and print its code. Raises CannotInvite."""
    from ehr.app import surroundings_of
    from ehr.cli import telling

    is_known = user_id is not None
    named = "ehr user reset" if is_known else "ehr user invite"
    with opened_record(os.environ) as record:
        if not is_known:  # what was given before is not asked about again
            for each in roles:
                check_there(record.database, each.organisation)
        around = surroundings_of(record)
        invited = inviting.whom(around, caller, kind, person, roles)
        try:
            code = telling.write(
                record.database,
                telling.Command(named, Kind.USER_CHANGED, invited.fhir_user),
                lambda connection: inviting.invite(
                    connection, around, invited, invited_by=caller.id, user_id=user_id
                ),
            )
        except inviting.HasAccount as fault:
            # Who is at this machine is who the pages send people to.
            text = f"{fault.name} has an account already. `ehr user reset` lets them in again."
            raise inviting.CannotInvite(text) from None
        until = times.shown(around.clock() + LIFE)
        # The server may be told otherwise than this command where it is reached.
        address = f"{around.root}/auth/join" if record.settings.base_url else None
    if as_json:
        output.put_json(
            {"code": code, "address": address, "expires": until, "person": invited.fhir_user}
        )
        return
    output.say(_told(invited, address, str(until), is_known=is_known))
    click.echo(code)


def fault_of(kind: str, person: str, fault: inviting.CannotInvite) -> CommandError:
    """Return what is said where nobody was invited, by the options of `ehr user invite`."""
    option = f"--{kind} {person}" if fault.where == "person" else f"--{fault.where}"
    remedy = "See `ehr user invite --help`."
    if isinstance(fault, inviting.NobodyThere):
        remedy = f"See `ehr get '{users.TYPES[kind]}?_elements=name'` for the ids that there are."
    return refused("Nobody was invited.", f"{option}: {fault}", remedy)


def _told(invited: inviting.Invited, address: str | None, until: str, *, is_known: bool) -> str:
    also = " and their date of birth" if invited.birth_date else ""
    lines = [
        f"For {invited.fhir_user}. Hand this over; it is not shown again.",
        f"At {address or 'the page /auth/join of this record'} they enter the code{also}.",
        f"It works once, until {until}.",
    ]
    if address is None:
        lines.append("Set EHR_BASE_URL as for the server, and the address is printed here.")
    if is_known:
        lines.append(
            "What they sign in with now holds until they use the code; then it ends, and they "
            "choose anew. If somebody else may have it, shut them out (`ehr user disable`) "
            "until they have used it (`ehr user enable`)."
        )
    return "\n".join(lines)
