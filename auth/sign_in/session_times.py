"""When somebody signed in, and until when a session lasts at most."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auth.sign_in.sessions import Session, Step

IDLE = 30 * 60_000
LONGEST = 12 * 3_600_000
UNFINISHED = 15 * 60_000  # until the second factor and the role must be there


def of_step(step: "Step", before: "Session | None", now: int) -> tuple[int, int]:
    """Return when the user signed in, and when the session of a step ends at the latest.

    A step that shows nothing new is no sign-in: else whoever finds a browser open would go on in it
    for ever, and `auth_time` would be untrue.
    """
    ends = now + (LONGEST if step.complete else UNFINISHED)
    if not step.goes_on or before is None:
        return now, ends
    shows_more = not before.complete and not set(step.amr) <= set(before.amr)
    authenticated = now if shows_more else before.authenticated
    return authenticated, min(ends, before.expires) if before.complete else ends
