"""An invitation by e-mail: the way to the page and the code, nothing of the person it is for.

Only where the invitation asks for a date of birth as well: a letter in wrong hands, or a mailbox
that others read, is then not enough.
"""

from collections.abc import Mapping
from typing import Any

from auth.joining import mail
from auth.joining.inviting import Invited
from auth.surroundings import Surroundings

_SUBJECT = "Your invitation to the Shared Care Record"
_TEXT = """\
You are invited to the Shared Care Record.

1. Go to {address}
2. Enter the code {code} and your date of birth.

The code works once, until {until}. Nobody will ever ask you for it by telephone.

If you don't know who sent you this, you need not do anything.
"""


def is_possible(options: Mapping[str, Any]) -> bool:
    """Tell whether an operator has named a server for e-mail."""
    return options.get("mail") is not None


def fault(invited: Invited, to: str) -> str | None:
    """Say why an invitation can't be sent to an address; None where it can."""
    if not mail.is_address(to):
        return "Enter an e-mail address such as mary@example.org, or leave it empty to print."
    if invited.birth_date is None:
        return "An invitation of a colleague is handed over. Leave the e-mail address empty."
    return None


def send(surroundings: Surroundings, to: str, code: str, until: str) -> str:
    """Send an invitation; return what went wrong, nothing where it was sent."""
    address = f"{surroundings.root}/auth/join"
    text = _TEXT.format(address=address, code=code, until=until)
    try:
        mail.send(surroundings.options["mail"], to, _SUBJECT, text)
    except mail.NotSent as why:
        return str(why)
    return ""
