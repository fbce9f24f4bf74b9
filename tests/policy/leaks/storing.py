"""A world written into a record: each version by who sent it, at the time at which it was sent.

Below the door, which would refuse much of it: nobody writes in another's name, or in the past. What
operations noted (`Fact`) is kept as the Tasks that they make would have it, without the Tasks: the
naive record has none, so that no answer may have one.
"""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from auth.principal import Principal
from ehr.access.relationships.rebuilding import Origin, rebuild
from ehr.interactions import referring
from ehr.interactions.access.terms import terms_of
from ehr.interactions.applying import apply
from ehr.interactions.changes import Change
from ehr.messages import Document, Interaction
from ehr.store import feed
from ehr.store.drafts import Method
from ehr.store.locator import locate
from fhir_profiles import json_format
from fhir_profiles.own_names import ACCESS, BREAK_GLASS, DELEGATION, HELD_BY, SELF_CLAIM
from tests.policy.naive import Fact, Record, Row, Version
from tests.policy.naive.reading import mentioned
from tests.policy.world import World

if TYPE_CHECKING:
    from ehr.record import Record as Store

_MOST = 300  # changes in one transaction
_CODES = {"delegated": DELEGATION, "claimed": SELF_CLAIM, "broken glass": BREAK_GLASS}
_DURING = "%Y-%m-%dT%H:%M:%SZ"


def milliseconds(moment: datetime) -> int:
    """Return a moment as the record counts."""
    return round(moment.timestamp() * 1000)


# As a loader sends them.
_ASKED = Interaction(name="transaction")


def store(record: "Store", world: World) -> None:
    """Write all versions of a world in their order, and what operations noted."""
    # Nobody refers to an unfiled Binary of others; a system that acts for none may have done so.
    with patch.object(referring, "refuse_opening", lambda *_: None):
        for version, names in _in_order(world.record):
            changes = [_change(name, one) for name, one in names]
            for start in range(0, len(changes), _MOST):
                with _at(version.at):
                    apply(record, _sender(version), changes[start : start + _MOST], asked=_ASKED)
    _note(record, world.record.facts)


def _in_order(record: Record) -> Iterator[tuple[Version, list[tuple[str, Version]]]]:
    """Yield what one sent at one time: what is referred to comes first, then later versions."""
    layers = _layers(record)
    last = max(len(row.versions) for row in record.rows())
    for number in range(last):
        parts: defaultdict[Any, list[tuple[str, Version]]] = defaultdict(list)
        for row in record.rows():
            if number < len(row.versions):
                one = row.versions[number]
                layer = layers[row.name] if number == 0 else 0
                key = (layer, one.at, one.person or "", one.organisation or "")
                parts[key].append((row.name, one))
        for _, some in sorted(parts.items()):
            yield some[0][1], some


def _layers(record: Record) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in record.rows():
        below = [found.get(name, 0) for name in _mentions(row)]
        found[row.name] = 1 + max(below, default=0)
    return found


def _mentions(row: Row) -> Iterable[str]:
    return itertools.chain(*(mentioned(one.document) for one in row.versions if one.document))


def _change(name: str, version: Version) -> Change:
    type, _, id = name.partition("/")
    if version.document is None:
        return Change(Method.DELETE, type, id=id)
    raw = json.dumps(version.document).encode()
    return Change(Method.PUT, type, id=id, document=Document(raw, json_format.reparse(raw)))


def _sender(version: Version) -> Principal:
    """Return who may do everything, and stands as author in what is written."""
    organisation = version.organisation and version.organisation.partition("/")[2]
    return Principal(version.person or "tests/system", "system", "tests", organisation)


@contextmanager
def _at(moment: datetime) -> Iterator[None]:
    """Let the database's clock stand still at a moment, for the times of versions."""
    opened = feed.open_txn

    def open_txn(connection: Any, txn_id: int) -> tuple[int, int]:
        return milliseconds(moment), opened(connection, txn_id)[1]

    with patch.object(feed, "open_txn", open_txn):
        yield


def _note(record: "Store", facts: Iterable[Fact]) -> None:
    """Keep what operations noted, each as of a Task that nobody can read."""
    some = list(facts)
    rids = record.database.allocator.reserve("rid", len(some)) if some else ()

    def work(connection: Any) -> None:
        patients = {("Patient", fact.patient.partition("/")[2]) for fact in some}
        places = locate(connection, patients)
        origins = [
            Origin(
                places["Patient", fact.patient.partition("/")[2]].patient_key,
                rid,
                "Task",
                f"noted-{rid}",
                _task(fact),
                milliseconds(fact.start),
                is_new=True,
            )
            for fact, rid in zip(some, rids, strict=True)
        ]
        rebuild(connection, origins, terms_of(record))

    record.database.write(work)


def _task(fact: Fact) -> dict[str, Any]:
    held = {
        "type": {"coding": [{"system": ACCESS, "code": HELD_BY}]},
        "valueReference": {"reference": fact.held_by},
    }
    return {
        "resourceType": "Task",
        "status": "in-progress",
        "intent": "order",
        "code": {"coding": [{"system": ACCESS, "code": _CODES[fact.kind]}]},
        "for": {"reference": fact.patient},
        "owner": {"reference": fact.person},
        "executionPeriod": {
            "start": fact.start.strftime(_DURING),
            # A Period's last second belongs to it.
            "end": _before(fact.end),
        },
        **({"input": [held]} if fact.held_by else {}),
    }


def _before(moment: datetime) -> str:
    """Return the last second before a moment: the end of a Period is part of it."""
    seconds = int(moment.timestamp()) - 1
    return datetime.fromtimestamp(seconds, moment.tzinfo).strftime(_DURING)
