"""Browsers in which a person has signed in before: they have tries of their own.

OWASP "device cookies": whoever knows a sign-in name may close it to strangers by wrong passwords,
but not to the browsers that its owner uses. The cookie signs nobody in and tells no name: it says,
under our key, that somebody of the name that is typed has signed in with this browser (T24).
"""

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from auth.surroundings import Surroundings

LIFE = 365 * 86_400_000
MOST = 12  # people who share a browser, as on a ward; who signed in last stays longest
_LONGEST = 4000
_BETWEEN = "~"


@dataclass(frozen=True, slots=True)
class _Entry:
    mark: str  # names the browser for one person; stays as long as they come back in time
    issued: int
    signature: str

    def __str__(self) -> str:
        return f"{self.mark}.{self.issued}.{self.signature}"


def mark_of(surroundings: Surroundings, cookie: str, login: str) -> str | None:
    """Return what names this browser among those of a sign-in name; None for a stranger's."""
    mine = _mine(surroundings, cookie, login)
    return None if mine is None else mine.mark


def with_login(surroundings: Surroundings, cookie: str, login: str) -> str:
    """Return the cookie of a browser in which somebody of this name has just signed in."""
    mine = _mine(surroundings, cookie, login)
    others = [each for each in _entries(cookie) if mine is None or each.mark != mine.mark]
    mark = secrets.token_urlsafe(16) if mine is None else mine.mark
    now = surroundings.clock()
    fresh = _Entry(mark, now, _signature(surroundings, login, mark, now))
    return _BETWEEN.join(str(each) for each in [fresh, *others][:MOST])


def _mine(surroundings: Surroundings, cookie: str, login: str) -> _Entry | None:
    now = surroundings.clock()
    found = None
    for each in _entries(cookie):
        wanted = _signature(surroundings, login, each.mark, each.issued)
        signed = hmac.compare_digest(wanted.encode(), each.signature.encode())
        if signed and now - LIFE < each.issued <= now:
            found = each
    return found


def _entries(cookie: str) -> Iterator[_Entry]:
    if len(cookie) > _LONGEST:
        return
    for text in cookie.split(_BETWEEN)[:MOST]:
        mark, _, rest = text.partition(".")
        issued, _, signature = rest.partition(".")
        if mark and issued.isascii() and issued.isdigit() and len(issued) < 16:
            yield _Entry(mark, int(issued), signature)


def _signature(surroundings: Surroundings, login: str, mark: str, issued: int) -> str:
    key = surroundings.safe.signing_key("devices")
    said = f"{mark} {issued} {login}".encode("utf-8", "replace")
    return hmac.new(key, said, sha256).hexdigest()
