"""`ehr user acts-for`: carers of several people, who are a RelatedPerson of the record for each."""

import os
from typing import Any

import click

from auth.joining import inviting
from auth.joining.inviting import CannotInvite, NobodyThere
from auth.principal import Principal
from auth.sign_in import sessions, users
from auth.sign_in.users import User
from ehr.audit.kinds import Kind
from ehr.audit.telling.commands import running_user
from ehr.cli import output, telling, times
from ehr.cli.examples import examples
from ehr.cli.exits import Exit
from ehr.cli.failures import CommandError
from ehr.cli.opening import opened_record
from ehr.cli.user_changes import named

_CALLER = Principal(running_user(), "operator", "ehr user")
_NOT_CHANGED = "Nothing was changed."


@click.command(
    "acts-for",
    epilog=examples(
        "ehr user acts-for iain.murray iain-for-his-father",
        "ehr user acts-for iain.murray iain-for-his-father --remove",
    ),
)
@click.argument("login")
@click.argument("carer", metavar="RELATEDPERSON")
@click.option("--remove", is_flag=True, help="They no longer do; what was open ends.")
def acts_for(login: str, carer: str, remove: bool) -> None:
    """Let a carer act for a further patient, as that RelatedPerson.

    What they may do says the patient's Consent, which names the RelatedPerson.
    """
    from ehr.app import surroundings_of

    with opened_record(os.environ) as record:
        try:
            person, patient = inviting.carer(surroundings_of(record), _CALLER, carer)
        except NobodyThere:
            text = f"The record has no RelatedPerson {carer}, or none who is there now."
            raise _refused(text, "Record them first, with whom they care for.") from None
        except CannotInvite as fault:
            raise _refused(str(fault), "") from None
        change = _remove if remove else _add
        telling.write(
            record.database,
            telling.Command("ehr user acts-for", Kind.USER_CHANGED, login),
            lambda connection: change(connection, login, person, patient),
        )
    done = "no longer acts" if remove else "acts"
    output.say(f"Changed. {login} {done} for Patient/{patient} as {person}.")


def _add(connection: Any, login: str, person: str, patient: str) -> None:
    now = times.now()
    found = _carer(connection, login, now)
    others = [one for one in users.of_person(connection, person, now) if one.id != found.id]
    if others:
        raise _refused(f"{person} is {others[0].login}, another account.", "")
    if patient in found.patients:
        as_whom = found.acting_for(patient).fhir_user
        raise _refused(f"{found.login} acts for Patient/{patient} already, as {as_whom}.", "")
    users.open_patient(connection, found.id, patient, users.PROXY, person=person)


def _remove(connection: Any, login: str, person: str, patient: str) -> None:
    now = times.now()
    found = _carer(connection, login, now)
    if found.others.get(patient) != person:
        text = f"{found.login} does not act for Patient/{patient} as {person}."
        raise _refused(text, f"See `ehr user show {found.login}` for whom they act for.")
    users.close_patient(connection, found.id, patient)
    users.mark_changed(connection, found.id, now)
    sessions.end_all_of_user(connection, found.id, why="no longer acts", now=now)


def _carer(connection: Any, login: str, now: int) -> User:
    found = named(users.find_login(connection, login, now), login)
    if found.kind != "carer":
        raise _refused(f"{found.login} is a {found.kind}; only carers act for others.", "")
    return found


def _refused(text: str, hint: str) -> CommandError:
    return CommandError(_NOT_CHANGED, text, hint, exit=Exit.REFUSED)
