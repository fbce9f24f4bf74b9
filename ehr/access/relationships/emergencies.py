"""Records that are open in an emergency: whose, for somebody now; and who is told of it later."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from ehr.access.relationships.kinds import Kind
from ehr.access.relationships.rows import named
from ehr.store.hashing import Hasher
from ehr.store.pairs import in_keys
from ehr.store.rows import MARKED
from ehr.store.tables import resource, token

# Part of a statement that asks who somebody is, its parameters `emergency_values`: rows with the
# key of a patient and two moments in place of an id, and this in place of the number of a type.
EMERGENCY = -1
EMERGENCIES = (
    "SELECT -1, g.patient_key || ' ' || g.from_at || ' ' || g.to_at, 0 FROM relationship g "
    "WHERE g.grantee = {0} AND g.kind = {0} AND g.to_at > {0} AND g.to_at <= {0}"
)
_CLOCKS = 3_600_000  # ms by which the clocks of machines may differ
_REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Emergency:
    """A record (its key) that is open to somebody from one moment to another, in ms."""

    patient_key: int
    from_: int
    to: int


def emergency_of(text: str) -> Emergency:
    """Return what a row of `EMERGENCIES` says."""
    return Emergency(*map(int, text.split(" ")))


def emergency_values(hasher: Hasher, person: str, now: int, longest: int) -> tuple[int, ...]:
    """Return the parameters of `EMERGENCIES`, for those of a person (`Practitioner/1`) that are not
    over at a moment.

    `longest` is how long an emergency lasts at most, in ms: the index goes by the end, so that
    other relationships are not looked at, of which somebody may have thousands.
    """
    return named(hasher, person), int(Kind.BREAK_GLASS), now, now + longest + _CLOCKS


def untold_emergencies(
    connection: Connection, hasher: Hasher, keys: Collection[int], now: int
) -> frozenset[int]:
    """Return which of these patients (keys) are told later that their record was opened.

    The review says so: it has the release time of the notice, and is there whatever becomes of the
    access.
    """
    if not keys:
        return frozenset()
    r, t = resource.c, token.c
    same = and_(r.patient_key == t.patient_key, r.rid == t.rid)
    asked = (
        select(t.patient_key)
        .join(resource, same)
        .where(
            in_keys(connection, t.patient_key, keys),
            t.param == MARKED,
            t.code == hasher.once(_REVIEW),
            r.deleted.is_(False),
            r.release_at > now,
        )
    )
    return frozenset(int(key) for (key,) in connection.execute(asked))
