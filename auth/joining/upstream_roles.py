"""The role that staff chose at another provider, which is then the one in force here.

CIS2 tells it by `selected_roleid`, and in `nhsid_nrbac_roles` the organisation (ODS code) that each
role is at. The record says which PractitionerRole has that id, or is at that
organisation; the user has a role there, or does not come in: nobody works here in another role
than the one that they said they work in.
"""

from collections.abc import Mapping
from typing import Any

from auth.joining.provider_calls import SignInFailed
from auth.joining.upstream import Verified
from auth.sign_in.users import User
from auth.surroundings import Surroundings

_LONGEST = 64


def chosen(surroundings: Surroundings, verified: Verified, user: User) -> int | None:
    """Return the number of the role that was chosen; None where none was, or several fit.

    Raises SignInFailed.
    """
    role_id = verified.claims.get("selected_roleid")
    if role_id is None or not user.is_professional:
        return None
    refused = SignInFailed(
        f"You have no account here in the role that you chose with {verified.provider.name}. "
        "Choose another role there, or ask the administrator of your organisation."
    )
    if not isinstance(role_id, str) or not 0 < len(role_id) <= _LONGEST:
        raise refused
    places = surroundings.people.workplaces(user.fhir_user, role_id, _place(verified, role_id))
    found = [role.number for role in user.roles if role.organisation in places]
    if not found:
        raise refused
    return found[0] if len(found) == 1 else None


def _place(verified: Verified, role_id: str) -> str:
    """Return the ODS code that the provider tells for a role."""
    told = verified.claims.get("nhsid_nrbac_roles")
    listed = told if isinstance(told, list) else []
    for each in listed:
        if isinstance(each, Mapping) and each.get("person_roleid") == role_id:
            return _text(each.get("org_code"))
    return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""
