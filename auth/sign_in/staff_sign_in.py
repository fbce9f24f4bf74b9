"""What staff must have shown before a session of theirs is complete: the operator's policy.

Asked wherever a session is begun or read, never by a page alone: so a session that was opened
before the policy became stricter is incomplete from the next request on (T24). What an app was
granted in it ends at its next refresh; until then, an hour at most, its access token stands.
"""

from collections.abc import Collection

from auth.sign_in.one_time_codes import Factors
from auth.sign_in.users import User
from auth.surroundings import Surroundings

MFA, HARDWARE_KEY = "mfa", "hwk"  # RFC 8176
SECOND_FACTOR, PASSKEY = "second-factor", "passkey"


def wants_passkey(surroundings: Surroundings, user: User) -> bool:
    """Tell whether this user comes in by a passkey alone, or by one as well."""
    policy = surroundings.options.get("staff_sign_in", SECOND_FACTOR)
    return user.is_professional and policy == PASSKEY


def is_met(surroundings: Surroundings, user: User, amr: Collection[str]) -> bool:
    """Tell whether a user has shown what the policy demands."""
    if not user.is_professional:
        return True
    return MFA in amr and (not wants_passkey(surroundings, user) or HARDWARE_KEY in amr)


def shows_another(
    surroundings: Surroundings, user: User, amr: Collection[str], factors: Factors
) -> bool:
    """Tell whether one that the user has must be shown yet.

    Who has a passkey, and must use one, adds no other by less: else a code that was phished would
    make a passkey. Who lost theirs is invited anew.
    """
    if MFA not in amr:
        return bool(factors)
    return not is_met(surroundings, user, amr) and factors.passkeys > 0
