"""Walks over pages on any sort, while the record changes at random between the pages.

ehr/README.md, *Paging*: "A walk never returns a row twice or one created after its first page, and
returns every row that did not change meanwhile exactly once; a changed row comes at most once, as
it is then, or not at all." Each on both engines; a seed tells the changes of each walk.
"""

import random
from typing import Any

import pytest

from tests import given
from tests.client import Client
from tests.spec.test_search import link, names

SORTS = ["", "date", "-date", "code", "-code,date", "-value-quantity", "performer,-date",
         "category,-_lastUpdated", "_id", "-_lastUpdated", "-subject,value-quantity"]  # fmt: skip
DAYS = [f"2024-01-0{n}" for n in range(1, 6)]


class Ward:
    """Observations of two people that are made, changed and deleted as a seed says."""

    def __init__(self, client: Client, seed: int) -> None:
        self.client, self.rng = client, random.Random(seed)
        self.people = [client.create(given.patient()) for _ in range(2)]
        self.nurses = [client.create(given.practitioner()) for _ in range(3)]
        self.stored: dict[str, dict[str, Any]] = {}
        for _ in range(13):
            self.add()
        self.changed: set[str] = set()
        self.new: set[str] = set()

    def made(self) -> dict[str, Any]:
        pick = self.rng.choice
        seen = given.observation(
            self.people[self.rng.random() < 0.3],
            code=pick(["10", "20", "3"]),
            value=self.rng.randint(1, 5),
            when=pick(DAYS),
            category=[given.concept(pick("abc"))],
            performer=[given.reference(pick(self.nurses))],
        )
        # Some have nothing to be sorted by.
        left_out = {"effectiveDateTime", "category", "performer"} if self.rng.random() < 0.2 else ()
        return {name: value for name, value in seen.items() if name not in left_out}

    def add(self) -> str:
        stored = self.client.create(self.made())
        name = f"Observation/{stored['id']}"
        self.stored[name] = stored
        return name

    def change(self) -> None:
        """Add, change, take out of the search or delete something."""
        draw = self.rng.random()
        if draw < 0.3:
            self.new.add(self.add())
            return
        name = self.rng.choice(sorted(self.stored))
        self.changed.add(name)
        if draw < 0.8:
            status = {"status": "amended"} if draw > 0.65 else {}
            kept = {"id": self.stored[name]["id"], "subject": self.stored[name]["subject"]}
            self.stored[name] = self.client.update(self.made() | kept | status)
        else:
            self.client.delete(name)
            del self.stored[name]


@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_keeps_its_promise_whatever_changes(client: Client, sort: str) -> None:
    for seed in range(3):
        ward = Ward(client, seed)
        mine = f"subject={','.join(names_of(ward.people[: 1 + seed % 2]))}&"
        query = f"Observation?status=final&{mine}_count=3" + (f"&_sort={sort}" if sort else "")
        there_at_first = set(names(client.read(query.replace("_count=3", "_count=99"))))

        bundle = client.read(query)
        pages = [names(bundle)]
        while address := link(bundle, "next"):
            for _ in range(2):
                ward.change()
            bundle = client.read(address)
            pages.append(names(bundle))

        seen = [name for page in pages for name in page]
        told = f"sort {sort!r}, seed {seed}: {pages}"
        assert len(seen) == len(set(seen)), told
        assert not set(seen) & ward.new, told
        assert there_at_first - ward.changed <= set(seen) <= there_at_first, told


def names_of(people: list[dict[str, Any]]) -> list[str]:
    return [f"Patient/{one['id']}" for one in people]
