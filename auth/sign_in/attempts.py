"""Limits on guessing: by sign-in name, by address, by code; kept in the database for all processes.

An attempt is counted before it is judged, so that many at once get no more guesses than one after
another; success takes it back. After some in vain the subject is closed for a minute, then for two,
four … up to an hour. What is counted is a keyed hash, whether such a user exists or not (T24).

What strangers try in vain does not close a name to the browsers that its owner has used before
(`devices`): each of them is counted for itself alone.

Many people may share an address: it counts the names that were tried from it in vain, each once,
and half of them are forgotten after six hours. Who gets in at last takes back what they mistyped.

Introspection is counted after it is answered, and only where the token was none of the caller's: a
gateway that asks hundreds of times a second writes nothing.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from sqlalchemy import Connection, case, delete, or_, select, update

from auth.models import attempt
from auth.models.inserting import insert_new
from auth.surroundings import Surroundings

_MINUTE = 60_000
_FIRST_WAIT = _MINUTE
_LONGEST_WAIT = 3_600_000
_SHIFT, _DAY = 6 * 3_600_000, 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Subject:
    """What is counted, and how many attempts it has before it is closed."""

    hash: str
    free: int
    window: int  # half of what was counted is forgotten after it, all after two
    tried: str | None = None  # counted once, however often; None where each attempt counts


def of_login(surroundings: Surroundings, login: str, what: str = "password") -> Subject:
    """Return the count of attempts for one user's password or codes, of all strangers together."""
    return Subject(_hash(surroundings, f"{what} {login}"), free=5, window=_DAY)


def of_device(surroundings: Surroundings, mark: str, login: str, what: str = "password") -> Subject:
    """Return the count of attempts from one browser that its owner has used before."""
    return Subject(_hash(surroundings, f"{what} {login} in {mark}"), free=5, window=_DAY)


def of_address(surroundings: Surroundings, address: str, tried: str) -> Subject:
    """Return the count of attempts from one address, where a name or code is tried."""
    place = _place(address)
    mark = _hash(surroundings, f"address {place} tries {tried}")
    return Subject(_hash(surroundings, f"address {place}"), free=50, window=_SHIFT, tried=mark)


def of_introspection(surroundings: Surroundings, caller: str) -> Subject:
    """Return the count of one caller's questions after tokens that are none of its own."""
    return Subject(_hash(surroundings, f"introspection {caller}"), free=200, window=_MINUTE)


def closed_for(surroundings: Surroundings, subject: Subject) -> int:
    """Return how many milliseconds a subject is closed; counts nothing."""
    with surroundings.store.read() as connection:
        return _closed_for(connection, subject, surroundings.clock())


def is_within(address: str, network: str) -> bool:
    """Tell whether an address is in a network, however it is written."""
    found = _parsed(address)
    return found is not None and found in ip_network(network)


def take(surroundings: Surroundings, subjects: Sequence[Subject]) -> int:
    """Count an attempt; return how many milliseconds to wait, 0 where it may go on."""
    now = surroundings.clock()

    def work(connection: Connection) -> int:
        return max(_closed_for(connection, subject, now) for subject in subjects) or max(
            _count(connection, subject, now) for subject in subjects
        )

    return surroundings.store.write(work)


def succeeded(surroundings: Surroundings, subjects: Sequence[Subject]) -> None:
    """Take an attempt back that was no guess, and those before it that were mistyped."""

    def work(connection: Connection) -> None:
        for subject in subjects:
            gone = delete(attempt).where(attempt.c.subject == (subject.tried or subject.hash))
            if connection.execute(gone).rowcount and subject.tried:
                _one_less(connection, subject.hash)

    surroundings.store.write(work)


def take_back(surroundings: Surroundings, subjects: Sequence[Subject]) -> None:
    """Take an attempt back that was not judged, and nothing else."""

    def work(connection: Connection) -> None:
        for subject in subjects:
            left = _one_less(connection, subject.tried or subject.hash)
            if subject.tried and left == 0:
                connection.execute(delete(attempt).where(attempt.c.subject == subject.tried))
                _one_less(connection, subject.hash)

    surroundings.store.write(work)


def waiting_text(wait: int) -> str:
    """Say how long to wait, the same for whoever tries."""
    minutes = -(-wait // 60_000)
    time = "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"Too many attempts. Wait {time}, then try again."


def _closed_for(connection: Connection, subject: Subject, now: int) -> int:
    until = connection.execute(
        select(attempt.c.closed_until).where(attempt.c.subject == subject.hash)
    ).scalar_one_or_none()
    return max(0, (until or 0) - now)


def _count(connection: Connection, subject: Subject, now: int) -> int:
    if subject.tried and _add(connection, subject.tried, subject.window, now, left=0) != 1:
        return 0  # what is tried again is counted by its own name
    counted = _add(connection, subject.hash, subject.window, now)
    if counted is None:  # another attempt closed it just now
        if subject.tried:
            connection.execute(delete(attempt).where(attempt.c.subject == subject.tried))
        return max(1, _closed_for(connection, subject, now))
    if counted >= subject.free:
        wait = min(_LONGEST_WAIT, _FIRST_WAIT << min(counted - subject.free, 10))
        connection.execute(
            update(attempt).where(attempt.c.subject == subject.hash).values(closed_until=now + wait)
        )
    return 0


def _add(
    connection: Connection, subject: str, window: int, now: int, left: int | None = None
) -> int | None:
    """Count one more and return how many there are; None where it is closed.

    After the window half of them are `left` unless told otherwise.
    """
    mine = attempt.c
    half = mine.count // 2 if left is None else left
    open_now = or_(mine.closed_until.is_(None), mine.closed_until <= now)
    fresh = {"subject": subject, "count": 0, "since": now, "closed_until": None}
    if insert_new(connection, attempt, **fresh):
        connection.execute(delete(attempt).where(mine.since < now - 2 * _DAY, open_now))
    is_old, is_very_old = mine.since <= now - window, mine.since <= now - 2 * window
    kept = case((is_very_old, 0), (is_old, half), else_=mine.count)
    return connection.execute(
        update(attempt)
        .where(mine.subject == subject, open_now)
        .values(count=kept + 1, since=case((is_old, now), else_=mine.since))
        .returning(mine.count)
    ).scalar_one_or_none()


def _one_less(connection: Connection, subject: str) -> int | None:
    """Take one from a count and open it again; return what is left."""
    mine = attempt.c
    return connection.execute(
        update(attempt)
        .where(mine.subject == subject, mine.count > 0)
        .values(count=mine.count - 1, closed_until=None)
        .returning(mine.count)
    ).scalar_one_or_none()


def _place(address: str) -> str:
    """Return what stands for an address: of IPv6 the network, in which anybody has 2^64."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found or address)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _hash(surroundings: Surroundings, text: str) -> str:
    key = surroundings.safe.signing_key("attempts")
    return hmac.new(key, text.encode("utf-8", "replace"), sha256).hexdigest()
