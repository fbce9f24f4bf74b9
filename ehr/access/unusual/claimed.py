"""Records that nothing but their own claim, or an emergency, opened to somebody of staff."""

from collections import defaultdict

from sqlalchemy import Connection, select

from ehr.access.relationships.kinds import Kind
from ehr.access.relationships.rows import named
from ehr.access.unusual.looked import Looked
from ehr.messages import Instant
from ehr.store.engine import of
from ehr.store.pairs import in_keys
from ehr.store.tables import relationship
from ehr.store.templates import rows_of

AT_ONCE = 500  # patients
_BY_THEMSELVES = frozenset({int(Kind.SELF_CLAIMED), int(Kind.BREAK_GLASS)})


def only_claimed(
    connection: Connection, looks: list[Looked], since: Instant
) -> frozenset[tuple[str, int]]:
    """Return of which of these the only relationship since then was one that staff gave themselves.

    Names are the person's and the organisation's, as relationships have them.
    """
    hasher = of(connection).hasher
    kinds = _kinds(connection, {one.patient_key for one in looks}, since)
    found = set()
    for one in looks:
        held = kinds.get(one.patient_key, {})
        own = held.get(named(hasher, one.agent), frozenset())
        also = held.get(named(hasher, _organisation(one)), frozenset())
        if own and not (own | also) - _BY_THEMSELVES:
            found.add((one.agent, one.patient_key))
    return frozenset(found)


def _kinds(
    connection: Connection, keys: set[int], since: Instant
) -> dict[int, dict[int, frozenset[int]]]:
    """Return who has had which kinds of relationship to these patients since a time."""
    c = relationship.c
    found: defaultdict[int, defaultdict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    listed = sorted(keys)
    for start in range(0, len(listed), AT_ONCE):
        here = in_keys(connection, c.patient_key, listed[start : start + AT_ONCE])
        asked = select(c.patient_key, c.grantee, c.kind).where(here, c.to_at > since)
        for key, grantee, kind in rows_of(connection, asked):
            found[key][grantee].add(kind)
    return {
        key: {who: frozenset(some) for who, some in held.items()} for key, held in found.items()
    }


def _organisation(one: Looked) -> str:
    id = one.organisation.removeprefix("Organization/")
    return f"Organization/{id}" if id else ""
