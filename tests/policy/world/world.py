"""One world: a population made from a seed, in the order in which things refer to each other."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from random import Random

from tests.policy.naive.caller import Caller
from tests.policy.naive.record import Record
from tests.policy.world.callers import make_callers
from tests.policy.world.choices import make_denials, make_mistaken_proxies, make_proxies
from tests.policy.world.clinical import make_episode, make_notes
from tests.policy.world.contacts import make_encounters, make_requests
from tests.policy.world.documents import make_answers, make_documents
from tests.policy.world.evidence import make_evidence, make_of_nobody
from tests.policy.world.making import NOW, Making
from tests.policy.world.people import Subject, make_circle, make_person, note_access
from tests.policy.world.places import Places, make_places
from tests.policy.world.plans import make_conditions, make_plan


@dataclass(frozen=True, slots=True)
class World:
    """A record, those who ask for it by a name for people, and the moment at which they ask.

    `record.rows()` are in an order in which they can be sent: what is referred to comes first.
    """

    seed: int
    now: datetime
    record: Record
    callers: dict[str, Caller]


def make_world(patients: int = 6, *, seed: int) -> World:
    """Return the world of a seed, of at least two patients: some forty rows for each."""
    making = Making(Random(seed))
    places = make_places(making, patients)
    subjects = [make_person(making, places, number) for number in range(1, patients + 1)]
    for turn, subject in enumerate(subjects):
        _fill(making, subject, places, turn)
    for subject, other in pairwise(subjects):
        make_mistaken_proxies(making, subject, other)
    make_of_nobody(making, subjects, places)
    callers = make_callers(making, subjects, places)
    return World(seed, NOW, Record(making.versions, making.facts), callers)


def _fill(making: Making, subject: Subject, places: Places, turn: int) -> None:
    team = make_circle(making, subject)
    encounters = make_encounters(making, subject, places)
    orders = make_requests(making, subject, places)
    conditions = make_conditions(making, subject)
    notes = [*conditions, *make_plan(making, subject, team, conditions)]
    notes += make_notes(making, subject, encounters)
    measured = [name for name in notes if name.startswith("Observation/")]
    notes += [make_episode(making, subject), *make_documents(making, subject, measured), *orders]
    kept = [name for name in notes if making.versions[name][-1].document is not None]
    make_answers(making, subject)
    make_proxies(making, subject)
    make_denials(making, subject, places, kept, turn)
    make_evidence(making, subject, [name for name in kept if not name.startswith("Binary/")])
    note_access(making, subject, places)
